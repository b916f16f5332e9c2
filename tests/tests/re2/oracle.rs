//! RE2 itself, asked through Python.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Its interpreter, which `ci/setup test` makes; `None` where it was not run.
pub(crate) fn interpreter() -> Option<PathBuf> {
    let python = mesh_tests::top().join(".tools/re2/bin/python");
    python.exists().then_some(python)
}

/// What RE2 says of one pattern.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its reason, if it refuses the pattern.
    pub(crate) refused: Option<String>,
    /// For each text: it has a match somewhere.
    pub(crate) search: Vec<bool>,
    /// For each text: the whole of it matches.
    pub(crate) whole: Vec<bool>,
    /// The parts of the text that match, where those were asked for.
    pub(crate) found: Vec<String>,
}

/// Patterns, each with texts.
pub(crate) fn ask<'p>(python: &Path, cases: impl Iterator<Item = (&'p str, &'p [String])>) -> Vec<Answer> {
    answers(python, cases.map(|(pattern, texts)| json!({"pattern": pattern, "texts": texts})).collect())
}

/// Patterns, of which all matches in one text are wanted.
pub(crate) fn find(python: &Path, patterns: &[String], text: &str) -> Vec<Answer> {
    answers(python, patterns.iter().map(|pattern| json!({"pattern": pattern, "find": text})).collect())
}

fn answers(python: &Path, asked: Vec<Value>) -> Vec<Answer> {
    let script = mesh_tests::top().join("tests/tests/re2/oracle.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut input = child.stdin.take().expect("its input");
    let count = asked.len();
    let writer = std::thread::spawn(move || {
        for line in asked {
            writeln!(input, "{line}").expect("python reads");
        }
    });
    let output = child.wait_with_output().expect("python answers");
    writer.join().expect("all was asked");
    assert!(output.status.success(), "the oracle fails");
    let text = String::from_utf8(output.stdout).expect("text");
    let answers: Vec<Answer> = text.lines().map(answer).collect();
    assert_eq!(answers.len(), count, "an answer a pattern");
    answers
}

fn answer(line: &str) -> Answer {
    let line: Value = serde_json::from_str(line).expect("JSON");
    let list = |key: &str| line[key].as_array().cloned().unwrap_or_default();
    let bools = |key: &str| list(key).iter().filter_map(Value::as_bool).collect();
    Answer {
        refused: line["refused"].as_str().map(str::to_owned),
        search: bools("search"),
        whole: bools("whole"),
        found: list("found").iter().filter_map(|text| Some(text.as_str()?.to_owned())).collect(),
    }
}
