//! Lines that YAML reads otherwise than they were meant: what to write.

/// Bytes of a line that is looked at; a help repeats most of it.
const LONGEST: usize = 200;

/// The remedy for the line of a syntax error at `at`, or for the line before it.
pub(super) fn hint(text: &str, at: usize) -> Option<String> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(start..)?.lines().next().unwrap_or_default();
    let before = text.get(..start)?.trim_end_matches(['\n', '\r']).lines().next_back();
    if line.len() > LONGEST || before.is_some_and(|before| before.len() > LONGEST) {
        return None;
    }
    let said = of_line(line).or_else(|| before.and_then(of_line));
    said.or_else(|| indented(line, before?))
}

/// What is wrong in a line by itself.
fn of_line(line: &str) -> Option<String> {
    let bare = line.trim();
    if bare.is_empty() || bare.starts_with('#') {
        return None;
    }
    let bare = bare.strip_prefix("- ").unwrap_or(bare).trim_start();
    if bare.starts_with(['{', '[']) {
        return braces(bare);
    }
    let Some((key, value)) = field(bare) else { return without_colon(bare) };
    let value = value.trim();
    let first = value.chars().next()?;
    match first {
        '"' | '\'' => quoted(key, value, first),
        '@' | '`' | '%' => {
            Some(format!("a text that begins with `{first}` stands in quotes: `{key}: \"{value}\"`"))
        }
        '*' => Some(format!("a text that begins with `*` stands in quotes: `{key}: \"{value}\"`")),
        '!' => Some(format!("a text that begins with `!` stands in quotes: `{key}: {}`", in_quotes(value)?)),
        '{' | '[' => braces(value),
        _ => {
            let value = value.split(" #").next().unwrap_or(value).trim();
            let colon = value.contains(": ") || value.ends_with(':');
            let text = in_quotes(value).filter(|_| colon)?;
            Some(format!("a text with a colon and a blank in it stands in quotes: `{key}: {text}`"))
        }
    }
}

/// Field and value of a line.
fn field(line: &str) -> Option<(&str, &str)> {
    let end = line.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | '"')))?;
    let (key, rest) = line.split_at_checked(end)?;
    let value = rest.strip_prefix(':')?;
    (!key.is_empty() && (value.is_empty() || value.starts_with(' '))).then_some((key, value))
}

/// `port = 8080`, `port 8080` and `port:8080`.
fn without_colon(line: &str) -> Option<String> {
    let end = line.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    let (key, rest) = line.split_at_checked(end)?;
    let value = rest.trim_start().trim_start_matches(['=', ':']).trim();
    let joined = rest.starts_with([':', '=', ' ']) && !value.is_empty() && !key.is_empty();
    (joined
        && key.starts_with(|c: char| c.is_alphabetic())
        && !value.starts_with(['=', '&', '|', '<', '>', '!', '?']))
    .then(|| format!("a colon and a blank stand between a field and its value: `{key}: {value}`"))
}

/// A value that begins with a quoted text and goes on behind it.
fn quoted(key: &str, value: &str, quote: char) -> Option<String> {
    let end = value.char_indices().skip(1).find(|(at, c)| {
        *c == quote && !value.get(..*at).is_some_and(|before| quote == '"' && before.ends_with('\\'))
    });
    let Some((end, _)) = end else {
        return Some(format!("the {quote} that begins the value of `{key}` is not closed on its line"));
    };
    let rest = value.get(end + 1..)?.trim();
    if rest.is_empty() || rest.starts_with(['#', ',', '}', ']', ':']) {
        return None;
    }
    // Quotes around the whole are no part of the text.
    let whole = value.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote));
    let text = whole.filter(|inner| inner.matches(quote).count() % 2 == 0).unwrap_or(value);
    Some(format!(
        "YAML ends the value at the second {quote}: put all of it in other quotes: `{key}: {}`",
        in_quotes(text)?
    ))
}

/// The text in quotes that it has none of.
fn in_quotes(text: &str) -> Option<String> {
    if !text.contains('\'') {
        Some(format!("'{text}'"))
    } else if !text.contains(['"', '\\']) {
        Some(format!("\"{text}\""))
    } else {
        Some(format!("'{}'", text.replace('\'', "''")))
    }
}

/// A text in a flow map or list that has a bracket of its own: `{ path: /a/{id} }`.
fn braces(value: &str) -> Option<String> {
    let mut quote: Option<char> = None;
    let mut before = ' ';
    for (at, c) in value.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if matches!(before, ' ' | '{' | '[' | ',') => quote = Some(c),
            (None, '{' | '[') if !matches!(before, ' ' | '{' | '[' | ',') => {
                // The whole value: from its key to the end of the map, or to the next field.
                let before = value.get(..at)?;
                let word = before.rfind(": ").map_or_else(
                    || before.rfind([' ', ',', '{', '[']).map_or(0, |start| start + 1),
                    |start| start + 2,
                );
                let rest = value.get(at..)?;
                let ends = [rest.find(", "), rest.find(" }"), rest.find(" ]")];
                let end = ends.into_iter().flatten().min().map_or(value.len(), |end| at + end);
                let text = in_quotes(value.get(word..end)?.trim_end_matches(" }"))?;
                return Some(format!("between braces, a text with brackets stands in quotes: `{text}`"));
            }
            (None, '*') if matches!(before, ' ' | '{' | '[' | ',') => {
                let end = value.get(at..)?.find([' ', ',', '}', ']']).map_or(value.len(), |end| at + end);
                return Some(format!(
                    "a text that begins with `*` stands in quotes: `\"{}\"`",
                    value.get(at..end)?
                ));
            }
            _ => {}
        }
        before = c;
    }
    None
}

/// A line that begins in a column in which nothing around it does.
fn indented(line: &str, before: &str) -> Option<String> {
    let columns = |line: &str| line.bytes().take_while(|b| *b == b' ').count();
    let (own, other) = (columns(line), columns(before));
    (own != other && !line.trim().is_empty() && !before.trim_end().ends_with(':')).then(|| {
        format!(
            "fields of one map begin in one column: this line begins in column {}, the one before in {}",
            own + 1,
            other + 1
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> String {
        of_line(line).unwrap_or_default()
    }

    #[test]
    fn lines_that_were_meant_otherwise() {
        for (line, written) in [
            ("    when: 'x' in request.headers", "`when: \"'x' in request.headers\"`"),
            ("  when: \"request.headers[\"x\"] == 'a'\"", "`when: 'request.headers[\"x\"] == ''a'''`"),
            ("  when: \"x\" in request.headers", "`when: '\"x\" in request.headers'`"),
            ("match: { path: /orders/{id} }", "`'/orders/{id}'`"),
            ("- { when: request.headers['x'] == 'a' }", "`\"request.headers['x'] == 'a'\"`"),
            ("hosts: [*.shop.example]", "`\"*.shop.example\"`"),
            ("- owner: @team", "`owner: \"@team\"`"),
            ("description: note: this", "`description: 'note: this'`"),
            ("port = 8080", "`port: 8080`"),
            ("name:web", "`name: web`"),
        ] {
            assert!(of(line).contains(written), "{line}: {}", of(line));
        }
        for line in
            ["when: '\"x\" in request.headers'", "a: b # c: d", "match: { path: \"/a/{id}\" }", "rules:"]
        {
            assert_eq!(of_line(line), None, "{line}");
        }
    }
}
