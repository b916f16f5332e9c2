//! Words and operators of other languages in an expression: what CEL writes instead.

use std::ops::Range;

/// Something that CEL does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Habit {
    /// The words.
    pub(super) range: Range<usize>,
    /// The fault, in words.
    pub(super) message: String,
    /// What to write, in words.
    pub(super) help: String,
    /// The whole expression with this and all other habits written as in CEL, where that can be done word by word.
    pub(super) written: Option<String>,
}

/// The first habit of an expression that does not parse.
pub(super) fn find(text: &str) -> Option<Habit> {
    let pieces = pieces(text);
    let first = pieces.iter().enumerate().find_map(|(at, piece)| {
        let (message, help) = said(text, &pieces, at)?;
        Some(Habit { range: piece.range.clone(), message, help, written: None })
    })?;
    let written = written(text, &pieces).filter(|written| written != text);
    Some(Habit { written, ..first })
}

/// A word, a text in quotes, or a run of signs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    range: Range<usize>,
    kind: PieceKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PieceKind {
    Word,
    Quoted,
    Unclosed,
    Signs,
}

/// Signs that belong together where they stand together.
const OPERATORS: &[&str] =
    &["===", "!==", "==", "!=", "<=", ">=", "=~", "!~", "<>", "=>", "=<", "&&", "||", "?.", "${", "{{", "}}"];

fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        let (kind, length) = match c {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '"' | '\'' => match closing(rest, c) {
                Some(length) => (PieceKind::Quoted, length),
                None => (PieceKind::Unclosed, rest.len()),
            },
            c if c.is_alphanumeric() || c == '_' => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                (PieceKind::Word, length)
            }
            c => {
                let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
                (PieceKind::Signs, operator.map_or(c.len_utf8(), |operator| operator.len()))
            }
        };
        out.push(Piece { range: at..at + length, kind });
        at += length;
    }
    out
}

/// Bytes of the quoted text that `rest` begins with.
fn closing(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// The fault of a piece and the remedy, if it is a habit.
fn said(text: &str, pieces: &[Piece], at: usize) -> Option<(String, String)> {
    let piece = pieces.get(at)?;
    let word = text.get(piece.range.clone())?;
    let next = pieces.get(at + 1).and_then(|next| text.get(next.range.clone()));
    let before = at.checked_sub(1).and_then(|at| pieces.get(at)).and_then(|p| text.get(p.range.clone()));
    let not = |help: &str| Some((format!("`{word}` is not an operator of CEL"), help.to_owned()));
    match piece.kind {
        PieceKind::Unclosed => {
            let message = "a text begins here and does not end".to_owned();
            Some((message, format!("end it with another {word:.1}")))
        }
        PieceKind::Signs => match word {
            "=" | "===" => not("write `==`"),
            "!==" | "<>" => not("write `!=`"),
            "&" => not("write `&&`"),
            "|" => not("write `||`"),
            "=>" => not("write `>=`"),
            "=<" => not("write `<=`"),
            "=~" => {
                not("write `text.matches(\"pattern\")`; the pattern is RE2 and matches anywhere in the text")
            }
            "!~" => {
                not("write `!text.matches(\"pattern\")`; the pattern is RE2 and matches anywhere in the text")
            }
            "${" | "{{" | "}}" | "$" => Some((
                format!("`{word}` is no part of CEL: an expression is not a template"),
                "write the field alone, as in `request.path`".to_owned(),
            )),
            ";" => Some(("an expression has no `;`".to_owned(), "remove it".to_owned())),
            "`" => {
                Some(("a text does not stand in backticks".to_owned(), "write \"...\" or '...'".to_owned()))
            }
            "/" if before.is_none_or(|before| OPERATORS.contains(&before) || before == "(") => Some((
                "a text stands in quotes, and there are no patterns between slashes".to_owned(),
                "write \"/path\" in quotes, and patterns as `text.matches(\"pattern\")`".to_owned(),
            )),
            "(" if before == Some("in") => {
                Some(("a list stands in square brackets".to_owned(), "write `in [\"a\", \"b\"]`".to_owned()))
            }
            _ => None,
        },
        PieceKind::Word => match word {
            "and" | "AND" | "And" if before != Some(".") => not("write `&&`"),
            "or" | "OR" | "Or" if before != Some(".") && next != Some("(") => not("write `||`"),
            "not" | "NOT" | "Not" if next == Some("in") => {
                Some(("`not in` is not an operator of CEL".to_owned(), "write `!(value in list)`".to_owned()))
            }
            "not" | "NOT" | "Not" if before != Some(".") => not("write `!`"),
            "IN" | "In" => not("write `in`"),
            "is" | "eq" | "equals" | "EQ" if infix(before, next) => not("write `==`"),
            "ne" | "NE" if infix(before, next) => not("write `!=`"),
            "gt" | "lt" | "ge" | "le" if infix(before, next) => not("write `>`, `<`, `>=` or `<=`"),
            "matches" | "contains" | "startsWith" | "endsWith" | "startswith" | "endswith" | "like"
            | "LIKE"
                if infix(before, next) =>
            {
                let method = match word {
                    "startswith" => "startsWith",
                    "endswith" => "endsWith",
                    "like" | "LIKE" => "matches",
                    other => other,
                };
                Some((
                    format!("`{word}` does not stand between two values"),
                    format!("it is a method: write `text.{method}(\"...\")`"),
                ))
            }
            "if" | "then" | "else" | "elif" | "when" | "unless" => Some((
                format!("CEL has no `{word}`"),
                "write `condition ? one : other`; most rules need `&&` and `||` alone".to_owned(),
            )),
            "return" | "let" | "var" => {
                Some((format!("CEL has no `{word}`"), "write the condition alone".to_owned()))
            }
            "None" | "nil" | "undefined" => Some((
                format!("CEL has no `{word}`"),
                "whether a header is there is asked with `\"x-name\" in request.headers`".to_owned(),
            )),
            _ => None,
        },
        PieceKind::Quoted => None,
    }
}

/// Whether a word stands between two values.
fn infix(before: Option<&str>, next: Option<&str>) -> bool {
    let ends = |text: &str| {
        text.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\'' | ')' | ']'))
    };
    let begins =
        |text: &str| text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\'' | '['));
    before.is_some_and(ends) && next.is_some_and(begins)
}

