//! What `--output json` prints: one type a command, with its JSON Schema and its forms for people. Stable: a field is
//! added, and none changes its meaning or goes away without a new number in `schema`.

mod access;
mod build;
mod explain;
mod findings;
mod head;
mod init;
mod keygen;
mod plan;
mod route;
mod test;
mod verify;
mod version;

pub(crate) use access::{AccessReport, Answered, Effect, Rule};
pub(crate) use build::{BuildReport, Built};
pub(crate) use explain::ExplainReport;
pub(crate) use findings::FindingsReport;
pub(crate) use head::Place;
pub(crate) use init::InitReport;
pub(crate) use keygen::KeygenReport;
pub(crate) use plan::{EnvironmentPlan, PlanReport, Side};
pub(crate) use route::{Asked, RouteAnswer, RouteReport, RouteShare};
pub(crate) use test::{Case, Coverage, Mismatch, TestReport};
pub(crate) use verify::VerifyReport;
pub(crate) use version::VersionReport;

#[cfg(test)]
mod tests;
