//! Engines of every proxy of a program.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mesh_bundle::scope::Scopes;
use mesh_bundle::{Owner, Program, State};

use crate::build::BuildError;
use crate::engine::Engine;

/// Engines of every proxy of a program, built when first needed.
pub(super) struct Engines {
    pub(super) program: Arc<Program>,
    scopes: Scopes,
    state: State,
    built: Mutex<BTreeMap<Owner, Arc<Engine>>>,
}

impl Engines {
    /// Prepares a whole program.
    pub(super) fn new(program: Arc<Program>, state: State) -> Self {
        let scopes = Scopes::of(&program);
        Self { program, scopes, state, built: Mutex::new(BTreeMap::new()) }
    }

    /// The engine of one proxy, from its part of the program.
    pub(super) fn of(&self, owner: &Owner) -> Result<Arc<Engine>, BuildError> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = built.get(owner) {
            return Ok(Arc::clone(engine));
        }
        let needs = self.scopes.needs(owner).unwrap_or_default();
        let part = Arc::new(self.program.part(needs));
        let engine = Arc::new(Engine::new(part, &self.state, owner)?);
        built.insert(owner.clone(), Arc::clone(&engine));
        Ok(engine)
    }
}
