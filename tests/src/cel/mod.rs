//! Generated rules and requests for the tests of CEL: rules that are well typed and mostly guarded, requests with the
//! values that rules find hard. The same seed gives the same of both.

pub mod generate;
pub mod hostile;
pub mod node;
pub mod samples;
mod values;
mod words;
