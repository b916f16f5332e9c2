//! The child's side.

use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::sync::Arc;

use mesh_bundle::selftest::SelfTests;
use mesh_bundle::unit::{Unit, UnitId};
use mesh_bundle::{Program, Refusal, Rung, limits};
use mesh_decision::{Engine, selftest};
use rustix::fs::fstat;
use rustix::process::{Resource, Rlimit, setrlimit};

use super::input::{PreflightInput, Verdict};

/// What a child may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of address space.
    pub memory: u64,
    /// Seconds of processor time.
    pub seconds: u64,
}

impl Default for Limits {
    /// 1 GiB and 10 s. An engine of 10,000 routes takes 50 MiB and 0.05 s.
    fn default() -> Self {
        Self { memory: 1 << 30, seconds: 10 }
    }
}

impl Limits {
    /// Limits this process, for good.
    ///
    /// # Errors
    /// What the system says.
    pub fn apply(self) -> io::Result<()> {
        limit(Resource::As, self.memory)?;
        limit(Resource::Cpu, self.seconds)?;
        limit(Resource::Core, 0)
    }
}

/// What `mesh-proxy preflight` does: limits itself, reads a [`PreflightInput`] from standard input (a file, or a pipe), writes a [`Verdict`] to standard
/// output.
///
/// # Errors
/// What the system says of limits, input or output; the parent takes that as a refusal too.
pub fn run(limits: Limits) -> io::Result<()> {
    limits.apply()?;
    let most = limits::BUNDLE_BYTES * 2;
    let stdin = io::stdin().lock();
    // A hint only: where the length is known, nothing is copied while it grows.
    let length = fstat(&stdin).map_or(0, |stat| usize::try_from(stat.st_size).unwrap_or(0));
    let mut all = Vec::with_capacity(length.saturating_add(1).min(most));
    stdin.take(most as u64).read_to_end(&mut all)?;
    let input = PreflightInput::read(&all)?;
    let verdict = match check(&input) {
        Ok(cases) => Verdict::Good { cases },
        Err(refusal) => Verdict::Refused(refusal),
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &verdict)?;
    out.flush()
}

fn limit(what: Resource, to: u64) -> io::Result<()> {
    Ok(setrlimit(what, Rlimit { current: Some(to), maximum: Some(to) })?)
}

/// Rungs 5 and 6.
pub(super) fn check(input: &PreflightInput<'_>) -> Result<usize, Refusal> {
    let mut parts = input.parts();
    let mut units = Vec::new();
    for (name, bytes) in parts.by_ref().take(input.order.units.len()) {
        let id = id(name)?;
        let unit = Unit::from_verified(&id, bytes)
            .map_err(|e| Refusal::new(Rung::WellFormed, "malformed-unit", e.to_string()).at(name))?;
        units.push((id, unit));
    }
    let none = || Refusal::new(Rung::WellFormed, "missing-unit", "there is no mesh unit").at("mesh");
    let mut program = Program::from_units(units).ok_or_else(none)?;
    program.calls = Some(input.order.calls.clone());
    let engine = Engine::new(Arc::new(program), &input.order.state, &input.order.owner)
        .map_err(|e| Refusal::new(Rung::Built, "cannot-build", e.reason).at(e.unit).pointing(e.pointer))?;
    // The process ends next: taking ten thousand rules apart would be a tenth of its time.
    let engine = ManuallyDrop::new(engine);
    let mut cases = 0;
    for (name, bytes) in parts {
        let id = id(name)?;
        let tests = SelfTests::from_bytes(bytes)
            .map_err(|e| Refusal::new(Rung::Proven, "malformed-self-tests", e.to_string()).at(name))?;
        let proved = selftest::prove(&engine, &id, &tests).map_err(|failure| {
            Refusal::new(Rung::Proven, "self-test-failed", failure.to_string()).at(name)
        })?;
        cases += proved.passed;
    }
    Ok(cases)
}

fn id(name: &str) -> Result<UnitId, Refusal> {
    let odd = || Refusal::new(Rung::WellFormed, "malformed-unit", "no unit has this name").at(name);
    name.parse().map_err(|_| odd())
}
