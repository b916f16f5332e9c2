//! The shop, broken in one place in a thousand ways: after its repair it is the program that it was, or a finding stays. A
//! second repair changes nothing.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test cuts ASCII texts and fails by panicking"
)]

use std::ops::Range;
use std::path::Path;

use mesh_bundle::Program;
use mesh_compiler::diag::Severity;
use mesh_compiler::plan::plan;
use mesh_compiler::repair::{Repaired, repair};
use mesh_compiler::{Compiled, Options, compile};
use mesh_tests::random::Random;
use mesh_tests::{full, top};

type Files = Vec<(String, Vec<u8>)>;

#[test]
fn a_repair_gives_back_what_was_broken_or_leaves_the_finding() {
    let shop = shop();
    let original = compiled(&shop);
    assert!(!original.findings.has_errors(), "the shop has no errors");
    let mut random = Random::new(11);
    let (mut broken, mut repaired, mut tried) = (0, 0, 0);
    let cases = if full() { 1_000 } else { 120 };
    while broken < cases {
        tried += 1;
        assert!(tried < 20 * cases, "most ways to break the shop do not: {broken} of {tried}");
        let Some((files, how)) = broken_once(&shop, &mut random) else { continue };
        let before = compiled(&files);
        // What is still a mesh may be what somebody meant.
        if !before.findings.has_errors() {
            assert_eq!(
                repair(&files, &Options::default()),
                Repaired::default(),
                "{how}: no error, but repaired"
            );
            continue;
        }
        broken += 1;
        let fixed = repair(&files, &Options::default());
        let after = with(&files, &fixed);
        assert_eq!(
            repair(&after, &Options::default()),
            Repaired::default(),
            "{how}: a second repair changes it"
        );
        let judged = compiled(&after);
        if fixed.findings == 0 || judged.findings.has_errors() {
            continue;
        }
        repaired += 1;
        let difference = differs(&original, &judged);
        assert!(difference.is_none(), "{how}: repaired to another mesh: {difference:?}\n{:#?}", fixed.files);
    }
    // A test that repairs nothing shows nothing.
    assert!(repaired * 8 > broken, "{repaired} of {broken} were repaired");
}

fn compiled(files: &Files) -> Compiled {
    compile(files.clone(), &Options::default())
}

fn with(files: &Files, fixed: &Repaired) -> Files {
    let text = |path: &String, bytes: &Vec<u8>| {
        fixed.files.get(path).map_or_else(|| bytes.clone(), |text| text.clone().into_bytes())
    };
    files.iter().map(|(path, bytes)| (path.clone(), text(path, bytes))).collect()
}

/// The first environment whose program is another one.
fn differs(a: &Compiled, b: &Compiled) -> Option<String> {
    let program = |compiled: &Compiled, name: &str| -> Option<Program> {
        compiled.environments.iter().find(|e| e.name.as_str() == name).map(|e| e.program.clone())
    };
    a.environments.iter().find_map(|environment| {
        let name = environment.name.as_str();
        let plan = plan(Some(&environment.program), program(b, name).as_ref()).unwrap();
        (!plan.is_empty()).then(|| format!("{name}: {:?}", plan.objects))
    })
}

