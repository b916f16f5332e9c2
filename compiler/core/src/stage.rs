//! Stages of canaries, as tests and tools name them.

use mesh_bundle::canonical::CanonicalError;
use mesh_bundle::state::CanaryState;
use mesh_bundle::{Name, Program, State};

/// The stage of a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// So many stages have begun.
    Number(u32),
    /// The candidate has all requests.
    Done,
}

/// A canary cannot stand at a stage.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The service has none.
    #[error("there is no canary `canary/{0}`")]
    NoCanary(Name),
    /// A stage behind the last.
    #[error("`canary/{service}` has stages 0 (none) to {last} and `done`")]
    NoStage {
        /// The service.
        service: Name,
        /// The last stage before `done`.
        last: usize,
    },
    /// A unit without canonical form, which no program from the compiler has.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// The state in which these canaries stand at these stages, and the others have not begun.
///
/// # Errors
/// For a canary or stage that does not exist.
pub fn state(program: &Program, stages: &[(Name, Stage)]) -> Result<State, StageError> {
    let mut state = State::default();
    for (service, stage) in stages {
        state.canaries.insert(format!("canary/{service}"), canary(program, service, *stage)?);
    }
    Ok(state)
}

fn canary(program: &Program, service: &Name, stage: Stage) -> Result<CanaryState, StageError> {
    let both = program.canaries.get(service).zip(program.services.get(service));
    let (canary, unit) = both.ok_or_else(|| StageError::NoCanary(service.clone()))?;
    let last = canary.stages.len();
    let no_stage = || StageError::NoStage { service: service.clone(), last };
    let stage = match stage {
        // One past the last is the whole, but it is named `done`: a number that an environment lacks moves nobody there.
        Stage::Number(number) if usize::try_from(number).is_ok_and(|number| number > last) => {
            return Err(no_stage());
        }
        Stage::Number(number) => number,
        Stage::Done => u32::try_from(last + 1).map_err(|_| no_stage())?,
    };
    let weight = canary.weight_at(stage).ok_or_else(no_stage)?;
    Ok(CanaryState { stage, weight, content: canary.content_id(unit)? })
}
