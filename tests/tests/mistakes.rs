//! The mistakes of `tests/mistakes`: what was scored good or excellent is still found.

use mesh_compiler::{Options, compile};
use serde_json::Value;

/// The lowest score of a message that helps.
const GOOD: u64 = 2;

#[test]
fn scored_mistakes_have_findings() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../mistakes/cases.json")).expect("the list is JSON");
    let scores: Value =
        serde_json::from_str(include_str!("../mistakes/scores.json")).expect("the scores are JSON");
    assert_eq!(Some(cases.len()), scores.as_object().map(serde_json::Map::len));
    for case in cases {
        let id = case["id"].as_str().expect("an id");
        let scored = scores[id]["scores"].as_array().expect("scores");
        let files = case["files"].as_object().expect("files").iter();
        let files = files.map(|(path, text)| (path.clone(), text.as_str().expect("a text").into())).collect();
        let findings = compile(files, &Options::default()).findings;
        let helped = scored.iter().filter_map(Value::as_u64).any(|score| score >= GOOD);
        assert!(findings.iter().next().is_some() || !helped, "{id}: {}", case["mistake"]);
    }
}