fn shop() -> Files {
    fn read(folder: &Path, prefix: &str, files: &mut Files) {
        let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                read(&entry.path(), &format!("{name}/"), files);
            } else if name.ends_with(".yaml") {
                files.push((name, std::fs::read(entry.path()).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    read(&top().join("examples/shop"), "", &mut files);
    files
}

/// The files with one mistake, and what it is; `None` where the chosen one cannot be made.
fn broken_once(files: &Files, random: &mut Random) -> Option<(Files, String)> {
    let at = random.below(files.len());
    let (path, bytes) = files.get(at)?;
    let text = String::from_utf8(bytes.clone()).ok().filter(|text| text.is_ascii())?;
    let (place, written) = mistake(&text, random)?;
    let was = text.get(place.clone())?.to_owned();
    let line = text.get(..place.start)?.matches('\n').count() + 1;
    let mut broken = text.clone();
    broken.replace_range(place, &written);
    let mut files = files.clone();
    *files.get_mut(at)? = (path.clone(), broken.into_bytes());
    Some((files, format!("{path}:{line}: `{was}` became `{written}`")))
}

/// A place of the text, and what stands there by mistake.
fn mistake(text: &str, random: &mut Random) -> Option<(Range<usize>, String)> {
    match random.below(8) {
        0 | 1 => typo(text, random),
        2 => unit_dropped(text, random),
        3 => other_case(text, random),
        4 => punctuation(text, random),
        5 => wrong_type(text, random),
        6 => line_dropped(text, random),
        _ => operator(text, random),
    }
}

/// A letter dropped, doubled, swapped or replaced.
fn typo(text: &str, random: &mut Random) -> Option<(Range<usize>, String)> {
    let words = runs(text, |b| b.is_ascii_alphabetic());
    let word = random.one(&words).filter(|word| word.len() >= 3)?.clone();
    let at = word.start + random.below(word.len() - 1);
    let pair = &text[at..at + 2];
    let (a, b) = (&pair[..1], &pair[1..]);
    Some(match random.below(4) {
        0 => (at..at + 1, String::new()),
        1 => (at..at + 1, a.repeat(2)),
        2 => (at..at + 2, format!("{b}{a}")),
        _ => (at..at + 1, "x".to_owned()),
    })
}

/// `5s` becomes `5`, `10%` becomes `10`.
fn unit_dropped(text: &str, random: &mut Random) -> Option<(Range<usize>, String)> {
    let numbers = runs(text, |b| b.is_ascii_digit());
    let number = random.one(&numbers)?.clone();
    let rest = &text[number.end..];
    let unit = rest.find([' ', ',', '\n', '}', ']', '"']).unwrap_or(rest.len());
    (unit > 0 && unit <= 4).then(|| (number.end..number.end + unit, String::new()))
}

fn other_case(text: &str, random: &mut Random) -> Option<(Range<usize>, String)> {
    let words = runs(text, |b| b.is_ascii_alphabetic());
    let word = random.one(&words)?.clone();
    let written = &text[word.clone()];
    let other = match random.below(3) {
        0 => written.to_ascii_uppercase(),
        1 => written.to_ascii_lowercase(),
        _ => format!("{}{}", written[..1].to_ascii_uppercase(), &written[1..]),
    };
    (other != written).then_some((word, other))
}

/// A dash for an underscore, a sign dropped, a comma for a point.
fn punctuation(text: &str, random: &mut Random) -> Option<(Range<usize>, String)> {
    let signs = runs(text, |b| b.is_ascii_punctuation());
    let sign = random.one(&signs)?.clone();
    let one = sign.start..sign.start + 1;
    let other = match &text[one.clone()] {
        "-" => "_",
        "_" => "-",
        "." => ",",
        ":" => "=",
        _ => "",
    };
    let other = if random.chance(3) { "" } else { other };
    Some((one, other.to_owned()))
}

/// A number in quotes, a text without, a value as a list of one.
fn wrong_type(text: &str, random: &mut Random) -> Option<(Range<usize>, String)> {
    let values: Vec<Range<usize>> = text
        .match_indices(": ")
        .map(|(at, _)| {
            let rest = &text[at + 2..];
            at + 2..at + 2 + rest.find([',', '\n', '}']).unwrap_or(rest.len())
        })
        .collect();
    let value = random.one(&values)?.clone();
    let written = text[value.clone()].trim().to_owned();
    let value = value.start..value.start + written.len();
    let bare = written.trim_matches(['"', '\'']);
    let other = match random.below(3) {
        0 if bare == written && !bare.is_empty() => format!("\"{bare}\""),
        1 if bare != written => bare.to_owned(),
        _ => format!("[{written}]"),
    };
    (!written.is_empty()).then_some((value, other))
}

fn line_dropped(text: &str, random: &mut Random) -> Option<(Range<usize>, String)> {
    let mut start = 0;
    let lines: Vec<Range<usize>> = text
        .split_inclusive('\n')
        .map(|line| {
            start += line.len();
            start - line.len()..start
        })
        .filter(|line| text[line.clone()].contains(": "))
        .collect();
    Some((random.one(&lines)?.clone(), String::new()))
}

/// An operator of another language in an expression.
fn operator(text: &str, random: &mut Random) -> Option<(Range<usize>, String)> {
    let (from, to) =
        *random.one(&[("==", "="), ("&&", "and"), ("||", "or"), ("!", "not "), (" in ", " IN ")])?;
    let places: Vec<usize> = text.match_indices(from).map(|(at, _)| at).collect();
    let at = *random.one(&places)?;
    Some((at..at + from.len(), to.to_owned()))
}

/// Runs of bytes of a kind, comments left out.
fn runs(text: &str, of: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut comment = false;
    for (at, b) in text.bytes().enumerate() {
        comment = b != b'\n' && (comment || b == b'#');
        if comment || !of(b) {
            continue;
        }
        match out.last_mut().filter(|run| run.end == at) {
            Some(run) => run.end = at + 1,
            None => out.push(at..at + 1),
        }
    }
    out
}

#[test]
fn the_repairs_of_this_test_are_judged() {
    // A unit that is guessed would be another mesh: the test must see it.
    let shop = shop();
    let original = compiled(&shop);
    let change = |path: &String, bytes: &Vec<u8>| {
        let text = String::from_utf8(bytes.clone()).unwrap().replace("timeout: 2s", "timeout: 3s");
        (path.clone(), text.into_bytes())
    };
    let other: Files = shop.iter().map(|(path, bytes)| change(path, bytes)).collect();
    assert!(other != shop, "the shop has a timeout of 2s");
    assert!(differs(&original, &compiled(&other)).is_some());
    assert!(compiled(&other).findings.count(Severity::Error) == 0);
}
