//! Rungs 1 to 6: from bytes to an engine that is ready. Knows neither the journal nor what it will replace, but for what
//! it is told.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use mesh_bundle::program::TlsMode;
use mesh_bundle::release::Accepted;
use mesh_bundle::scope::Needs;
use mesh_bundle::trust::TrustSet;
use mesh_bundle::unit::UnitId;
use mesh_bundle::verify::{self, Authentic, Expectation, Intact, Standing};
use mesh_bundle::{Digest, FileSet, Owner, Program, Refusal, Rung, State, archive};
use mesh_decision::selftest;

use super::config::Config;
use super::proven::Ready;
use super::secrets::{Secrets, Watched};
use crate::preflight::PreflightInput;
use crate::request::{Active, BuildInput, UnitDigests};
use crate::tls::TlsState;
use crate::upstream::{Directory, Known};

/// The rungs, with what a bundle is built from beside itself.
pub(super) struct Ladder {
    config: Arc<Config>,
    directory: Arc<Directory>,
    secrets: Secrets,
    identity: Option<Arc<ArcSwap<TlsState>>>,
}

/// What is in force while a bundle climbs: what did not change is taken from there.
#[derive(Clone, Copy, Default)]
pub(super) struct Current<'a> {
    pub(super) active: Option<&'a Active>,
    pub(super) public: Option<&'a Watched>,
}

/// Whether rungs 5 and 6 are climbed in a child first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    InChildFirst,
    HereOnly,
}

impl Ladder {
    pub(super) fn new(
        config: Arc<Config>,
        directory: Arc<Directory>,
        secrets: Secrets,
        identity: Option<Arc<ArcSwap<TlsState>>>,
    ) -> Self {
        Self { config, directory, secrets, identity }
    }

    /// Rungs 1 and 2 for an offer.
    pub(super) fn authentic(&self, files: FileSet, trust: &TrustSet) -> Result<Authentic, Refusal> {
        verify::bound(&files)?;
        verify::authentic(files, trust)
    }

