//! Checks of lowered code, in rung 4: code from a signed bundle is one well-typed tree within its bounds.

use super::code::{Code, VERSION};
use super::cost::{self, Bound};
use super::op::{CompareOp, Op};
use super::slot::{Slot, Type};
use super::time::Instant;
use crate::limits;

/// The rule broken by code that a proxy refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExprError {
    /// The code has another version than [`VERSION`].
    #[error("instructions of version {0}, and this is version {VERSION}")]
    Version(u32),
    /// More instructions, with the members of sets, than [`limits::EXPR_NODES`]; or a text over [`limits::EXPR_TEXT`].
    #[error("more than {} nodes, or more than {} bytes of text", limits::EXPR_NODES, limits::EXPR_TEXT)]
    TooLarge,
    /// The tree is deeper than [`limits::EXPR_DEPTH`].
    #[error("deeper than {}", limits::EXPR_DEPTH)]
    TooDeep,
    /// More slots than [`limits::EXPR_SLOTS`], or such as are not sorted, repeated, or not used.
    #[error("slots are sorted, different, used, and at most {}", limits::EXPR_SLOTS)]
    Slots,
    /// An instruction names a slot that there is not.
    #[error("instruction {0} reads a slot that there is not")]
    NoSlot(usize),
    /// An instruction without all of its operands.
    #[error("instruction {0} lacks operands")]
    Operands(usize),
    /// The code is empty, or is more than one tree.
    #[error("the instructions are not one tree")]
    NotOne,
    /// Operands of unlike types, or a slot of the wrong kind.
    #[error("operands of unlike types at instruction {0}")]
    Types(usize),
    /// The result has another type than the place asks for.
    #[error("the result is of the wrong type")]
    Result,
    /// [`Op::Local`] outside of [`Op::Each`], or one of these inside another.
    #[error("instruction {0} stands wrongly inside or outside of a quantifier")]
    Quantifier(usize),
    /// A constant out of its range, or a set that is not sorted.
    #[error("a constant of instruction {0} is out of range, or its set is not sorted")]
    Constant(usize),
    /// A range of words that lies outside the text.
    #[error("the words of instruction {0} are not in the text")]
    Words(usize),
    /// The code costs more than [`limits::EXPR_COST`]; holds the cost in units.
    #[error("costs up to {0} units, and the limit is {limit}", limit = limits::EXPR_COST)]
    Cost(u64),
}

/// The types and costs that a check derives, indexed by instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Type of each instruction's result.
    pub types: Vec<Type>,
    /// Upper bound of the cost of each instruction with its operands, evaluated once, in units.
    pub costs: Vec<u64>,
}

impl Checked {
    /// Upper bound of the cost of one evaluation, in units.
    #[must_use]
    pub fn cost(&self) -> u64 {
        self.costs.first().copied().unwrap_or(0)
    }
}

/// A finished subtree, on the stack of the check.
#[derive(Debug, Clone, Copy)]
struct Part {
    ty: Type,
    depth: usize,
    bound: Bound,
    /// True if the subtree reads `Local` of a quantifier further up.
    local: bool,
    /// True if the subtree holds a quantifier.
    each: bool,
}

impl Code {
    /// Checks version, bounds, form, types, words and cost; `text` is the source that the code was made from, and
    /// only read where the code says words.
    ///
    /// # Errors
    /// [`ExprError`] names the first broken rule. For compilers: [`Code::measure`] gives costs without their bound.
    pub fn check(&self, result: Type, text: &str) -> Result<Checked, ExprError> {
        let checked = self.measure(result, text)?;
        if checked.cost() > limits::EXPR_COST {
            return Err(ExprError::Cost(checked.cost()));
        }
        Ok(checked)
    }

    /// Checks as [`Code::check`] does, without the bound on the cost.
    ///
    /// # Errors
    /// [`ExprError`] names the first broken rule, but for [`ExprError::Cost`].
    pub fn measure(&self, result: Type, text: &str) -> Result<Checked, ExprError> {
        self.check_size(text)?;
        let mut used = vec![false; self.slots.len()];
        let mut types = vec![Type::Bool; self.ops.len()];
        let mut costs = vec![0; self.ops.len()];
        // Pre-order backwards: the operands of an instruction are finished when it comes, its first on top.
        let mut done: Vec<Part> = Vec::new();
        let places = types.iter_mut().zip(&mut costs);
        for ((index, op), (ty, cost)) in self.ops.iter().enumerate().zip(places).rev() {
            let slot = match op.slot() {
                None => None,
                Some(id) => {
                    let id = usize::from(*id);
                    used.get_mut(id).map(|used| *used = true).ok_or(ExprError::NoSlot(index))?;
                    self.slots.get(id)
                }
            };
            let from = done.len().checked_sub(op.arity()).ok_or(ExprError::Operands(index))?;
            let operands = done.get(from..).unwrap_or_default();
            let part = part(index, op, slot, operands)?;
            (*ty, *cost) = (part.ty, part.bound.total());
            done.truncate(from);
            done.push(part);
        }
        let [root] = done.as_slice() else { return Err(ExprError::NotOne) };
        if root.local {
            return Err(ExprError::Quantifier(0));
        }
        if root.ty != result {
            return Err(ExprError::Result);
        }
        if !used.into_iter().all(|used| used) {
            return Err(ExprError::Slots);
        }
        Ok(Checked { types, costs })
    }

