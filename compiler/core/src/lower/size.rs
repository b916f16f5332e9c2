//! Bounds of a bundle that a mesh may pass although each of its files keeps to theirs.

use mesh_bundle::limits;
use mesh_bundle::program::Program;

use super::context::Cx;
use crate::diag::{Diagnostic, codes};

/// Bytes of a file below which none of its units reaches [`limits::UNIT_BYTES`]: a condition grows most, to some 60 bytes
/// for each instruction of two bytes or more.
const SMALL: usize = 32 << 10;

/// Reports a program with more units, or a larger one, than a bundle holds.
pub(super) fn check(cx: &mut Cx<'_, '_>, program: &Program) {
    let mut found = Vec::new();
    let units = program.unit_ids().count();
    if units > limits::UNITS {
        let message = format!("the mesh has {units} units, and a bundle has at most {}", limits::UNITS);
        found.push(Diagnostic::new(codes::LIMIT_MESH, cx.model.mesh.name_span, message));
    }
    let sources = cx.model.sources();
    for (id, span) in cx.unit_places() {
        if sources.file(span.file).is_none_or(|file| file.text().len() < SMALL) {
            continue;
        }
        let size = program.unit(id).and_then(|unit| unit.to_bytes().ok()).map_or(0, |bytes| bytes.len());
        if size > limits::UNIT_BYTES {
            let message =
                format!("this becomes {size} bytes of a bundle, and the limit is {}", limits::UNIT_BYTES);
            let finding = Diagnostic::new(codes::LIMIT_MESH, span, message).at("too large");
            found.push(
                finding
                    .help("take conditions and bodies out that several rules repeat, or split the service"),
            );
        }
    }
    found.into_iter().for_each(|finding| cx.report(finding));
}
