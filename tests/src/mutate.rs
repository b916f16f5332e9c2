//! Slips of a hand in spec files: a word for another, a line or a document that is gone or there twice.

use crate::random::Random;
use crate::varied::Files;

/// The files with one to three slips. Words come from the files themselves, so that many of the results are valid.
#[must_use]
pub fn mutated(files: &Files, random: &mut Random) -> Files {
    let mut files = files.clone();
    let words: Vec<String> = files.iter().flat_map(|(_, text)| words(text)).map(|(_, word)| word).collect();
    for _ in 0..1 + random.below(3) {
        let at = random.below(files.len());
        let Some((_, text)) = files.get_mut(at) else { continue };
        *text = match random.below(8) {
            0 => without_line(text, random),
            1 => twice_line(text, random),
            2 => without_document(text, random),
            _ => other_word(text, &words, random),
        };
    }
    files
}

/// Words and where they begin: what stands between blanks, quotes, commas and brackets.
fn words(text: &str) -> Vec<(usize, String)> {
    let apart = |c: char| c.is_whitespace() || "\"',:[]{}#".contains(c);
    let mut found = Vec::new();
    let mut at = 0;
    for part in text.split_inclusive(apart) {
        let word = part.trim_end_matches(apart);
        if !word.is_empty() {
            found.push((at, word.to_owned()));
        }
        at += part.len();
    }
    found
}

fn other_word(text: &str, pool: &[String], random: &mut Random) -> String {
    let words = words(text);
    let Some((at, old)) = random.one(&words) else { return text.to_owned() };
    // A number for a number and a name for a name, mostly.
    let number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let alike: Vec<&String> =
        pool.iter().filter(|word| number(word) == number(old) && *word != old).collect();
    let new = if random.chance(5) { random.one(pool) } else { random.one(&alike).copied() };
    let Some(new) = new else { return text.to_owned() };
    let (before, rest) = text.split_at(*at);
    format!("{before}{new}{}", rest.strip_prefix(old.as_str()).unwrap_or(rest))
}

fn without_line(text: &str, random: &mut Random) -> String {
    let gone = random.below(text.lines().count());
    let kept = text.split_inclusive('\n').enumerate().filter(|(n, _)| *n != gone);
    kept.map(|(_, line)| line).collect()
}

fn twice_line(text: &str, random: &mut Random) -> String {
    let twice = random.below(text.lines().count());
    let lines = text.split_inclusive('\n').enumerate();
    lines.flat_map(|(n, line)| std::iter::repeat_n(line, if n == twice { 2 } else { 1 })).collect()
}

fn without_document(text: &str, random: &mut Random) -> String {
    let documents: Vec<&str> = text.split("\n---\n").collect();
    let gone = random.below(documents.len());
    let kept = documents.iter().enumerate().filter(|(n, _)| *n != gone).map(|(_, document)| *document);
    format!("{}\n", kept.collect::<Vec<_>>().join("\n---\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_change_something_and_repeat_themselves() {
        let files: Files =
            vec![("a.yaml".to_owned(), "kind: Mesh\nname: a\n---\nkind: Service\nname: b\n".to_owned())];
        let of = |seed| mutated(&files, &mut Random::new(seed));
        let changed = (0..100).filter(|seed| of(*seed) != files).count();
        assert!(changed > 80, "{changed} of 100");
        assert_eq!(of(3), of(3));
    }
}
