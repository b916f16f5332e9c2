//! The expression decoder: JSON, or code made from bytes, through the check and the builder to values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_bundle::expr::{Code, Expression, Op, Type, View};
use mesh_bundle::limits;
use mesh_decision::expr::{Context, Program, Tri, explain};
use mesh_fuzz::shop;
use mesh_fuzz::trees::{Choices, requests};
use serde_json::Value;

/// The first byte says what the rest is: expressions of the example mesh, and all bytes as choices.
fn seeds() -> impl Iterator<Item = Vec<u8>> {
    let mut found = Vec::new();
    for (_, unit) in shop::program().units() {
        let bytes = unit.to_bytes().expect("a unit");
        find(&serde_json::from_slice(&bytes).expect("JSON"), &mut found);
    }
    let choices = (0..=255_u8).collect::<Vec<u8>>();
    found.into_iter().map(|expression| [&[0], expression.as_slice()].concat()).chain([[
        &[1],
        choices.as_slice(),
    ]
    .concat()])
}

fn find(value: &Value, found: &mut Vec<Vec<u8>>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("code").map(|_| value.to_string().into_bytes()));
            fields.values().for_each(|field| find(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| find(item, found)),
        _ => {}
    }
}

fuzz_target!(init: shop::write_seeds(seeds()), |data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let expression = if kind % 2 == 0 {
        let Ok(expression) = serde_json::from_slice::<Expression>(rest) else { return };
        expression
    } else {
        Choices(rest).expression()
    };
    if let Ok(text) = serde_json::to_vec(&expression)
        && let Ok(again) = serde_json::from_slice::<Expression>(&text)
    {
        assert_eq!(again, expression);
    }
    let checked = expression.check(Type::Bool);
    let Ok(program) = Program::new(&expression) else { return };
    let checked = checked.expect("built, so it passed its check");
    assert!(checked.cost() <= limits::EXPR_COST, "an expression over the bound was built");
    let root = expression.code.root().expect("built, so it has instructions");
    assert!(depth(root) <= limits::EXPR_DEPTH, "an expression over the bound was built");
    assert_eq!(count(root), expression.code.ops.len(), "an instruction is out of reach");
    // Double negation changes nothing, except that it may be too deep to build.
    let twice = Program::new(&Expression { code: negated_twice(&expression.code), ..expression.clone() });
    requests(|request| {
        let context = Context { request, pattern: None, source: None, destination: None };
        let value = program.evaluate(&context);
        assert_eq!(value, program.evaluate(&context));
        if let Ok(twice) = &twice {
            assert_eq!(twice.evaluate(&context), value);
        }
        if let Op::Bool(constant) = root.op() {
            assert_eq!(value, Tri::from(*constant));
        }
        // The way that is walked for people, in the order written and without joining, leads to the same.
        assert_eq!(explain(&expression, &context).map(|decided| decided.result), Some(value));
    });
});

fn negated_twice(code: &Code) -> Code {
    let ops = [Op::Not, Op::Not].into_iter().chain(code.ops.iter().cloned()).collect();
    Code { at: Vec::new(), ops, ..code.clone() }
}

fn depth(view: View<'_>) -> usize {
    view.children().map(|child| depth(child) + 1).max().unwrap_or(0)
}

fn count(view: View<'_>) -> usize {
    view.children().map(count).sum::<usize>() + 1
}