    /// Checks the bounds and constants that need no knowledge of the tree's structure.
    fn check_size(&self, text: &str) -> Result<(), ExprError> {
        if self.v != VERSION {
            return Err(ExprError::Version(self.v));
        }
        let members = |op: &Op| match op {
            Op::In(set) => set.len(),
            Op::Within(nets) => nets.len(),
            _ => 0,
        };
        let nodes = self.ops.len() + self.ops.iter().map(members).sum::<usize>();
        if nodes > limits::EXPR_NODES || text.len() > limits::EXPR_TEXT {
            return Err(ExprError::TooLarge);
        }
        let rising = self.slots.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        if !rising || self.slots.len() > limits::EXPR_SLOTS {
            return Err(ExprError::Slots);
        }
        if !self.at.is_empty() && self.at.len() != self.ops.len() {
            return Err(ExprError::Words(self.at.len().min(self.ops.len())));
        }
        let outside = |[start, end]: &[u16; 2]| text.get(usize::from(*start)..usize::from(*end)).is_none();
        self.at.iter().position(outside).map_or(Ok(()), |index| Err(ExprError::Words(index)))
    }
}

/// Checks an instruction against its operands, which come last to first, and combines them into one subtree.
fn part(index: usize, op: &Op, slot: Option<&Slot>, operands: &[Part]) -> Result<Part, ExprError> {
    let ty = ty(op, slot, operands).ok_or(ExprError::Types(index))?;
    if !sound(op) {
        return Err(ExprError::Constant(index));
    }
    let depth = operands.iter().map(|p| p.depth + 1).max().unwrap_or(0);
    if depth > limits::EXPR_DEPTH {
        return Err(ExprError::TooDeep);
    }
    let local = operands.iter().any(|p| p.local);
    let each = operands.iter().any(|p| p.each);
    let here = matches!(op, Op::Each(..));
    if here && each {
        return Err(ExprError::Quantifier(index));
    }
    // Bounds are small and few: only conjunctions and the like have more than three operands.
    let bounds: Vec<Bound> = operands.iter().map(|p| p.bound).collect();
    let bound = cost::bound(op, slot, &bounds);
    let local = matches!(op, Op::Local) || (local && !here);
    Ok(Part { ty, depth, bound, local, each: each || here })
}

/// The type of the result; `None` where operands or slot do not fit.
fn ty(op: &Op, slot: Option<&Slot>, operands: &[Part]) -> Option<Type> {
    let all = |ty: Type| operands.iter().all(|p| p.ty == ty);
    let optional = slot.is_some_and(Slot::optional);
    let repeated = slot.is_some_and(Slot::repeated);
    let (fits, ty) = match (op, operands) {
        (Op::Bool(_), _) => (true, Type::Bool),
        (Op::Not | Op::All(_) | Op::Any(_) | Op::One(_), _) => (all(Type::Bool), Type::Bool),
        (Op::If, [otherwise, then, condition]) => {
            (condition.ty == Type::Bool && then.ty == otherwise.ty, then.ty)
        }
        (Op::Has(_), _) => (optional, Type::Bool),
        (Op::Each(..), _) => (repeated && all(Type::Bool), Type::Bool),
        (Op::In(set), [item]) => (set.iter().all(|l| l.ty() == item.ty), Type::Bool),
        (Op::Member(_), _) => (repeated && all(Type::Text), Type::Bool),
        (Op::Within(_), _) => (all(Type::Ip), Type::Bool),
        (Op::Compare(op), [right, left]) => {
            let ordered = left.ty != Type::Ip || matches!(op, CompareOp::Eq | CompareOp::Ne);
            (left.ty == right.ty && ordered, Type::Bool)
        }
        (Op::Test(_) | Op::Matches(_) | Op::IsIp, _) => (all(Type::Text), Type::Bool),
        (Op::Slot(_), _) => (true, slot?.ty()),
        (Op::Local, _) => (true, Type::Text),
        (Op::Constant(literal), _) => (true, literal.ty()),
        (Op::OrElse(_), _) => (optional && all(Type::Text), Type::Text),
        (Op::Size, _) => (all(Type::Text), Type::Int),
        (Op::Count(_), _) => (repeated, Type::Int),
        (Op::View(_), _) => (all(Type::Text), Type::Text),
        (Op::Ip, _) => (all(Type::Text), Type::Ip),
        (Op::Add | Op::Sub, [right, left]) => {
            let ty = match (op, left.ty, right.ty) {
                (_, Type::Int, Type::Int) => Type::Int,
                (_, Type::Span, Type::Span) | (Op::Sub, Type::Time, Type::Time) => Type::Span,
                (_, Type::Time, Type::Span) | (Op::Add, Type::Span, Type::Time) => Type::Time,
                _ => return None,
            };
            (true, ty)
        }
        (Op::Mul | Op::Div(_) | Op::Rem(_), _) => (all(Type::Int), Type::Int),
        (Op::Neg, [only]) => (matches!(only.ty, Type::Int | Type::Span), only.ty),
        (Op::Part { .. }, _) => (all(Type::Time), Type::Int),
        (Op::If | Op::In(_) | Op::Compare(_) | Op::Add | Op::Sub | Op::Neg, _) => return None,
    };
    fits.then_some(ty)
}

/// False for constants out of range and for sets that are not sorted.
fn sound(op: &Op) -> bool {
    match op {
        Op::Constant(literal) => literal.in_range(),
        Op::In(set) => {
            let rising = set.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
            rising && set.iter().all(super::Literal::in_range)
        }
        Op::Within(nets) => nets.windows(2).all(|pair| matches!(pair, [a, b] if a < b)),
        Op::Matches(pattern) => pattern.len() <= limits::EXPR_TEXT,
        Op::Div(n) | Op::Rem(n) => *n != 0,
        Op::Part { offset, .. } => (-Instant::OFFSET..=Instant::OFFSET).contains(offset),
        _ => true,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
