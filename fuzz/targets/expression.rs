//! The expression decoder: JSON, or a tree made from bytes, through the check and the builder to values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_bundle::expr::Expr;
use mesh_bundle::limits;
use mesh_decision::expr::{Context, Program, Tri};
use mesh_fuzz::shop;
use mesh_fuzz::trees::{Choices, requests};
use serde_json::Value;

/// The first byte says what the rest is: trees of the example mesh, and all bytes as choices.
fn seeds() -> impl Iterator<Item = Vec<u8>> {
    let mut trees = Vec::new();
    for (_, unit) in shop::program().units() {
        let bytes = unit.to_bytes().expect("a unit");
        find(&serde_json::from_slice(&bytes).expect("JSON"), &mut trees);
    }
    let choices = (0..=255_u8).collect::<Vec<u8>>();
    trees
        .into_iter()
        .map(|tree| [&[0], tree.as_slice()].concat())
        .chain([[&[1], choices.as_slice()].concat()])
}

fn find(value: &Value, trees: &mut Vec<Vec<u8>>) {
    match value {
        Value::Object(fields) => {
            trees.extend(fields.get("tree").map(|tree| tree.to_string().into_bytes()));
            fields.values().for_each(|field| find(field, trees));
        }
        Value::Array(items) => items.iter().for_each(|item| find(item, trees)),
        _ => {}
    }
}

fuzz_target!(init: shop::write_seeds(seeds()), |data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let tree = if kind % 2 == 0 {
        let Ok(tree) = serde_json::from_slice::<Expr>(rest) else { return };
        tree
    } else {
        Choices(rest).tree(0)
    };
    if let Ok(text) = serde_json::to_vec(&tree)
        && let Ok(again) = serde_json::from_slice::<Expr>(&text)
    {
        assert_eq!(again, tree);
    }
    let Ok(program) = Program::new(&tree) else { return };
    assert!(depth(&tree) <= limits::EXPR_DEPTH, "a tree over the bound was built");
    // Double negation changes nothing, except that it may be too deep to build.
    let twice = Program::new(&Expr::Not(Box::new(Expr::Not(Box::new(tree.clone())))));
    requests(|request| {
        let context = Context { request, pattern: None, source: None, destination: None };
        let value = program.evaluate(&context);
        assert_eq!(value, program.evaluate(&context));
        if let Ok(twice) = &twice {
            assert_eq!(twice.evaluate(&context), value);
        }
        if let Expr::Bool(constant) = tree {
            assert_eq!(value, Tri::from(constant));
        }
    });
});

fn depth(tree: &Expr) -> usize {
    match tree {
        Expr::Not(inner) => depth(inner) + 1,
        Expr::All(list) | Expr::Any(list) => list.iter().map(depth).max().map_or(0, |deepest| deepest + 1),
        Expr::If(branch) => {
            depth(&branch.condition).max(depth(&branch.then)).max(depth(&branch.otherwise)) + 1
        }
        _ => 0,
    }
}