    /// Rungs 1 to 3 for an archive of the own disk. It was signed by one of `sets`, newest first, when it was accepted.
    /// Expiry and order are asked when a release is accepted from a source, never of the own disk.
    pub(super) fn stored<'t>(
        &self,
        bundle: Digest,
        packed: &[u8],
        sets: impl IntoIterator<Item = &'t TrustSet>,
    ) -> Result<Authentic, Refusal> {
        let files = archive::read(packed)?;
        verify::bound(&files)?;
        let mut sets = sets.into_iter();
        // The operator's own set is the last one in any case.
        let mut result = verify::authentic(files.clone(), sets.next().unwrap_or(&self.config.trust));
        for set in sets {
            if result.is_ok() {
                break;
            }
            result = verify::authentic(files.clone(), set).or(result);
        }
        let candidate = result?;
        if candidate.bundle.id != bundle {
            let message = format!("the archive holds {} instead", candidate.bundle.id);
            return Err(Refusal::new(Rung::Authentic, "other-bundle", message));
        }
        verify::eligible(&candidate, &self.expectation(0, None, true))?;
        Ok(candidate)
    }

    /// Rung 3 for an offer, after the newest release that was accepted.
    pub(super) fn eligible(
        &self,
        candidate: &Authentic,
        accepted: Option<&Accepted>,
        local: bool,
    ) -> Result<(), Refusal> {
        verify::eligible(candidate, &self.expectation(self.config.clock.unix_seconds(), accepted, local))
    }

    fn expectation<'a>(&'a self, now: u64, accepted: Option<&'a Accepted>, local: bool) -> Expectation<'a> {
        let Config { mesh, environment, owner, .. } = &*self.config;
        Expectation { mesh, environment, owner, now, accepted, local }
    }

    /// Rung 4. Units that are in force already are taken from there.
    pub(super) fn well_formed(
        &self,
        bundle: &Intact,
        standing: Standing,
        active: Option<&Active>,
    ) -> Result<Arc<Program>, Refusal> {
        let owner = Some(&self.config.owner);
        let program = verify::well_formed_with(bundle, owner, standing, |id, digest| {
            let active = active?;
            let (known, _) = active.units.get(id)?;
            if known == digest { active.engine.program().unit(id) } else { None }
        });
        program.map(Arc::new)
    }

    /// Rungs 5 and 6.
    pub(super) fn build(
        &self,
        candidate: &Authentic,
        program: Arc<Program>,
        state: &State,
        current: Current<'_>,
        check: Check,
    ) -> Result<Ready, Refusal> {
        let (owner, bundle) = (&self.config.owner, &candidate.bundle);
        let needs = needs(bundle, owner)?;
        let units = digests(bundle, &needs);
        let known = current.active.map(|active| &active.units);
        let changed: BTreeSet<UnitId> = units
            .iter()
            .filter(|(id, digests)| known.and_then(|units| units.get(*id)) != Some(*digests))
            .map(|(id, _)| id.clone())
            .collect();
        // Only what came into force already needs no preflight: the same units, under whatever state.
        let same_units = changed.is_empty() && known.is_some_and(|known| known.len() == units.len());
        if check == Check::InChildFirst && !same_units {
            let input = PreflightInput::of(bundle, owner, needs, state, &changed);
            self.config.preflight.check(&input, &self.config.cancel)?;
        }
        let input = BuildInput {
            program: Arc::clone(&program),
            state,
            owner,
            bundle: bundle.id,
            generation: candidate.release.generation,
            directory: &self.directory,
            application: self.application(&program),
            has_identity: self.identity.is_some(),
            seed: self.config.seed,
            units,
        };
        let active = Active::build(&input, current.active)?;
        self.check_identity(&program)?;
        let public = self.public(&program, current.public)?;
        prove(&active, bundle, &changed)?;
        let services = bundle.entries().keys().filter_map(|id| match id {
            UnitId::Service(name) => Some(name.to_string()),
            _ => None,
        });
        let known = Known { scope: active.versions(), elsewhere: services.collect() };
        let denied = candidate.release.acknowledges.denied.clone();
        Ok(Ready { active: Arc::new(active), known, public, denied })
    }

    /// An engine of the same units under another state: state never goes back with a bundle.
    pub(super) fn under_state(&self, active: &Active, state: &State) -> Result<Active, Refusal> {
        let input = BuildInput {
            program: Arc::clone(active.engine.program()),
            state,
            owner: &self.config.owner,
            bundle: active.bundle,
            generation: active.generation,
            directory: &self.directory,
            application: self.application(active.engine.program()),
            has_identity: self.identity.is_some(),
            seed: self.config.seed,
            units: active.units.clone(),
        };
        Active::build(&input, Some(active))
    }

    /// The public certificate that the program asks for, if it does.
    pub(super) fn public(
        &self,
        program: &Program,
        known: Option<&Watched>,
    ) -> Result<Option<Watched>, Refusal> {
        self.secrets.public(program, &self.config.owner, known)
    }

    /// Where the application of a service's proxy listens.
    fn application(&self, program: &Program) -> Option<SocketAddr> {
        let own = match &self.config.owner {
            Owner::Service(name) => program.services.get(name),
            Owner::Gateway(_) => None,
        };
        let loopback = own.map(|service| SocketAddr::from(([127, 0, 0, 1], service.application_port())));
        self.config.application.or(loopback)
    }

    /// The certificate must name the owner, or no callee would let the proxy in and no caller would take it.
    fn check_identity(&self, program: &Program) -> Result<(), Refusal> {
        let Some(identity) = &self.identity else { return Ok(()) };
        let identity = identity.load();
        let expected = program.mesh.spiffe_id(&self.config.owner);
        if identity.identity.id.as_str() == expected || program.mesh.tls == TlsMode::Permissive {
            return Ok(());
        }
        let message = format!("the identity is `{}`, and the bundle says `{expected}`", identity.identity.id);
        Err(Refusal::new(Rung::Built, "wrong-identity", message).at("mesh"))
    }
}

/// Rung 6 here: the self-tests of units that changed.
fn prove(active: &Active, bundle: &Intact, changed: &BTreeSet<UnitId>) -> Result<(), Refusal> {
    for id in changed {
        let Some(tests) = bundle.self_tests(id)? else { continue };
        selftest::prove(&active.engine, id, &tests)
            .map_err(|failure| Refusal::new(Rung::Proven, "self-test-failed", failure.to_string()).at(id))?;
    }
    Ok(())
}

/// What `owner`'s proxy reads. An owner that is not there was refused as not eligible.
fn needs(bundle: &Intact, owner: &Owner) -> Result<Needs, Refusal> {
    let none = || Refusal::new(Rung::Eligible, "not-in-bundle", format!("`{owner}` is not in the bundle"));
    bundle.needs(owner).ok_or_else(none)
}

/// The digests of what is needed.
fn digests(bundle: &Intact, needs: &Needs) -> UnitDigests {
    let entry = |id: &UnitId| bundle.entries().get(id).map(|entry| (id.clone(), (entry.digest, entry.test)));
    needs.units.iter().filter_map(entry).collect()
}
