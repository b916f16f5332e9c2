//! Evaluating an expression takes no memory: the global allocator of this binary counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use mesh_bundle::expr::{
    CompareOp, Expression, Instant, Literal, Net, Op, Part, Quantifier, Slot, TextOp, TextView, Tree,
};
use mesh_decision::expr::{Context, Program, Tri};
use mesh_decision::{Connection, Request, Source};

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[expect(unsafe_code, reason = "an allocator that counts can be had in no other way")]
// SAFETY: everything is handed on to the system's allocator as it comes.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.set(TAKEN.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn node(op: Op<Slot>, children: Vec<Tree>) -> Tree {
    Tree::new(op, 0..0, children)
}

fn slot(slot: Slot) -> Tree {
    node(Op::Slot(slot), Vec::new())
}

fn text(text: &str) -> Tree {
    node(Op::Constant(Literal::Text(text.into())), Vec::new())
}

fn eq(a: Tree, b: Tree) -> Tree {
    node(Op::Compare(CompareOp::Eq), vec![a, b])
}

/// One of every instruction, the long way round: nothing is joined away where it matters.
fn everything() -> Vec<Tree> {
    let query = || slot(Slot::Query("q".into()));
    let lower = |of| node(Op::View(TextView::Lower), vec![of]);
    let set = (0..20).map(|n| Literal::Text(format!("member {n}"))).collect::<Vec<_>>();
    let nets: Vec<Net> = Net::new([10, 0, 0, 0].into(), 8).into_iter().collect();
    let local = || node(Op::Local, Vec::new());
    let each = |slot, body| node(Op::Each(Quantifier::ExistsOne, slot), vec![body]);
    vec![
        eq(query(), text("A b")),
        eq(lower(query()), text("a b")),
        node(Op::Test(TextOp::Contains), vec![lower(query()), text(" b")]),
        node(Op::Test(TextOp::Contains), vec![query(), node(Op::View(TextView::Trim), vec![query()])]),
        node(Op::Matches("^a [b-z]$".into()), vec![lower(query())]),
        node(Op::Matches("^/orders/[0-9]+/items$".into()), vec![slot(Slot::Path)]),
        node(Op::Not, vec![node(Op::In(set), vec![query()])]),
        eq(slot(Slot::Cookie("c".into())), text("1")),
        eq(slot(Slot::TrustDomain), text("shop.test")),
        eq(slot(Slot::Header("x-tenant".into())), text("acme")),
        node(Op::Has(Slot::Cookie("c".into())), Vec::new()),
        node(Op::Has(Slot::Query("q".into())), Vec::new()),
        node(Op::Member(Slot::Query("q".into())), vec![text("A b")]),
        each(Slot::Query("q".into()), eq(lower(local()), text("a b"))),
        each(Slot::Header("x-tenant".into()), eq(local(), text("acme"))),
        each(Slot::Cookie("c".into()), eq(local(), text("1"))),
        eq(node(Op::OrElse(Slot::Header("none".into())), vec![query()]), text("A b")),
        eq(node(Op::Size, vec![query()]), node(Op::Constant(Literal::Int(3)), Vec::new())),
        eq(
            node(Op::Count(Slot::Query("q".into())), Vec::new()),
            node(Op::Constant(Literal::Int(1)), Vec::new()),
        ),
        node(Op::Within(nets), vec![node(Op::Ip, vec![slot(Slot::Ip)])]),
        node(
            Op::Compare(CompareOp::Ge),
            vec![
                node(Op::Part { offset: 3_600, part: Part::Hours }, vec![slot(Slot::Now)]),
                node(Op::Constant(Literal::Int(0)), Vec::new()),
            ],
        ),
    ]
}

#[test]
fn evaluating_takes_no_memory() {
    let expressions: Vec<Expression> = everything()
        .into_iter()
        .map(|tree| {
            let mut code = tree.flatten();
            code.at.clear();
            Expression { code, text: String::new() }
        })
        .collect();
    let programs: Vec<Program> = expressions.iter().map(|e| Program::new(e).unwrap()).collect();
    let headers = vec![("cookie", "a=0; c=1"), ("x-tenant", "acme")];
    let request = Request {
        method: "GET",
        scheme: "https",
        host: "orders",
        path: "/orders/17/items",
        query: "a=1&%71=A%20b",
        headers: &headers,
        size: Some(1),
        source: Source { principal: "spiffe://shop.test/prod/web", owner: None, ip: "10.0.0.1" },
        connection: Connection { mtls: true, tls_version: "1.3", sni: "" },
        now: Instant::new(0, 0).unwrap(),
        picks: &0,
    };
    let context = Context { request: &request, pattern: None, source: None, destination: None };
    let before = TAKEN.get();
    let counts = Vec::<u8>::with_capacity(8);
    assert!(TAKEN.get() > before, "the allocator does not count");
    drop(counts);
    for (program, expression) in programs.iter().zip(&expressions) {
        let before = TAKEN.get();
        let result = program.evaluate(&context);
        let taken = TAKEN.get() - before;
        assert_eq!(result, Tri::True, "{:?}", expression.code);
        assert_eq!(taken, 0, "{:?}", expression.code);
    }
}
