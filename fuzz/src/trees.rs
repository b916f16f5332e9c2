//! Expression trees out of bytes, and requests to evaluate them for.

use mesh_bundle::expr::{
    Branch, Compare, CompareOp, Expr, Literal, Member, Membership, Operand, Slot, TextOp, TextTest,
};
use mesh_decision::{Connection, Request, Source};

/// Deeper than any tree that is accepted.
const DEPTH: usize = 40;
/// Names and texts that trees and requests share.
const WORDS: [&str; 8] = ["x", "", "a,b", "/orders/1", "shop.example", "^a+$", "(a|b)*c", "\u{e4}"];

/// A source of choices; zeros when it is used up.
pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> String {
        let word = self.next();
        WORDS.get(usize::from(word) % WORDS.len()).copied().unwrap_or_default().to_owned()
    }

    fn slot(&mut self) -> Slot {
        match self.next() % 22 {
            0 => Slot::Method,
            1 => Slot::Path,
            2 => Slot::Host,
            3 => Slot::Scheme,
            4 => Slot::Size,
            5 => Slot::Header(self.word()),
            6 => Slot::Query(self.word()),
            7 => Slot::Cookie(self.word()),
            8 => Slot::Param(self.word()),
            9 => Slot::Principal,
            10 => Slot::TrustDomain,
            11 => Slot::Service,
            12 => Slot::Ip,
            13 => Slot::SourceLabel(self.word()),
            14 => Slot::DestinationService,
            15 => Slot::DestinationVersion,
            16 => Slot::DestinationPort,
            17 => Slot::DestinationLabel(self.word()),
            18 => Slot::Mtls,
            19 => Slot::TlsVersion,
            20 => Slot::Sni,
            _ => Slot::Header("y".into()),
        }
    }

    fn literal(&mut self) -> Literal {
        match self.next() % 4 {
            0 => Literal::Int(i64::from(self.next())),
            1 => Literal::Bool(self.next().is_multiple_of(2)),
            _ => Literal::Text(self.word()),
        }
    }

    fn operand(&mut self) -> Operand {
        match self.next() % 3 {
            0 => Operand::Slot(self.slot()),
            1 => Operand::Literal(self.literal()),
            _ => Operand::Size(self.slot()),
        }
    }

    fn compare_op(&mut self) -> CompareOp {
        match self.next() % 6 {
            0 => CompareOp::Eq,
            1 => CompareOp::Ne,
            2 => CompareOp::Lt,
            3 => CompareOp::Le,
            4 => CompareOp::Gt,
            _ => CompareOp::Ge,
        }
    }

    fn text_op(&mut self) -> TextOp {
        match self.next() % 4 {
            0 => TextOp::StartsWith,
            1 => TextOp::EndsWith,
            2 => TextOp::Contains,
            _ => TextOp::Matches,
        }
    }

    /// A tree; of unlike types as often as not.
    pub fn tree(&mut self, depth: usize) -> Expr {
        if depth > DEPTH || self.0.is_empty() {
            return Expr::Bool(self.next().is_multiple_of(2));
        }
        let depth = depth + 1;
        match self.next() % 10 {
            0 => Expr::Not(Box::new(self.tree(depth))),
            1 => Expr::All((0..self.next() % 5).map(|_| self.tree(depth)).collect()),
            2 => Expr::Any((0..self.next() % 5).map(|_| self.tree(depth)).collect()),
            3 => Expr::If(Box::new(Branch {
                condition: self.tree(depth),
                then: self.tree(depth),
                otherwise: self.tree(depth),
            })),
            4 => Expr::Has(self.slot()),
            5 => Expr::Truth(self.slot()),
            6 => {
                Expr::Compare(Compare { op: self.compare_op(), left: self.operand(), right: self.operand() })
            }
            7 => Expr::In(Membership {
                item: self.operand(),
                set: (0..self.next() % 5).map(|_| self.literal()).collect(),
            }),
            8 => Expr::Member(Member { item: self.operand(), of: self.slot() }),
            _ => Expr::Text(TextTest { op: self.text_op(), on: self.operand(), arg: self.operand() }),
        }
    }
}

/// Calls `each` with requests that have a header once, twice, never, and as no text.
pub fn requests(mut each: impl FnMut(&Request<'_>)) {
    let lines: [&[(&str, &[u8])]; 4] =
        [&[], &[("x", b"a,b")], &[("x", b"1"), ("x", b"2"), ("cookie", b"x=1; x=2")], &[("x", b"\xff")]];
    for headers in lines {
        let headers = headers.to_vec();
        for (path, query) in [("/", ""), ("/orders/1", "x=1&x=2&%ff=%zz&x")] {
            each(&Request {
                method: "GET",
                scheme: "https",
                host: "shop.example",
                path,
                query,
                headers: &headers,
                size: Some(1),
                source: Source { principal: "spiffe://shop.example/prod/web", owner: None, ip: "10.0.0.1" },
                connection: Connection { mtls: true, tls_version: "1.3", sni: "shop.example" },
                picks: &0,
            });
        }
    }
}
