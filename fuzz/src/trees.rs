//! Expressions out of bytes, and requests to evaluate them for.

use mesh_bundle::expr::{
    CompareOp, Expression, Instant, Literal, Net, Op, Part, Quantifier, Slot, Span, TextOp, TextView, Tree,
    Type,
};
use mesh_decision::{Connection, Request, Source};

/// Deeper than any tree that is accepted.
const DEPTH: usize = 40;
/// Names and texts that trees and requests share.
const WORDS: [&str; 8] = ["x", "", "a,b", "/orders/1", "10.0.0.1", "^a+$", "(a|b)*c", "\u{e4}"];

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

    /// A place that may be absent, and most often may have several values.
    fn place(&mut self) -> Slot {
        match self.next() % 6 {
            0 => Slot::Query(self.word()),
            1 => Slot::Cookie(self.word()),
            2 => Slot::Param(self.word()),
            3 => Slot::SourceLabel(self.word()),
            _ => Slot::Header(self.word()),
        }
    }

    fn text_slot(&mut self) -> Slot {
        match self.next() % 16 {
            0 => Slot::Method,
            1 => Slot::Path,
            2 => Slot::Host,
            3 => Slot::Scheme,
            4 => Slot::Principal,
            5 => Slot::TrustDomain,
            6 => Slot::Service,
            7 => Slot::Ip,
            8 => Slot::DestinationService,
            9 => Slot::DestinationVersion,
            10 => Slot::DestinationLabel(self.word()),
            11 => Slot::TlsVersion,
            12 => Slot::Sni,
            _ => self.place(),
        }
    }

    fn int(&mut self) -> i64 {
        match self.next() % 6 {
            0 => i64::MAX,
            1 => i64::MIN,
            2 => -1,
            _ => i64::from(self.next()),
        }
    }

    fn net(&mut self) -> Option<Net> {
        let (first, bits) = (self.next(), self.next());
        Net::new([first, 0, 0, 1].into(), bits % 33)
    }

    fn literal(&mut self, ty: Type) -> Literal {
        match ty {
            Type::Bool => Literal::Bool(self.next().is_multiple_of(2)),
            Type::Int => Literal::Int(self.int()),
            Type::Text => Literal::Text(self.word()),
            Type::Time => Literal::Time(Instant {
                seconds: self.int() % 253_402_300_800,
                nanos: u32::from(self.next()),
            }),
            Type::Span => {
                Literal::Span(Span { seconds: self.int() % 315_576_000_001, nanos: u32::from(self.next()) })
            }
            Type::Ip => Literal::Ip([10, 0, 0, self.next()].into()),
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
        match self.next() % 3 {
            0 => TextOp::StartsWith,
            1 => TextOp::EndsWith,
            _ => TextOp::Contains,
        }
    }

    fn ty(&mut self) -> Type {
        match self.next() % 7 {
            0 => Type::Bool,
            1 => Type::Int,
            2 => Type::Time,
            3 => Type::Span,
            4 => Type::Ip,
            _ => Type::Text,
        }
    }

    /// An expression of type bool, but that now and then an operand is of another type than it should be.
    pub fn expression(&mut self) -> Expression {
        let text = "x".to_owned();
        Expression { code: self.tree(Type::Bool, 0, false).flatten(), text }
    }

    fn tree(&mut self, ty: Type, depth: usize, inside: bool) -> Tree {
        let choice = self.next();
        let ty = if choice == 255 { self.ty() } else { ty };
        let last = depth > DEPTH || self.0.is_empty();
        let (op, operands) =
            if last { (Op::Constant(self.literal(ty)), Vec::new()) } else { self.op(ty, choice, inside) };
        let inside = inside || matches!(op, Op::Each(..));
        let children = operands.into_iter().map(|ty| self.tree(ty, depth + 1, inside)).collect();
        Tree::new(op, 0..1, children)
    }

    /// An instruction of this type, with the types of its operands.
    fn op(&mut self, ty: Type, choice: u8, inside: bool) -> (Op<Slot>, Vec<Type>) {
        let both = |ty| vec![ty, ty];
        match ty {
            Type::Bool => match choice % 18 {
                0 => (Op::Not, vec![Type::Bool]),
                1 => (Op::All(0), vec![Type::Bool; usize::from(self.next() % 5)]),
                2 => (Op::Any(0), vec![Type::Bool; usize::from(self.next() % 5)]),
                3 => (Op::One(0), vec![Type::Bool; usize::from(self.next() % 5)]),
                4 => (Op::If, vec![Type::Bool; 3]),
                5 => (Op::Has(self.place()), Vec::new()),
                6 | 7 => {
                    let quantifier = match self.next() % 3 {
                        0 => Quantifier::All,
                        1 => Quantifier::Exists,
                        _ => Quantifier::ExistsOne,
                    };
                    (Op::Each(quantifier, self.place()), vec![Type::Bool])
                }
                8 => {
                    let ty = self.ty();
                    (Op::In((0..self.next() % 5).map(|_| self.literal(ty)).collect()), vec![ty])
                }
                9 => (Op::Member(self.place()), vec![Type::Text]),
                10 => (Op::Within((0..self.next() % 3).filter_map(|_| self.net()).collect()), vec![Type::Ip]),
                11 => (Op::Test(self.text_op()), both(Type::Text)),
                12 => (Op::Matches(self.word()), vec![Type::Text]),
                13 => (Op::IsIp, vec![Type::Text]),
                14 => (Op::Slot(Slot::Mtls), Vec::new()),
                15 => (Op::Bool(self.next().is_multiple_of(2)), Vec::new()),
                _ => {
                    let ty = self.ty();
                    (Op::Compare(self.compare_op()), both(ty))
                }
            },
            Type::Text => match choice % 9 {
                0 => (Op::If, vec![Type::Bool, Type::Text, Type::Text]),
                1 => (Op::OrElse(self.place()), vec![Type::Text]),
                2 => (Op::View(TextView::Lower), vec![Type::Text]),
                3 => (Op::View(TextView::Upper), vec![Type::Text]),
                4 => (Op::View(TextView::Trim), vec![Type::Text]),
                5 | 6 if inside => (Op::Local, Vec::new()),
                5 => (Op::Constant(self.literal(Type::Text)), Vec::new()),
                _ => (Op::Slot(self.text_slot()), Vec::new()),
            },
            Type::Int => match choice % 12 {
                0 => (Op::If, vec![Type::Bool, Type::Int, Type::Int]),
                1 => (Op::Size, vec![Type::Text]),
                2 => (Op::Count(self.place()), Vec::new()),
                3 => (Op::Add, both(Type::Int)),
                4 => (Op::Sub, both(Type::Int)),
                5 => (Op::Mul, both(Type::Int)),
                6 => (Op::Neg, vec![Type::Int]),
                7 => (Op::Div(self.int()), vec![Type::Int]),
                8 => (Op::Rem(self.int()), vec![Type::Int]),
                9 => (Op::Part { offset: i32::from(self.next()), part: Part::DayOfYear }, vec![Type::Time]),
                10 => (Op::Slot(Slot::DestinationPort), Vec::new()),
                _ => (Op::Slot(Slot::Size), Vec::new()),
            },
            Type::Time => match choice % 4 {
                0 => (Op::Add, vec![Type::Time, Type::Span]),
                1 => (Op::Add, vec![Type::Span, Type::Time]),
                2 => (Op::Sub, vec![Type::Time, Type::Span]),
                _ => (Op::Slot(Slot::Now), Vec::new()),
            },
            Type::Span => match choice % 5 {
                0 => (Op::Sub, both(Type::Time)),
                1 => (Op::Sub, both(Type::Span)),
                2 => (Op::Add, both(Type::Span)),
                3 => (Op::Neg, vec![Type::Span]),
                _ => (Op::Constant(self.literal(Type::Span)), Vec::new()),
            },
            Type::Ip => match choice % 3 {
                0 => (Op::Constant(self.literal(Type::Ip)), Vec::new()),
                _ => (Op::Ip, vec![Type::Text]),
            },
        }
    }
}

/// Calls `each` with requests that have a header once, twice, never, and as no text.
pub fn requests(mut each: impl FnMut(&Request<'_>)) {
    let lines: [&[(&str, &[u8])]; 4] =
        [&[], &[("x", b"a,b")], &[("x", b"1"), ("x", b"2"), ("cookie", b"x=1; x=2")], &[("x", b"\xff")]];
    for headers in lines {
        let headers = headers.to_vec();
        for (path, query) in [("/", "x=%C3%84+A"), ("/orders/1", "x=1&x=2&%ff=%zz&x")] {
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
                now: Instant { seconds: 1_782_907_200, nanos: 0 },
                picks: &0,
            });
        }
    }
}
