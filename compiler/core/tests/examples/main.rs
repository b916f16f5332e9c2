//! The examples of the table of codes: each `bad` one has the finding of its code, each `good` one has neither that nor
//! any error. They are compiled within `neighbours.yaml`.
//!
//! An example is one or more whole documents, or some fields of one: then its first field says of which
//! ([`FRAMES`]), and what the example leaves out comes from there. What is too large to be printed is abridged by `...`,
//! which [`abridged`] makes whole.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test reads goldens and fails by panicking"
)]

use std::path::Path;

use mesh_bundle::limits;
use mesh_compiler::diag::codes::{self, Code};
use mesh_compiler::diag::{Date, Diagnostics, Severity};
use mesh_compiler::{Options, compile};

const NEIGHBOURS: &str = include_str!("neighbours.yaml");

/// Findings about files on a disk; a golden case of the command line shows each.
const COMMAND_LINE: &[Code] = &[codes::TREE, codes::IGNORE_ELSEWHERE];

/// Findings about what git has on a disk; a test with a repository shows each.
const GIT: &[Code] = &[codes::SPARSE];

/// An object with a gap for an example.
struct Frame {
    /// First fields of the examples that it takes.
    fields: &'static [&'static str],
    /// All before the gap.
    before: &'static str,
    /// Fields in the gap that an example may leave out.
    rest: &'static str,
    /// The gap's indentation.
    indent: usize,
}

const CANARY: &str = "\
kind: Service
name: s
owner: team-a
port: 80
versions: [v1, v2]
callers: [web]
---
kind: Canary
service: s
";

const ANALYSIS: &str = "\
kind: Canary
service: orders
stable: v41
candidate: v42
stages: [{ weight: 5%, hold: 10m }]
analysis:
";

const FRAMES: &[Frame] = &[
    Frame {
        fields: &["gateways"],
        before: "kind: Mesh\n",
        rest: "name: shop\nversion: 1\ntrustDomain: shop.example\ntls: permissive\n",
        indent: 0,
    },
    Frame {
        fields: &["overrides", "discovery"],
        before: "kind: Environment\n",
        rest: "name: local\n",
        indent: 0,
    },
    Frame {
        fields: &["name", "port", "protocol", "labels", "description"],
        before: "kind: Service\n",
        rest: "name: s\nowner: team-a\nport: 80\ncallers: [web]\n",
        indent: 0,
    },
    Frame {
        fields: &["rules", "paths"],
        before: "kind: Route\nservice: a\n",
        rest: "rules: [{ name: all, to: a }]\n",
        indent: 0,
    },
    Frame {
        fields: &["to", "timeout", "match", "headers", "rewrite"],
        before: "kind: Route\nservice: a\nrules:\n  -\n",
        rest: "name: r\nmatch: { path: /a/* }\nto: a\n",
        indent: 4,
    },
    Frame {
        fields: &["respond"],
        before: "kind: Route\nservice: a\nrules:\n  -\n",
        rest: "name: r\nmatch: { path: /a/* }\n",
        indent: 4,
    },
    Frame {
        fields: &["path", "when"],
        before: "kind: Route\nservice: a\nrules:\n  - name: r\n    to: a\n    match:\n",
        rest: "",
        indent: 6,
    },
    Frame {
        fields: &["stages", "stable"],
        before: CANARY,
        rest: "stable: v1\ncandidate: v2\nstages: [{ weight: 5%, hold: 10m }]\n",
        indent: 0,
    },
    Frame { fields: &["metrics"], before: ANALYSIS, rest: "", indent: 2 },
    Frame { fields: &["limits"], before: "kind: Quota\nservice: a\n", rest: "", indent: 0 },
];

