//! A row of the table of functions.

use crate::cel::value::{Fault, Value};

/// One function or operator.
#[derive(Debug)]
pub struct Function {
    /// Its name, with its namespace: `startsWith`, `math.abs`, `+`.
    pub name: &'static str,
    /// Its signatures as text, one an overload: parameter types and result.
    pub signatures: &'static [&'static str],
    /// Its effect, in one or two sentences, with the errors that it may give.
    pub doc: &'static str,
    /// Its meaning; the receiver of a method is the first argument. Gives [`Fault::NoOverload`] for values that no
    /// signature takes.
    pub call: fn(&[Value]) -> Result<Value, Fault>,
}

/// The fault of a function that does not take these values.
pub(super) fn no_overload(name: &str, arguments: &[Value]) -> Fault {
    let types: Vec<&str> = arguments.iter().map(Value::type_name).collect();
    Fault::NoOverload(format!("{name}({})", types.join(", ")))
}
