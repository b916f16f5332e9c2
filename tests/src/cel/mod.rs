//! Generated rules and requests for the tests of CEL: rules that are well typed and mostly guarded, requests with the
//! values that rules find hard. The same seed gives the same of both.

pub mod generate;
mod generator;
pub mod hostile;
pub mod node;
mod operands;
pub mod samples;
mod value;
mod words;
