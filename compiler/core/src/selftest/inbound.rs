//! Self-tests of access and quotas.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mesh_bundle::expr::Slot;
use mesh_bundle::program::{Access, Entry, Quotas, RateKey};
use mesh_bundle::selftest::{Caller, Example, Expect};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Name, Owner, Program, State, limits};
use mesh_decision::Engine;
use mesh_decision::Scratch;
use mesh_decision::selftest::answer;

use super::callers::{Callers, STRANGER};
use super::neighbours::{Taken, from_others};
use super::selection::{keep, spread};
use super::sketch::{ANYTHING, Sketch};

/// Callers, and paths, of one entry that get an example each.
const EACH: usize = 4;

/// Access and quotas of every owner: at the door of its own proxy.
pub(super) fn of_owners<'p>(
    program: &'p Program,
    callers: &mut Callers<'p>,
    tests: &mut BTreeMap<UnitId, Vec<u8>>,
) {
    let owners: BTreeSet<&Owner> = program.access.keys().chain(program.quotas.keys()).collect();
    for owner in owners {
        let base = door(program, owner);
        let access = program.access.get(owner);
        let lists = access.map(|access| of_access(access, &base, callers)).unwrap_or_default();
        let quotas = program.quotas.get(owner);
        let charged = quotas.map(|quotas| of_quotas(quotas, &base, &lists, callers)).unwrap_or_default();
        let engines = engines(program, owner, lists.iter().chain(&charged).flatten());
        let mut scratch = Scratch::default();
        keep(tests, UnitId::Access(owner.clone()), lists, |example| {
            agreed(&engines, &UnitId::Access(owner.clone()), example, &mut scratch)
        });
        keep(tests, UnitId::Quotas(owner.clone()), charged, |example| {
            // A refusal is the verdict of access, and costs nothing.
            let got = agreed(&engines, &UnitId::Quotas(owner.clone()), example, &mut scratch);
            got.filter(|got| matches!(got, Expect::Charges(_)))
        });
    }
}

/// A plain request to the owner.
fn door<'p>(program: &Program, owner: &Owner) -> Sketch<'p> {
    match owner {
        Owner::Service(_) => Sketch::new("", "http", Caller::External),
        Owner::Gateway(name) => {
            let gateway = program.gateways.get(name);
            let scheme = if gateway.is_some_and(|g| g.certificate.is_some()) { "https" } else { "http" };
            let host = gateway.and_then(|g| g.hosts.first()).map(|host| host.replacen('*', "a", 1));
            Sketch::new(&host.unwrap_or_default(), scheme, Caller::External)
        }
    }
}

/// Engines of the owner's proxies: one, or where an answer can depend on the version that a proxy stands for, one each.
/// Each has what decides at the door and no destinations: the services that examples come from are all it must know.
fn engines<'e>(program: &Program, owner: &Owner, examples: impl Iterator<Item = &'e Example>) -> Vec<Engine> {
    let mut part = Program { calls: Some(BTreeSet::new()), ..Program::new(program.mesh.clone()) };
    let mut versions: Vec<Name> = Vec::new();
    match owner {
        Owner::Service(name) => {
            if let Some(service) = program.services.get(name) {
                versions.clone_from(&service.versions);
                part.services.insert(name.clone(), service.clone());
            }
        }
        Owner::Gateway(name) => {
            part.gateways.extend(program.gateways.get(name).map(|g| (name.clone(), g.clone())));
        }
    }
    for example in examples {
        if let Caller::Service(name) = &example.source
            && !part.services.contains_key(name)
            && let Some(service) = program.services.get(name)
        {
            part.services.insert(name.clone(), service.clone());
        }
    }
    part.access.extend(program.access.get(owner).map(|access| (owner.clone(), access.clone())));
    part.quotas.extend(program.quotas.get(owner).map(|quotas| (owner.clone(), quotas.clone())));
    if !part.access.get(owner).is_some_and(reads_version)
        && !part.quotas.get(owner).is_some_and(keyed_by_version)
    {
        versions.clear();
    }
    let part = Arc::new(part);
    let plain = [None].into_iter().chain(versions.iter().map(Some));
    plain
        .filter_map(|version| {
            let engine = Engine::new(Arc::clone(&part), &State::default(), owner).ok()?;
            Some(match version {
                Some(version) => engine.with_version(version.as_str()),
                None => engine,
            })
        })
        .collect()
}

