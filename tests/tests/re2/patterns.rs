//! Patterns of RE2's grammar, each with a text that it may match: written as people do, with the rarer forms now and then;
//! and mutants of them, most of which RE2 refuses or reads in a sense of its own.

use mesh_tests::random::Random;

/// Characters of patterns and texts: ASCII that means something somewhere, letters whose case folds across ASCII's border
/// (U+017F, U+212A), or to several others, and characters of two, three and four bytes.
const CHARACTERS: &[char] = &[
    'a',
    'b',
    'c',
    'k',
    's',
    'x',
    'A',
    'K',
    'S',
    'Z',
    '0',
    '1',
    '9',
    '_',
    '-',
    '/',
    ':',
    ' ',
    '&',
    '~',
    '<',
    '>',
    ',',
    '=',
    '\t',
    '\n',
    '\u{b}',
    '\r',
    '\u{0}',
    '\u{7f}',
    'é',
    'É',
    'ß',
    'ẞ',
    'ſ',
    '\u{212a}',
    'µ',
    'μ',
    'σ',
    'ς',
    'Σ',
    'İ',
    'ı',
    'ǅ',
    '日',
    '\u{2028}',
    '😀',
    '\u{10ffff}',
];

/// Characters that mean something to RE2.
const SPECIAL: &[char] = &['.', '*', '+', '?', '(', ')', '[', ']', '{', '}', '|', '^', '$', '\\'];

/// What mutants get in.
const FRAGMENTS: &[&str] = &[
    "&&",
    "--",
    "~~",
    "[",
    "]",
    "[b]",
    "[^",
    "]]",
    "\\<",
    "\\>",
    "\\b{start}",
    "\\b{end-half}",
    "{",
    "}",
    "{2}",
    "{2}{3}",
    "{,3}",
    "{01,3}",
    "{1001}",
    "{1000}",
    "{ 2 }",
    "{3,2}",
    "(?x)",
    "(?R)",
    "(?u)",
    "(?-u)",
    "(?i",
    "(?i)",
    "(?ii)",
    "(?s-s:",
    "(?)",
    "(?-)",
    "(?:",
    "(?=",
    "(?<!",
    "(?P<n>",
    "(?<n>",
    "(?P<a.b>",
    "(?P>n)",
    "++",
    "**",
    "??",
    "+",
    "*",
    "?",
    "|",
    "(",
    ")",
    "()",
    "\\",
    "\\1",
    "\\0",
    "\\012",
    "\\x4",
    "\\x{}",
    "\\x{D800}",
    "\\x{110000}",
    "\\pL",
    "\\p{Greek}",
    "\\PN",
    "\\C",
    "\\Q",
    "\\E",
    "\\Q*\\E",
    "\\Z",
    "\\z",
    "\\A",
    "\\e",
    "\\u0041",
    "\\h",
    "\\é",
    "\\ ",
    "\\_",
    "[[:foo:]]",
    "[:alpha:]",
    "[[:alpha:]-z]",
    "[\\d-z]",
    "[a-\\d]",
    "[!--]",
    "[[.x.]]",
    "[^\\x00-\\x{10FFFF}]",
    "[]",
    "[]a]",
    "[^]a]",
    "#",
    "-",
    "^",
    "$",
    ".",
];

/// A pattern and a text.
pub(crate) struct Case {
    pub(crate) pattern: String,
    /// A text that it matches, unless anchors and edges of words are in the way.
    pub(crate) text: String,
}

/// A pattern of the grammar.
pub(crate) fn written(random: &mut Random) -> Case {
    let mut case = Case { pattern: String::new(), text: String::new() };
    if random.chance(6) {
        case.pattern.push_str(pick(random, &["(?i)", "(?i)", "(?s)", "(?m)", "(?U)", "(?im)", "(?s-i)"]));
    }
    if random.chance(3) {
        case.pattern.push('^');
    }
    either(random, &mut case, 3);
    if random.chance(3) {
        case.pattern.push('$');
    }
    case
}

/// A pattern of the grammar with one to three fragments put in, or parts taken out.
pub(crate) fn mutant(random: &mut Random) -> Case {
    let mut case = written(random);
    for _ in 0..=random.below(3) {
        let mut pattern: Vec<char> = case.pattern.chars().collect();
        let at = random.below(pattern.len() + 1);
        if random.chance(4) && at < pattern.len() {
            pattern.remove(at);
        } else {
            pattern.splice(at..at, pick(random, FRAGMENTS).chars());
        }
        case.pattern = pattern.into_iter().collect();
    }
    case
}

