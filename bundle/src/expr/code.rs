//! The flat code of an expression: written by [`Tree::flatten`], read through [`View`].

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::op::{Op, SlotId};
use super::slot::Slot;

/// The version of the instructions that this crate writes and reads.
pub const VERSION: u32 = 1;

/// A lowered expression as a flat list of instructions in pre-order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// For each instruction the words that it stands for: first byte and end, as offsets into the text. Empty where
    /// nobody asks for words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<[u16; 2]>,
    /// Instructions in pre-order: one tree, all of it.
    pub ops: Vec<Op>,
    /// Slots that the expression reads, sorted, without repeats, each used.
    pub slots: Vec<Slot>,
    /// Version of the instructions: [`VERSION`].
    pub v: u32,
}

impl Code {
    /// A view of the whole expression; `None` where there are no instructions, which [`Code::check`] refuses.
    #[must_use]
    pub fn root(&self) -> Option<View<'_>> {
        View::at(self, 0)
    }

    /// True if a slot that the expression reads, or tests for presence, satisfies `wanted`.
    #[must_use]
    pub fn reads(&self, wanted: impl Fn(&Slot) -> bool) -> bool {
        self.slots.iter().any(wanted)
    }
}

/// A node of the expression tree: an instruction with its operands. Also safe on code that was not checked: an index
/// that points outside yields `None`.
#[derive(Debug, Clone, Copy)]
pub struct View<'c> {
    code: &'c Code,
    op: &'c Op,
    index: usize,
}

impl<'c> View<'c> {
    fn at(code: &'c Code, index: usize) -> Option<Self> {
        code.ops.get(index).map(|op| Self { code, op, index })
    }

    /// The node's instruction.
    #[must_use]
    pub fn op(self) -> &'c Op {
        self.op
    }

    /// The instruction's index in [`Code::ops`], and in [`super::Checked`].
    #[must_use]
    pub fn index(self) -> usize {
        self.index
    }

    /// The slot that the instruction reads or tests for presence.
    #[must_use]
    pub fn slot(self) -> Option<&'c Slot> {
        self.op.slot().and_then(|id| self.code.slots.get(usize::from(*id)))
    }

    /// The range of the text, in bytes, that the node stands for, where it is known.
    #[must_use]
    pub fn words(self) -> Option<Range<usize>> {
        self.code.at.get(self.index).map(|[start, end]| usize::from(*start)..usize::from(*end))
    }

    /// The operands of the node, in order.
    pub fn children(self) -> impl Iterator<Item = View<'c>> {
        let mut next = self.index + 1;
        (0..self.op.arity()).map_while(move |_| {
            let child = Self::at(self.code, next)?;
            next = child.end();
            Some(child)
        })
    }

    /// The only, or first, operand.
    #[must_use]
    pub fn child(self) -> Option<View<'c>> {
        self.children().next()
    }

    /// The first two operands.
    #[must_use]
    pub fn pair(self) -> Option<(View<'c>, View<'c>)> {
        let mut children = self.children();
        children.next().zip(children.next())
    }

    /// The three operands of [`Op::If`].
    #[must_use]
    pub fn branches(self) -> Option<[View<'c>; 3]> {
        let mut children = self.children();
        Some([children.next()?, children.next()?, children.next()?])
    }

    /// The index of the first instruction behind the node's subtree.
    fn end(self) -> usize {
        let mut missing = 1_usize;
        let mut index = self.index;
        while missing > 0 {
            let Some(op) = self.code.ops.get(index) else { break };
            missing += op.arity();
            missing -= 1;
            index += 1;
        }
        index
    }
}

/// An expression as the compiler makes it: boxed nodes, with slots by value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The node's instruction. The number that `All`, `Any` and `One` carry is that of `children`, whatever is
    /// written.
    pub op: Op<Slot>,
    /// The range of the text, in bytes, that the node stands for.
    pub at: Range<usize>,
    /// The operands of the node, in order.
    pub children: Vec<Tree>,
}

impl Tree {
    /// Makes a node from an instruction and its operands.
    #[must_use]
    pub fn new(op: Op<Slot>, at: Range<usize>, children: Vec<Self>) -> Self {
        Self { op, at, children }
    }

    /// Flattens the tree into code, with slots sorted and numbered. Sets and networks are sorted here, and their
    /// repeats left out.
    ///
    /// An error in the tree (operands that do not fit, a bound) is one in the code too: ask [`Code::check`],
    /// whose instructions come in the order of this tree's nodes, first operands first.
    #[must_use]
    pub fn flatten(&self) -> Code {
        let mut slots = BTreeSet::new();
        self.each(&mut |tree| slots.extend(tree.op.slot()));
        let slots: Vec<&Slot> = slots.into_iter().collect();
        let number = |slot: &Slot| {
            // Found, since each was collected above; past 65,535 it is one too many for `check` anyway.
            let id = slots.binary_search(&slot).unwrap_or(usize::MAX);
            SlotId::try_from(id).unwrap_or(SlotId::MAX)
        };
        let offset = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        let (mut ops, mut at) = (Vec::new(), Vec::new());
        self.each(&mut |tree| {
            let many = u16::try_from(tree.children.len()).unwrap_or(u16::MAX);
            ops.push(match tree.op.rename(number) {
                Op::All(_) => Op::All(many),
                Op::Any(_) => Op::Any(many),
                Op::One(_) => Op::One(many),
                Op::In(mut set) => {
                    set.sort();
                    set.dedup();
                    Op::In(set)
                }
                Op::Within(mut nets) => {
                    nets.sort();
                    nets.dedup();
                    Op::Within(nets)
                }
                other => other,
            });
            at.push([offset(tree.at.start), offset(tree.at.end)]);
        });
        Code { at, ops, slots: slots.into_iter().cloned().collect(), v: VERSION }
    }

    /// Calls `seen` with every node in pre-order.
    fn each<'t>(&'t self, seen: &mut dyn FnMut(&'t Self)) {
        let mut open = vec![self];
        while let Some(tree) = open.pop() {
            seen(tree);
            open.extend(tree.children.iter().rev());
        }
    }
}