/// The answer, if all give the same.
fn agreed(engines: &[Engine], unit: &UnitId, example: &Example, scratch: &mut Scratch) -> Option<Expect> {
    let (first, rest) = engines.split_first()?;
    let got = answer(first, unit, example, scratch)?;
    rest.iter().all(|engine| answer(engine, unit, example, scratch).as_ref() == Some(&got)).then_some(got)
}

/// One list an entry, deny before allow.
fn of_access<'p>(access: &'p Access, base: &Sketch<'p>, callers: &mut Callers<'p>) -> Vec<Vec<Example>> {
    let entries: Vec<&Entry> = access.deny.iter().chain(&access.allow).collect();
    // A stranger first, whom no other entry lets in but one for everybody: so an entry that is opened too far shows.
    // Then whoever is meant elsewhere, the likeliest to be let in by mistake.
    let mut others = vec![Caller::Principal(STRANGER.to_owned())];
    for from in entries.iter().flat_map(|entry| &entry.from).take(limits::SELF_TESTS) {
        if let Some(caller) = callers.one(from)
            && !others.contains(&caller)
        {
            others.push(caller);
        }
    }
    others.push(Caller::External);
    spread(&entries).map(|entry| of_entry(entry, base, &others, callers)).collect()
}

fn of_entry<'p>(
    entry: &'p Entry,
    base: &Sketch<'p>,
    others: &[Caller],
    callers: &mut Callers<'p>,
) -> Vec<Example> {
    let own: Vec<Caller> = entry.from.iter().filter_map(|from| callers.one(from)).collect();
    let Some(first) = own.first() else { return Vec::new() };
    let mut base = base.clone();
    base.example.source = first.clone();
    let paths: Vec<_> = match entry.paths.as_slice() {
        [] => vec![None],
        paths => paths.iter().take(EACH).map(Some).collect(),
    };
    let mut examples = Vec::new();
    let mut beside = Vec::new();
    for path in paths {
        let taken = Taken::of_entry(entry, path);
        let Some(sketch) = taken.example(&base, callers) else { continue };
        let Some(example) = sketch.finish() else { continue };
        if beside.is_empty() {
            let strangers = others.iter().filter(|other| !own.contains(other)).take(3).cloned();
            beside.extend(from_others(&example, strangers));
            beside.extend(from_others(&example, own.iter().skip(1).take(EACH).cloned()));
            beside.extend(taken.neighbours(&sketch, callers));
        }
        examples.push(example);
    }
    examples.extend(beside);
    examples
}

/// One list a limit, from requests that access has examples for.
fn of_quotas<'p>(
    quotas: &'p Quotas,
    base: &Sketch<'p>,
    access: &[Vec<Example>],
    callers: &Callers<'p>,
) -> Vec<Vec<Example>> {
    let mut requests: Vec<Example> =
        access.iter().flat_map(|list| list.iter().take(EACH)).take(limits::SELF_TESTS).cloned().collect();
    requests.extend(base.finish());
    let keyed = |limit: &RateKey| match limit {
        RateKey::Slot(slot) => requests.iter().filter_map(|request| with(request, slot, callers)).collect(),
        RateKey::Expression(key) => {
            let slots = key.code.slots.iter();
            slots
                .flat_map(|slot| requests.iter().filter_map(|request| with(request, slot, callers)))
                .collect()
        }
        RateKey::Caller | RateKey::Service => Vec::new(),
    };
    let mut lists: Vec<Vec<Example>> = spread(&quotas.limits).map(|limit| keyed(&limit.per)).collect();
    lists.push(requests.clone());
    lists
}

/// The request with some value where a limit looks for its key.
fn with(request: &Example, slot: &Slot, callers: &Callers<'_>) -> Option<Example> {
    let mut sketch = Sketch::default();
    sketch.example = request.clone();
    // Query and cookies are written already; an example with both is left as it is.
    let free = request.query.is_empty() && !request.headers.contains_key("cookie");
    (free && slot.repeated() && sketch.set(slot, ANYTHING, callers)).then(|| sketch.finish()).flatten()
}

fn reads_version(access: &Access) -> bool {
    let version = |slot: &Slot| matches!(slot, Slot::DestinationVersion);
    let mut entries = access.deny.iter().chain(&access.allow);
    entries.any(|entry| entry.when.as_ref().is_some_and(|when| when.code.reads(version)))
}

fn keyed_by_version(quotas: &Quotas) -> bool {
    quotas.limits.iter().any(|limit| limit.per.reads(|slot| matches!(slot, Slot::DestinationVersion)))
}
