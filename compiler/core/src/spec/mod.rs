//! The typed language: what a document says, with the place of every word.
//!
//! Each type is defined once (`macros.rs`); from that come the Rust type, the decoder, which reports all findings of a
//! document at once, and the JSON Schema, which gives the same verdict. Here shapes, types, units and forms are checked;
//! whether names exist and numbers go together is checked on the model.

mod context;
mod decode;
mod documents;
mod foreign;
mod forms;
mod habits;
mod kind;
mod kinds;
mod load;
mod macros;
mod object;
mod peers;
mod scalar;
mod scalars;
mod unread;
pub mod view;

pub use context::{Cx, Sp};
pub use decode::{AnyValue, Decode, Dict, List1, NumberOr, OneOrMany};
pub use documents::document_schema;
pub use kind::Kind;
pub use kinds::*;
pub use load::{Loaded, load};
pub use object::{DocumentId, Object, Spec, decode, decode_node, schemas};
pub use scalar::Scalar;
pub use scalars::*;
pub use unread::Unread;

#[cfg(test)]
mod tests;
