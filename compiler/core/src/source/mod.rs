//! The source tree: YAML bytes to trees of [`Node`]s with byte spans.
//!
//! Reading never fails: a broken file gives findings and whatever could be read of it, and does not hide the findings
//! of others. Values are resolved by the YAML 1.2 core schema (`yes`, `no`, `on`, `off` are text). The syntax is read
//! by `granit-parser`; everything that a reader may be fooled by (duplicate keys, merge keys, tags, hidden
//! characters, alias bombs) is refused here, within the bounds of [`limits`].

mod bytes;
mod envelope;
mod habits;
pub mod limits;
mod map_keys;
mod merge;
mod node;
mod read;
mod report;
mod resolve;
mod scalar;
mod secret;
mod text_map;

pub use merge::merge;
pub use node::{Key, Node, Style, Text, Value};
pub use read::{Document, Parsed, parse};
pub use text_map::TextMap;

#[cfg(test)]
mod tests;
