//! CEL from its text to values: parse, check, fold, lower, encode, decode, build, evaluate.
#![no_main]

use std::ops::Range;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use mesh_bundle::expr::{Expression, Type};
use mesh_bundle::{PathPattern, canonical, limits};
use mesh_compiler::cel::evaluate::evaluate;
use mesh_compiler::cel::{CelFinding, Phase, checked, condition};
use mesh_decision::expr::{Context, Program, Tri, explain};
use mesh_fuzz::cel::samples::PATTERN;
use mesh_fuzz::{rules, shop};

/// Steps of one policy.
const STEPS: usize = 100_000;
/// Far above what [`limits::EXPR_COST`] units take, with coverage counters and other work on the machine.
const LONGEST: Duration = Duration::from_millis(500);

fuzz_target!(init: shop::write_seeds(rules::seeds()), |data: &[u8]| {
    let Some(text) = rules::text(data) else { return };
    match checked(&text, &rules::object()) {
        Ok(typed) => drop(evaluate(&typed, &rules::Object, STEPS)),
        Err(findings) => said(&findings, &text),
    }
    if let Err(findings) = condition(&text, Phase::Outbound, &[], true) {
        said(&findings, &text);
    }
    match condition(&text, Phase::Inbound, &["id", "item"], false) {
        Ok(expression) => accepted(&expression, &text),
        Err(findings) => said(&findings, &text),
    }
});

/// Findings are never none, and their words are of the text.
fn said(findings: &[CelFinding], text: &str) {
    assert!(!findings.is_empty(), "refused without a word");
    let inside = |range: &Range<usize>| assert!(text.get(range.clone()).is_some(), "{range:?} is not of the text");
    for finding in findings {
        inside(&finding.range);
        finding.others.iter().for_each(|(range, _)| inside(range));
        finding.fix.iter().for_each(|(range, _)| inside(range));
    }
}

/// What is accepted passes the check of a proxy, builds, and ends; and errs only where a request repeats.
fn accepted(expression: &Expression, text: &str) {
    assert_eq!(expression.text, text);
    let bytes = canonical::to_bytes(expression).expect("JSON");
    let decoded: Expression = canonical::from_bytes(&bytes).expect("what was written");
    assert_eq!(&decoded, expression);
    let cost = decoded.check(Type::Bool).expect("checked code").cost();
    assert!(cost <= limits::EXPR_COST, "{cost} units");
    let program = Program::new(&decoded).expect("a program");
    let pattern = PathPattern::parse(PATTERN).expect("a pattern");
    rules::requests(|request, clean| {
        let bound = request.path.starts_with("/orders/");
        let context = Context { request, pattern: Some(&pattern), source: None, destination: None };
        let start = Instant::now();
        let value = program.evaluate(&context);
        assert!(start.elapsed() < LONGEST, "{cost} units took {:?}", start.elapsed());
        assert_eq!(explain(&decoded, &context).expect("an explanation").result, value);
        assert!(!(clean && bound) || value != Tri::Error, "an error where nothing is repeated");
    });
}
