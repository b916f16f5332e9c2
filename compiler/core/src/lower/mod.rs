//! From the model to the program: names resolved, defaults filled in, every rule checked.
//!
//! One function a unit. Each reports what is wrong at the exact words and notes where each part of the unit was
//! written. A program with findings of severity error never leaves this crate.

mod access;
mod bounds;
mod canary;
mod context;
mod edits;
mod hidden_host;
mod matching;
mod mesh;
mod not_enforced;
mod quota;
mod resilience;
mod retry;
mod rewrite;
mod route;
mod rule_match;
mod service;
mod size;
mod slashes;
mod split;

use std::collections::BTreeMap;

use mesh_bundle::limits;
use mesh_bundle::program::Program;
use mesh_bundle::sourcemap::SourceMap;
use mesh_bundle::unit::UnitId;

use crate::diag::{Diagnostic, codes};
use crate::model::Model;

use context::Cx;

/// Result of lowering one environment.
#[derive(Debug)]
pub struct Lowered {
    /// The program; meaningful only without errors.
    pub program: Program,
    /// Source place of each part of each unit.
    pub maps: BTreeMap<UnitId, SourceMap>,
}

/// Lowers a model.
pub fn lower(model: &Model<'_>, findings: &mut Vec<Diagnostic>) -> Option<Lowered> {
    let mut cx = Cx::new(model);
    let unit = mesh::mesh(&mut cx)?;
    let mut program = Program::new(unit);
    mesh::gateways(&mut cx, &mut program);
    program.control = mesh::control(&mut cx);
    service::services(&mut cx, &mut program);
    canary::canaries(&mut cx, &mut program);
    route::routes(&mut cx, &mut program);
    access::access(&mut cx, &mut program);
    quota::quotas(&mut cx, &mut program);
    resilience::resilience(&mut cx, &mut program);
    let entries: usize = program.access.values().map(|a| a.allow.len() + a.deny.len()).sum();
    let rules: usize = program.routes.values().map(|r| r.rules.len()).sum::<usize>()
        + program.gateway_routes.values().flat_map(|map| map.values()).map(|r| r.rules.len()).sum::<usize>();
    for (what, count, limit) in
        [("services", program.services.len(), limits::SERVICES), ("rules", rules + entries, limits::RULES)]
    {
        if count > limit {
            let message = format!("the mesh has {count} {what}, and the limit is {limit}");
            cx.findings.push(Diagnostic::new(codes::LIMIT_MESH, model.mesh.name_span, message));
        }
    }
    size::check(&mut cx, &program);
    let maps = cx.maps();
    findings.append(&mut cx.findings);
    Some(Lowered { program, maps })
}
