//! RE2's syntax of regular expressions (github.com/google/re2/wiki/Syntax), as far as proxies read it the same.
//!
//! Proxies run another engine, whose syntax takes more than RE2's, less, and some of it in another sense. What passes here
//! means one thing to both; everything else is refused in words, by the [`rules`]. Proxies do not ask again: a bundle keeps
//! the reading that it was accepted with.

mod broken;
mod class;
mod cursor;
pub(crate) mod elsewhere;
mod escape;
mod group;
pub mod rules;

use std::collections::BTreeSet;
use std::ops::Range;

use broken::{Broken, Checked};
use cursor::Cursor;
use group::Opened;
use mesh_decision::regex::{Pattern, RegexError};
use rules::Rule;

use crate::diag::quoted;

/// The most repetitions of one part: a count, times the counts around it (RE2's `kMaxRepeat`).
const MOST: u32 = 1000;

/// The fault of an expression, at its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Bytes of the expression.
    pub range: Range<usize>,
    /// The fault in one line: lowercase, no full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<&'static str>,
    /// The rule that it is against; none for what is not read at all or too large.
    pub rule: Option<&'static Rule>,
    /// Proxies cannot read the expression either; false where they would read it, otherwise than RE2 or alone.
    pub unreadable: bool,
}

/// Checks that RE2 and proxies take an expression, and take it for the same.
///
/// # Errors
/// The first [`Fault`] of its text; then that it is nested too deep for proxies, or compiles to more than they take.
pub fn check(text: &str) -> Result<(), Fault> {
    let read = Pattern::check(text);
    syntax(text).map_err(|fault| Fault { unreadable: read.is_err(), ..fault })?;
    read.map_err(|e| too_large(text, &e))
}

/// As [`check`], for an expression that takes a whole text.
///
/// # Errors
/// As [`check`].
pub fn check_whole(text: &str) -> Result<(), Fault> {
    let read = Pattern::whole(text);
    syntax(text).map_err(|fault| Fault { unreadable: read.is_err(), ..fault })?;
    read.map(drop).map_err(|e| too_large(text, &e))
}

/// Checks the syntax of an expression alone, in linear time.
///
/// # Errors
/// The first [`Fault`] of its text.
pub fn syntax(text: &str) -> Result<(), Fault> {
    Reader { cursor: Cursor::new(text), level: Level::default(), around: Vec::new(), names: BTreeSet::new() }
        .read()
        .map_err(|broken| fault(broken, text))
}

fn too_large(text: &str, error: &RegexError) -> Fault {
    let message = format!("the regular expression does not compile: {error}");
    Fault { range: 0..text.len(), message, help: None, rule: None, unreadable: true }
}

/// The words that break a rule, as a fault of their text.
fn fault(broken: Broken, text: &str) -> Fault {
    let words = quoted(text.get(broken.range.clone()).unwrap_or(text));
    let rule = broken.rule;
    Fault {
        range: broken.range,
        message: format!("{} {words}: {}", rule.verdict.words(), rule.what),
        help: Some(rule.help),
        rule: Some(rule),
        unreadable: false,
    }
}

struct Reader<'t> {
    cursor: Cursor<'t>,
    level: Level,
    /// The groups that are open, from the outermost, each with what is around it.
    around: Vec<(usize, Level)>,
    /// Names of groups.
    names: BTreeSet<&'t str>,
}

/// One nesting of groups.
#[derive(Default)]
struct Level {
    /// What a repetition would repeat; none at the start and after `|`.
    last: Option<Piece>,
    /// Flags were read since.
    flags: bool,
    /// The most times that a part of it is repeated.
    times: u32,
}

struct Piece {
    /// Where it begins.
    at: usize,
    /// The most times that a part of it is repeated.
    times: u32,
    /// It is a repetition already.
    repeated: bool,
}