/// The expression with its habits written as in CEL; `None` where one cannot be.
fn written(text: &str, pieces: &[Piece]) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 16);
    let mut end = 0;
    let mut skip = 0;
    for (at, piece) in pieces.iter().enumerate() {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let word = text.get(piece.range.clone())?;
        let gap = text.get(end..piece.range.start)?;
        end = piece.range.end;
        let Some(_) = said(text, pieces, at) else {
            out.push_str(gap);
            out.push_str(word);
            continue;
        };
        let instead = match word {
            "=" | "===" | "is" | "eq" | "equals" | "EQ" => "==",
            "!==" | "<>" | "ne" | "NE" => "!=",
            "&" | "and" | "AND" | "And" => "&&",
            "|" | "or" | "OR" | "Or" => "||",
            "=>" => ">=",
            "=<" => "<=",
            "IN" | "In" => "in",
            "not" | "NOT" | "Not"
                if pieces.get(at + 1).and_then(|p| text.get(p.range.clone())) != Some("in") =>
            {
                out.push_str(gap);
                out.push('!');
                // The blank behind it goes.
                end = pieces.get(at + 1).map_or(end, |next| next.range.start);
                continue;
            }
            "=~" | "!~" | "matches" | "contains" | "startsWith" | "endsWith" | "startswith" | "endswith" => {
                let argument = pieces.get(at + 1).filter(|next| next.kind == PieceKind::Quoted)?;
                let operand = operand(&out);
                let method = match word {
                    "=~" | "!~" | "matches" => "matches",
                    "startswith" => "startsWith",
                    "endswith" => "endsWith",
                    other => other,
                };
                if word == "!~" {
                    out.insert(operand, '!');
                }
                out.push_str(&format!(".{method}({})", text.get(argument.range.clone())?));
                end = argument.range.end;
                skip = 1;
                continue;
            }
            _ => return None,
        };
        out.push_str(gap);
        out.push_str(instead);
    }
    out.push_str(text.get(end..)?);
    Some(out)
}

/// Where the value begins that the text ends with.
fn operand(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        match (quote, c) {
            (Some(open), c) => {
                if c == open {
                    quote = None;
                }
            }
            (None, '"' | '\'') => quote = Some(c),
            (None, ')' | ']') => depth += 1,
            (None, '(' | '[') if depth > 0 => depth -= 1,
            (None, c) if depth > 0 || c.is_alphanumeric() || matches!(c, '_' | '.') => {}
            _ => return start,
        }
        start = at;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_of_other_languages() {
        for (text, written) in [
            ("request.method = \"GET\"", "request.method == \"GET\""),
            ("a == \"b\" and not c or d", "a == \"b\" && !c || d"),
            ("a === 'x' & b <> 'y'", "a == 'x' && b != 'y'"),
            ("request.path =~ \"^/v1\"", "request.path.matches(\"^/v1\")"),
            ("a && request.headers[\"x\"] !~ \"b\"", "a && !request.headers[\"x\"].matches(\"b\")"),
            ("request.path startsWith '/a'", "request.path.startsWith('/a')"),
        ] {
            assert_eq!(find(text).and_then(|habit| habit.written).as_deref(), Some(written), "{text}");
        }
    }

    #[test]
    fn what_stands_in_quotes_or_is_cel_is_none() {
        for text in ["a == \"b and c = d\"", "x.matches('=~')", "a.or(b)", "a <= 1 && b >= 2 || !c"] {
            assert_eq!(find(text), None, "{text}");
        }
        assert_eq!(find("a in (1, 2)").map(|habit| habit.range), Some(5..6));
        assert_eq!(find("a == \"b").map(|habit| habit.range), Some(5..7));
    }
}
