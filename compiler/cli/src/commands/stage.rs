//! `--stage canary/NAME=N|done`: where canaries stand.

use std::str::FromStr;

use mesh_bundle::{Name, Program, State};
use mesh_compiler::diag::nearest;
use mesh_compiler::stage::{self, Stage, StageError};

use crate::failure::Failure;

/// One canary's stage as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StageArg {
    service: Name,
    stage: Stage,
}

impl FromStr for StageArg {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "a stage is written canary/NAME=N or canary/NAME=done".to_owned();
        let (address, stage) = text.split_once('=').ok_or_else(form)?;
        let name = address.strip_prefix("canary/").ok_or_else(form)?;
        let service = Name::new(name).map_err(|e| e.to_string())?;
        let stage = match stage {
            "done" => Stage::Done,
            number => Stage::Number(number.parse().map_err(|_| form())?),
        };
        Ok(Self { service, stage })
    }
}

/// The state in which the canaries of `program` stand at these stages, the others at none.
///
/// # Errors
/// For a canary or stage that does not exist.
pub(crate) fn state(program: &Program, stages: &[StageArg]) -> Result<State, Failure> {
    for StageArg { service, stage } in stages {
        let without = program.canaries.get(service).is_some_and(|canary| canary.candidate.is_none());
        if without && *stage != Stage::Number(0) {
            let environment = &program.mesh.environment;
            return Err(Failure::cannot(format!("in `{environment}`: `canary/{service}` has no candidate")));
        }
    }
    let stages: Vec<(Name, Stage)> = stages.iter().map(|arg| (arg.service.clone(), arg.stage)).collect();
    stage::state(program, &stages).map_err(|error: StageError| {
        let environment = &program.mesh.environment;
        let failure = Failure::cannot(format!("in `{environment}`: {error}"));
        let near = match &error {
            StageError::NoCanary(service) => {
                nearest(service.as_str(), program.canaries.keys().map(Name::as_str))
            }
            _ => None,
        };
        match (near, error) {
            (Some(near), _) => failure.help(format!("did you mean `canary/{near}`?")),
            (None, StageError::NoStage { .. }) => {
                failure.help("environments have stages of their own: name one with --env")
            }
            (None, _) => failure,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_written_form() {
        assert!("canary/orders=2".parse::<StageArg>().is_ok());
        assert_eq!("canary/orders=done".parse::<StageArg>().unwrap().stage, Stage::Done);
        for bad in ["orders=2", "canary/orders", "canary/orders=", "canary/Orders=1", "canary/orders=-1"] {
            assert!(bad.parse::<StageArg>().is_err(), "{bad}");
        }
    }
}