/// Texts for a case: its own, others near it, and any.
pub(crate) fn texts(random: &mut Random, case: &Case, count: usize) -> Vec<String> {
    let mut texts = vec![case.text.clone(), String::new()];
    while texts.len() < count {
        let mut text: Vec<char> = if random.chance(4) { Vec::new() } else { case.text.chars().collect() };
        for _ in 0..=random.below(3) {
            let at = random.below(text.len() + 1);
            match random.below(4) {
                0 if at < text.len() => drop(text.remove(at)),
                1 if at < text.len() => text[at] = other_case(random, text[at]),
                _ => text.insert(at, character(random)),
            }
        }
        texts.push(text.into_iter().collect());
    }
    texts
}

fn either(random: &mut Random, case: &mut Case, depth: usize) {
    let count = if random.chance(4) { 1 + random.below(3) } else { 1 };
    let chosen = random.below(count);
    for index in 0..count {
        if index > 0 {
            case.pattern.push('|');
        }
        let mut branch = Case { pattern: String::new(), text: String::new() };
        for _ in 0..random.below(5) {
            repeated(random, &mut branch, depth);
        }
        case.pattern.push_str(&branch.pattern);
        if index == chosen {
            case.text.push_str(&branch.text);
        }
    }
}

/// A part, often repeated.
fn repeated(random: &mut Random, case: &mut Case, depth: usize) {
    let mut part = Case { pattern: String::new(), text: String::new() };
    piece(random, &mut part, depth);
    case.pattern.push_str(&part.pattern);
    let times = match random.below(12) {
        0 => repeat(random, case, "*", 0, 3),
        1 => repeat(random, case, "+", 1, 3),
        2 => repeat(random, case, "?", 0, 1),
        3 => {
            let least = random.below(4);
            let most = least + random.below(3);
            let word = match random.below(3) {
                0 => format!("{{{least}}}"),
                1 => format!("{{{least},}}"),
                _ => format!("{{{least},{most}}}"),
            };
            repeat(random, case, &word, least, if word.contains(',') { most } else { least })
        }
        _ => 1,
    };
    case.text.push_str(&part.text.repeat(times));
}

fn repeat(random: &mut Random, case: &mut Case, word: &str, least: usize, most: usize) -> usize {
    case.pattern.push_str(word);
    if random.chance(6) {
        case.pattern.push('?');
    }
    least + random.below(most + 1 - least)
}

fn piece(random: &mut Random, case: &mut Case, depth: usize) {
    let (pattern, text): (String, String) = match random.below(40) {
        0..=2 => class(random),
        3..=4 => (".".into(), character(random).into()),
        5..=6 => of_ascii(random),
        7 => (pick(random, &["\\b", "\\B", "^", "$", "\\A", "\\z"]).into(), String::new()),
        8 => escaped(random),
        9..=12 if depth > 0 => {
            let open = ["(", "(", "(?:", "(?i:", "(?s:", "(?-i:", "(?m:", "(?P<name>", "(?<other>", "(?U-s:"];
            let open = pick(random, &open);
            // A name stands once in a pattern.
            let open = if open.ends_with('>') && depth < 3 { "(" } else { open };
            let mut inner = Case { pattern: String::new(), text: String::new() };
            either(random, &mut inner, depth - 1);
            (format!("{open}{})", inner.pattern), inner.text)
        }
        13 if random.chance(4) => (pick(random, &["(?i)", "(?-i)", "(?s)", "(?m)"]).into(), String::new()),
        14 if random.chance(12) => rare(random),
        _ => {
            let c = character(random);
            (c.to_string(), if random.chance(5) { other_case(random, c) } else { c }.to_string())
        }
    };
    case.pattern.push_str(&pattern);
    case.text.push_str(&text);
}

/// Forms that RE2 takes and proxies do not, as seldom as people write them.
fn rare(random: &mut Random) -> (String, String) {
    let forms = [
        ("\\pL", "é"),
        ("\\p{Greek}", "σ"),
        ("\\PN", "a"),
        ("\\Q.*\\E", ".*"),
        ("\\C", "a"),
        ("\\012", "\n"),
        ("a{b}", "a{b}"),
    ];
    let (pattern, text) = forms[random.below(forms.len())];
    (pattern.into(), text.into())
}

