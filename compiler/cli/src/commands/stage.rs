//! `--stage canary/NAME=N|done`: where canaries stand.

use std::str::FromStr;

use mesh_bundle::state::CanaryState;
use mesh_bundle::{Name, Program, State};
use mesh_compiler::diag::nearest;

use crate::failure::Failure;

/// One canary's stage as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StageArg {
    service: Name,
    /// `None` is `done`.
    stage: Option<u32>,
}

impl FromStr for StageArg {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "a stage is written canary/NAME=N or canary/NAME=done".to_owned();
        let (address, stage) = text.split_once('=').ok_or_else(form)?;
        let name = address.strip_prefix("canary/").ok_or_else(form)?;
        let service = Name::new(name).map_err(|e| e.to_string())?;
        let stage = match stage {
            "done" => None,
            number => Some(number.parse().map_err(|_| form())?),
        };
        Ok(Self { service, stage })
    }
}

/// The state in which the canaries of `program` stand at these stages, the others at none.
///
/// # Errors
/// For a canary or stage that does not exist.
pub(crate) fn state(program: &Program, stages: &[StageArg]) -> Result<State, Failure> {
    let mut state = State::default();
    for StageArg { service, stage } in stages {
        let (Some(canary), Some(unit)) = (program.canaries.get(service), program.services.get(service))
        else {
            let failure = Failure::cannot(format!("there is no canary `canary/{service}`"));
            let near = nearest(service.as_str(), program.canaries.keys().map(Name::as_str));
            return Err(match near {
                Some(near) => failure.help(format!("did you mean `canary/{near}`?")),
                None => failure,
            });
        };
        let last = u32::try_from(canary.stages.len()).unwrap_or(u32::MAX - 1) + 1;
        let stage = stage.unwrap_or(last);
        if stage > 0 && canary.candidate.is_none() {
            return Err(Failure::cannot(format!("`canary/{service}` has no candidate")));
        }
        let Some(weight) = canary.weight_at(stage) else {
            let message = format!("`canary/{service}` has stages 0 (none) to {} and `done`", last - 1);
            return Err(Failure::cannot(message));
        };
        let content = canary.content_id(unit).map_err(|e| Failure::cannot(e.to_string()))?;
        state.canaries.insert(format!("canary/{service}"), CanaryState { stage, weight, content });
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_written_form() {
        assert!("canary/orders=2".parse::<StageArg>().is_ok());
        assert_eq!("canary/orders=done".parse::<StageArg>().unwrap().stage, None);
        for bad in ["orders=2", "canary/orders", "canary/orders=", "canary/Orders=1", "canary/orders=-1"] {
            assert!(bad.parse::<StageArg>().is_err(), "{bad}");
        }
    }
}
