//! Findings: where, what, why, and how to repair it. Rendering is the caller's business.

pub mod codes;
mod date;
mod diagnostic;
mod severity;
mod sources;
mod suggest;
mod suppress;
mod text;

pub use codes::{Code, CodeInfo};
pub use date::{CheckDay, Date};
pub use diagnostic::{Diagnostic, Diagnostics, Edit, Fix, Label};
pub use severity::Severity;
pub use sources::{FileId, Position, SourceFile, Sources, Span};
pub use suggest::{nearest, restyled, slip};
pub use suppress::{Comment, Suppressed, suppress};
pub use text::{is_hidden, quoted, visible};
