//! The typed language: what a document says, with the place of every word.
//!
//! Each type is defined once (`macros.rs`); from that come the Rust type, the decoder, which reports all findings of a
//! document at once, and the JSON Schema, which gives the same verdict. Here shapes, types, units and forms are checked;
//! whether names exist and numbers go together is checked on the model.

mod decode;
mod kind;
mod kinds;
mod leaf;
mod load;
mod macros;
mod object;
pub mod view;

pub use decode::{AnyValue, Cx, Decode, Dict, List1, NumberOr, OneOrMany, Sp};
pub use kind::Kind;
pub use kinds::*;
pub use leaf::*;
pub use load::{Loaded, load};
pub use object::{DocumentId, Object, Spec, decode, decode_node, schemas};

#[cfg(test)]
mod tests;
