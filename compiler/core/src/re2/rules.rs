//! Every kind of expression that is refused, with an example and what to write instead. `docs/spec.md` lists them, and
//! tests ask RE2 for its verdict on each.

/// What RE2 does with the example of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// RE2 refuses it.
    Refused,
    /// RE2 and proxies take it for different things.
    Otherwise,
    /// RE2 takes it, proxies do not.
    Absent,
}

impl Verdict {
    /// The beginning of a finding.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Refused => "RE2 refuses",
            Self::Otherwise => "RE2 reads otherwise than proxies",
            Self::Absent => "proxies do not take",
        }
    }
}

/// One kind of expression that is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// What RE2 does with the example.
    pub verdict: Verdict,
    /// A whole expression that is refused for this.
    pub example: &'static str,
    /// The reason in one line.
    pub what: &'static str,
    /// What to write instead.
    pub help: &'static str,
}

/// Defines the rules, and the list of all.
macro_rules! rules {
    ($($NAME:ident: $verdict:ident $example:literal, $what:literal, $help:literal;)*) => {
        $(pub(super) const $NAME: Rule =
            Rule { verdict: Verdict::$verdict, example: $example, what: $what, help: $help };)*

        /// All rules, as the documentation lists them.
        pub const ALL: &[&Rule] = &[$(&$NAME),*];
    };
}

rules! {
    SET_OPERATOR: Otherwise "[a&&b]", "characters to the one, an operator of sets to the others",
        "escape the second character, as in `[a&\\&b]`";
    NESTED: Otherwise "[a[b]]", "a character to the one, a class inside of the class to the others",
        "write `\\[` for the character";
    BRACKET_RANGE: Otherwise "[]-a]", "a range to the one, three characters to the others",
        "write `\\]` for the character";
    EDGE: Otherwise "\\<a\\>", "a character to the one, the edge of a word to the others",
        "write `<` or `>` for the character, `\\b` for the edge";
    BRACE: Otherwise "\\b{start}", "it begins no repetition, so it is a character to the one, and none to the others",
        "write `\\{` for the character; a repetition is `{2}`, `{2,}` or `{2,5}`, without blanks and leading zeros";
    FLAG: Refused "(?x)a", "there are the flags `i`, `m`, `s` and `U`, and after `-` one is due",
        "leave the flag out";
    GROUP: Refused "a(?=b)", "look-around, atomic groups, comments and references have no bound on their time or no use",
        "say what is to match, in a rule before this one if need be";
    NAME: Refused "(?P<a.b>c)", "the name of a group is made of letters, digits and `_`",
        "write `(?P<name>...)`, or `(?:...)` for a group without a name";
    REPEATED: Refused "a{2}{3}", "a repetition is repeated",
        "put the inner one in a group, as in `(?:a{2}){3}`";
    NOTHING: Refused "*a", "there is nothing that it could repeat",
        "write `\\*` for the character, `.*` for any text";
    TOO_OFTEN: Refused "a{1001}", "a part is repeated at most 1,000 times, counts inside of each other multiplied",
        "repeat it less often, or without a bound";
    BACKWARDS: Refused "a{2,1}", "the least number is above the most", "write the smaller number first";
    RANGE_BACKWARDS: Refused "[b-a]", "the range runs backwards", "write the lower end first, or `\\-` for the character";
    RANGE_TO_CLASS: Refused "[a-\\d]", "a range ends in a class", "write `\\-` for the character";
    CLASS_NAME: Refused "[[:foo:]]", "there is no class of this name",
        "names: alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, punct, space, upper, word, xdigit";
    OPEN_CLASS: Refused "[a", "the class has no end", "write `]` at its end, or `\\[` for the character";
    OPEN_GROUP: Refused "(a", "the group has no end", "write `)` at its end, or `\\(` for the character";
    CLOSED: Refused "a)", "no group is open", "write `\\)` for the character";
    REFERENCE: Refused "(a)\\1", "a reference to a group has no bound on its time", "say what is to match";
    ESCAPE: Refused "a\\Z", "there is no such escape", "write a character as itself or `\\x{...}`, the end of the text `\\z`";
    HEX: Refused "\\x4", "a number of a character is two hexadecimal digits, or up to 10FFFF in braces",
        "write `\\x0A` or `\\x{1F600}`";
    TRAILING: Refused "a\\", "nothing follows the `\\`", "write `\\\\` for the character";
    BYTE: Absent "\\C", "it is one byte, which may be a part of a character", "write `.` for a character, `(?s:.)` for any at all";
    QUOTE: Absent "\\Qa.b\\E", "characters are escaped one by one", "escape each character, as in `a\\.b`";
    UNICODE: Absent "\\pL", "the tables of Unicode are not in every proxy", "write the ranges that are meant, or a class such as `[[:alpha:]]`";
    OCTAL: Absent "\\012", "numbers of characters are hexadecimal", "write `\\x0A`";
    SURROGATE: Absent "\\x{D800}", "no text has half of a surrogate pair", "write the whole character";
    RANGE_OF_CLASS: Absent "[\\d-z]", "a `-` after a class may be a range that was meant", "write `\\-` for the character";
    AFTER_FLAGS: Absent "a(?i)*", "flags stand between it and what it repeats", "write the flags first, or after it";
    FLAG_TWICE: Absent "(?i-i)", "a flag is said twice", "say it once";
    NO_FLAGS: Absent "(?)", "it has no flags", "leave it out, or write `(?:)`";
    PLAIN_NAME: Absent "(?P<é>a)", "a name begins with a letter of ASCII or `_`, and goes on with those and digits",
        "rename the group, or write `(?:...)`";
    NAME_TWICE: Absent "(?P<n>a)(?P<n>b)", "two groups have one name", "rename one, or write `(?:...)`";
}

/// The rules as a table in Markdown.
#[must_use]
pub fn table() -> String {
    let mut out = String::from("| refused | RE2 | because | instead |\n|---|---|---|---|\n");
    let cell = |text: &str| text.replace('|', "\\|");
    for rule in ALL {
        let verdict = match rule.verdict {
            Verdict::Refused => "refuses it",
            Verdict::Otherwise => "reads it otherwise",
            Verdict::Absent => "takes it",
        };
        let row =
            format!("| `{}` | {verdict} | {} | {} |\n", cell(rule.example), cell(rule.what), cell(rule.help));
        out.push_str(&row);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn docs_are_written() {
        crate::tests::page_is_written("docs/spec.md", &[("regular expressions", super::table())]);
    }
}
