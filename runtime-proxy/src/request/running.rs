//! What is in force: one bundle, and its probation while that lasts.

use std::cell::Cell;
use std::sync::Arc;

use mesh_bundle::program::{SlashMode, TlsMode};
use mesh_decision::Engine;

use super::active::Active;
use super::probation::{Probation, Seen};

/// What one request sees, loaded once: what decides it, and what it is compared with.
#[derive(Clone, Debug)]
pub struct Running {
    /// The bundle that decides.
    pub active: Arc<Active>,
    /// Its probation, while it lasts.
    pub probation: Option<Arc<Probation>>,
}

impl Running {
    /// A bundle that nothing is compared with.
    #[must_use]
    pub fn vouched(active: Arc<Active>) -> Self {
        Self { active, probation: None }
    }

    /// What an inbound listener asks of callers. While callers in clear are new to be refused, they are let in that far: it
    /// is counted, and a bundle that shuts them out unseen is left again.
    pub(super) fn listener_tls(&self) -> TlsMode {
        match &self.probation {
            Some(probation) if probation.old.engine.program().mesh.tls == TlsMode::Permissive => {
                TlsMode::Permissive
            }
            _ => self.active.engine.program().mesh.tls,
        }
    }

    /// What `of` an engine says about escaped slashes; notes in `stricter` where they are refused and the bundle before
    /// kept them, and whether a reviewer has seen that of `host`'s service.
    pub(super) fn slash_mode(
        &self,
        stricter: &Cell<Option<Seen>>,
        host: &str,
        of: impl Fn(&Engine) -> SlashMode,
    ) -> SlashMode {
        let mode = of(&self.active.engine);
        if mode == SlashMode::Reject
            && let Some(probation) = &self.probation
            && of(&probation.old.engine) != SlashMode::Reject
        {
            stricter.set(Some(probation.seen_service(host)));
        }
        mode
    }
}