fn escaped(random: &mut Random) -> (String, String) {
    match random.below(4) {
        0 => {
            let c = character(random);
            (format!("\\x{{{:X}}}", u32::from(c)), c.into())
        }
        1 => {
            let escapes = [
                ("\\n", "\n"),
                ("\\t", "\t"),
                ("\\r", "\r"),
                ("\\f", "\u{c}"),
                ("\\v", "\u{b}"),
                ("\\a", "\u{7}"),
                ("\\x41", "A"),
                ("\\-", "-"),
                ("\\/", "/"),
                ("\\_", "_"),
                ("\\ ", " "),
                ("\\&", "&"),
                ("\\~", "~"),
            ];
            let (pattern, text) = escapes[random.below(escapes.len())];
            (pattern.into(), text.into())
        }
        _ => {
            let c = *random.one(SPECIAL).expect("some");
            (format!("\\{c}"), c.into())
        }
    }
}

/// A class of ASCII by its letter or name.
fn of_ascii(random: &mut Random) -> (String, String) {
    let classes = [
        ("\\d", "7"),
        ("\\D", "é"),
        ("\\w", "_"),
        ("\\W", "日"),
        ("\\s", "\t"),
        ("\\S", "\u{b}"),
        ("[[:alpha:]]", "k"),
        ("[[:^alpha:]]", "ſ"),
        ("[^[:print:]]", "\u{7f}"),
        ("[[:space:]]", "\u{b}"),
        ("[[:word:]]", "S"),
        ("[[:upper:]]", "K"),
        ("[[:^lower:]]", "\u{212a}"),
        ("[\\d\\s]", " "),
        ("[^\\W]", "a"),
        ("[^\\D\\d]", ""),
    ];
    let (pattern, text) = classes[random.below(classes.len())];
    (pattern.into(), text.into())
}

fn class(random: &mut Random) -> (String, String) {
    let mut pattern = String::from(if random.chance(4) { "[^" } else { "[" });
    let mut member = String::new();
    for index in 0..=random.below(4) {
        let c = character(random);
        member = c.into();
        match random.below(8) {
            0 => {
                let high = char::from_u32(u32::from(c).saturating_add(7))
                    .filter(|h| !SPECIAL.contains(h) && !"-&~".contains(*h));
                pattern.push_str(&format!("\\x{{{:x}}}-{}", u32::from(c), high.unwrap_or('\u{10ffff}')));
            }
            1 => pattern.push_str(pick(random, &["a-f", "A-Z", "0-9", "é-ü", "!-/", " -~", "k-\\x{212A}"])),
            2 => {
                pattern
                    .push_str(pick(random, &["\\d", "\\W", "\\s", "[:alpha:]", "[:^digit:]", "[:punct:]"]));
            }
            3 => pattern
                .push_str(pick(random, &["\\-", "\\]", "\\[", "\\^", "\\\\", ".", "$", "*", "(", "|", "{"])),
            // Where it means a range, or an operator of sets, is for mutants.
            _ if matches!(c, '-' | '&' | '~') => pattern.push_str(&format!("\\{c}")),
            _ if index == 0 && random.chance(20) => pattern.push(']'),
            _ => pattern.push(c),
        }
    }
    if random.chance(10) {
        pattern.push('-');
    }
    (pattern + "]", member)
}

fn character(random: &mut Random) -> char {
    // The first ones, and letters, are what most patterns are made of.
    let among = if random.chance(3) { CHARACTERS } else { &CHARACTERS[..16] };
    among[random.below(among.len())]
}

fn other_case(random: &mut Random, c: char) -> char {
    let folds = ["kK\u{212a}", "sSſ", "ßẞ", "µμΜ", "σςΣ", "éÉ", "ǆǅǄ", "iIİı"];
    let orbit = folds.into_iter().find(|orbit| orbit.contains(c));
    let others: Vec<char> = match orbit {
        Some(orbit) => orbit.chars().collect(),
        None => c.to_lowercase().chain(c.to_uppercase()).collect(),
    };
    others[random.below(others.len())]
}

fn pick<'w>(random: &mut Random, words: &[&'w str]) -> &'w str {
    words[random.below(words.len())]
}