#[test]
fn every_bad_example_has_its_finding_and_every_good_one_no_error() {
    let mut wrong = Vec::new();
    let judged = codes::all().filter(|info| ![COMMAND_LINE, GIT].concat().contains(&info.code));
    for info in judged {
        let bad =
            findings(abridged(info.code, info.bad).unwrap_or_else(|| vec![framed(info.code, info.bad)]));
        if !bad.iter().any(|finding| finding.code == info.code) {
            wrong.push(format!("{}, bad: it has {bad:#?}\n{}", info.code, info.bad));
        }
        let good = findings(vec![framed(info.code, info.good)]);
        if good.iter().any(|finding| finding.code == info.code || finding.severity == Severity::Error) {
            wrong.push(format!("{}, good: it has {good:#?}\n{}", info.code, info.good));
        }
    }
    assert!(wrong.is_empty(), "{} examples are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_no_compilation_finds_is_shown_by_a_golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let cases: Vec<_> =
        std::fs::read_dir(folder).expect("goldens").map(|case| case.expect("a case")).collect();
    for code in COMMAND_LINE {
        let shown = |case: &std::fs::DirEntry| {
            std::fs::read_to_string(case.path().join("stdout"))
                .is_ok_and(|text| text.contains(&code.to_string()))
        };
        assert!(cases.iter().any(shown), "no golden shows {code}");
    }
    let tests = include_str!("../../../../tests/tests/git/setups.rs");
    for code in GIT {
        assert!(tests.contains(&code.to_string()), "no test with a repository shows {code}");
    }
}

/// What the mesh with these files beside the neighbours is told.
fn findings(files: Vec<Vec<u8>>) -> Diagnostics {
    let own: Vec<(String, String)> =
        files.iter().flat_map(|file| objects(&String::from_utf8_lossy(file))).collect();
    let is_free = |document: &&str| objects(document).iter().all(|object| !own.contains(object));
    let neighbours: Vec<&str> = NEIGHBOURS.split("---\n").filter(is_free).collect();
    let mut all = vec![("neighbours.yaml".to_owned(), neighbours.join("---\n").into_bytes())];
    all.extend(files.into_iter().enumerate().map(|(n, file)| (format!("example-{n}.yaml"), file)));
    let today = Date::parse("2026-11-29");
    assert!(today.is_some(), "the date of the check is one");
    compile(all, &Options { today, ..Options::default() }).findings
}

/// Kind and name of the objects of a text; a mesh has one Mesh, of whatever name.
fn objects(text: &str) -> Vec<(String, String)> {
    let of = |document: &str| {
        let value = |field: &str| document.lines().find_map(|line| line.strip_prefix(field));
        let kind = value("kind: ")?;
        let name = value("name: ").or_else(|| value("service: ")).filter(|_| kind != "Mesh");
        Some((kind.to_owned(), name.unwrap_or_default().to_owned()))
    };
    text.split("---\n").filter_map(of).collect()
}

/// An example as a file: as it is where it has documents, in its frame where it has fields.
fn framed(code: Code, example: &str) -> Vec<u8> {
    let of_an_object = |line: &str| line.starts_with("kind:") || line.starts_with("apiVersion:");
    let mut fields = example.lines().filter_map(|line| Some(line.split_once(':')?.0));
    let first = fields.find(|field| !field.starts_with([' ', '#']));
    let Some(first) = first.filter(|_| !example.lines().any(of_an_object)) else {
        return example.as_bytes().to_vec();
    };
    let Some(frame) = FRAMES.iter().find(|frame| frame.fields.contains(&first)) else {
        panic!("{code}: no frame takes `{first}`; write whole documents, or add it to FRAMES");
    };
    let mut file = frame.before.to_owned();
    let given: Vec<&str> = blocks(example).into_iter().map(field).collect();
    let around = blocks(frame.rest).into_iter().filter(|block| !given.contains(&field(block)));
    for line in around.chain([example]).flat_map(str::lines) {
        file += &format!("{:indent$}{line}\n", "", indent = frame.indent);
    }
    file.into_bytes()
}

/// A text as its fields, each with what is indented below it.
fn blocks(text: &str) -> Vec<&str> {
    let starts = text.match_indices('\n').map(|(at, _)| at + 1);
    let starts = starts.filter(|at| !text[*at..].starts_with([' ', '\t', '#']));
    let mut blocks = Vec::new();
    let mut begin = 0;
    for at in starts {
        blocks.push(&text[begin..at]);
        begin = at;
    }
    blocks
}

/// The name of the field that a block is.
fn field(block: &str) -> &str {
    block.split(':').next().unwrap_or_default()
}

/// The files of a bad example that is printed in part, or in another encoding.
fn abridged(code: Code, example: &str) -> Option<Vec<Vec<u8>>> {
    let filled = |filling: &str| {
        let (before, rest) = example.split_once("... ").expect("`... what is left out ...`");
        let (_, after) = rest.split_once(" ...").expect("`... what is left out ...`");
        vec![framed(code, &format!("{before}{filling}{after}"))]
    };
    match code {
        codes::ENCODING => {
            let text = example.encode_utf16().flat_map(u16::to_le_bytes);
            Some(vec![[0xff, 0xfe].into_iter().chain(text).collect()])
        }
        codes::LIMIT_FILE => {
            let last = example.lines().last().unwrap_or_default();
            Some(vec![
                format!("{example}{}", format!("{last}\n").repeat(limits::FILE_BYTES / last.len())).into(),
            ])
        }
        codes::LIMIT_TEXT => Some(filled(&"x".repeat(limits::SCALAR_BYTES + 1))),
        codes::LIMIT_ALIASES => Some(filled(&["*a"; limits::FILE_ALIASES].join(", "))),
        codes::LIMIT_MESH => {
            // A file has room for some of them only.
            let service = |number: usize| example.replace("s1\n", &format!("s{number}\n"));
            let numbers: Vec<usize> = (1..=limits::SERVICES).collect();
            let file =
                |numbers: &[usize]| numbers.iter().map(|n| service(*n)).collect::<Vec<_>>().join("---\n");
            Some(numbers.chunks(1_000).map(|some| file(some).into_bytes()).collect())
        }
        _ => None,
    }
}