impl Reader<'_> {
    fn read(mut self) -> Checked {
        loop {
            let at = self.cursor.at();
            let Some(c) = self.cursor.next() else { break };
            match c {
                '(' => match group::open(&mut self.cursor, &mut self.names, at)? {
                    Opened::Group => self.around.push((at, std::mem::take(&mut self.level))),
                    Opened::Flags => self.level.flags = true,
                },
                ')' => self.close(at)?,
                '|' => self.level.last = None,
                '*' | '+' | '?' => self.repeat(at, None)?,
                '{' => match counts(&mut self.cursor, at)? {
                    Some(counts) => self.repeat(at, Some(counts))?,
                    None => return Err(Broken::new(&rules::BRACE, at..at + 1)),
                },
                '[' => {
                    class::read(&mut self.cursor, at)?;
                    self.piece(at, 1);
                }
                '\\' => {
                    escape::outside(&mut self.cursor, at)?;
                    self.piece(at, 1);
                }
                _ => self.piece(at, 1),
            }
        }
        match self.around.last() {
            Some((at, _)) => Err(Broken::new(&rules::OPEN_GROUP, *at..at + 1)),
            None => Ok(()),
        }
    }

    fn piece(&mut self, at: usize, times: u32) {
        self.level.times = self.level.times.max(times);
        self.level.last = Some(Piece { at, times, repeated: false });
        self.level.flags = false;
    }

    fn close(&mut self, at: usize) -> Checked {
        let (open, around) = self.around.pop().ok_or(Broken::new(&rules::CLOSED, at..at + 1))?;
        let inner = std::mem::replace(&mut self.level, around);
        self.piece(open, inner.times.max(1));
        Ok(())
    }

    /// A repetition that begins at `at`, and has just been read but for a `?`.
    fn repeat(&mut self, at: usize, counts: Option<Counts>) -> Checked {
        self.cursor.eat('?');
        let all = at..self.cursor.at();
        let last = self.level.last.as_mut().ok_or(Broken::new(&rules::NOTHING, all.clone()))?;
        if self.level.flags {
            return Err(Broken::new(&rules::AFTER_FLAGS, all));
        }
        if last.repeated {
            return Err(Broken::new(&rules::REPEATED, last.at..all.end));
        }
        last.repeated = true;
        if let Some(Counts { least, most }) = counts {
            // RE2 counts an open repetition by its least number, and none by nothing.
            last.times = last.times.saturating_mul(most.unwrap_or(least).max(1));
            if last.times > MOST && (least >= 2 || most.is_some_and(|most| most >= 2)) {
                return Err(Broken::new(&rules::TOO_OFTEN, last.at..all.end));
            }
            self.level.times = self.level.times.max(last.times);
        }
        Ok(())
    }
}

/// `{least}`, `{least,}` or `{least,most}`.
struct Counts {
    least: u32,
    most: Option<u32>,
}

/// Reads what follows a `{`; `None` where that is no repetition.
fn counts(cursor: &mut Cursor<'_>, at: usize) -> Checked<Option<Counts>> {
    let Some(least) = cursor.number() else { return Ok(None) };
    let most = match cursor.eat(',') {
        true => cursor.number(),
        false => Some(least),
    };
    if !cursor.eat('}') {
        return Ok(None);
    }
    let range = at..cursor.at();
    if least > MOST || most.is_some_and(|most| most > MOST) {
        return Err(Broken::new(&rules::TOO_OFTEN, range));
    }
    if most.is_some_and(|most| most < least) {
        return Err(Broken::new(&rules::BACKWARDS, range));
    }
    Ok(Some(Counts { least, most }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_read_the_same_passes() {
        let good = [
            "",
            "|",
            "a||b",
            "()",
            "(?:)*",
            "^*$+",
            r"\b{2}\B?",
            "a{2}?b{0,}c{300}",
            "(a{10}){10}",
            "]}",
            "[]a]",
            "[^]a-]",
            "[-a-z]",
            "[a-b-c]",
            "[[:alpha:][:^digit:]-z]",
            r"[\]\[\-\^\w&~\x{1F600}-\x{1F64F}é-ü]",
            "(?i)a(?-i:b)(?s-U)(?P<n>c)(?<m_1>d)",
            r"\x41\x{0000041}\a\f\n\r\t\v\.\_\ \/\A\z\d\D\s\S\w\W",
        ];
        for text in good {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        // Not too often for RE2, though too large for proxies.
        for text in ["a{1000}", "(a{100}){10}", "(a{2,}){500}", "(a{1000}){0,1}"] {
            assert_eq!(syntax(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn every_rule_refuses_its_example_at_its_words() {
        for rule in rules::ALL {
            let fault = syntax(rule.example).unwrap_err();
            assert_eq!(fault.rule, Some(*rule), "{}: {fault:?}", rule.example);
        }
        let at = |text: &str| {
            let fault = check(text).unwrap_err();
            text.get(fault.range).unwrap().to_owned()
        };
        for (text, words) in [
            ("^/x[a&&b]$", "&&"),
            ("a[b[c]]", "["),
            (r"^\<b\>$", r"\<"),
            (r"\b{start}", "{"),
            ("x(?x)y", "(?x"),
            ("ba++", "a++"),
            ("(ab){2}{3}", "(ab){2}{3}"),
            ("x(a{500}){3}", "(a{500}){3}"),
            ("a{1,1001}", "{1,1001}"),
            ("[[:foo:]]", "[:foo:]"),
            (r"a\1", r"\1"),
            ("a(b", "("),
            ("[!--]", "--"),
            (r"é\pL", r"\p"),
        ] {
            assert_eq!(at(text), words, "{text}");
        }
    }

    #[test]
    fn what_is_too_large_is_refused_as_a_whole() {
        let fault = check("((a{1,10}){1,10}){1,10}.{900}.{900}").unwrap_err();
        assert!(fault.message.contains("more than") && fault.rule.is_none(), "{fault:?}");
        assert!(check(&format!("{}a{}", "(".repeat(120), ")".repeat(120))).is_err());
    }
}
