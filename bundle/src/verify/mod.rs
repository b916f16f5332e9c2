//! The pure rungs of the activation ladder: 1 bound, 2 authentic, 3 eligible, 4 well formed.
//!
//! Each rung is a function; the later ones take what the earlier gave. There is no way to skip
//! one: [`Authentic`] is made by [`authentic`] alone.

mod references;
mod removal;
mod reserved;

use std::collections::{BTreeMap, BTreeSet};

pub use removal::{Removal, not_too_much};
pub use reserved::{LeftOut, reserved};

use crate::canonical;
use crate::digest::Digest;
use crate::dsse;
use crate::features::FEATURES;
use crate::files::{FileSet, Kind};
use crate::limits;
use crate::manifest::{self, Entry, FORMAT, Head, Manifest, Record, Shard};
use crate::name::{Name, Owner};
use crate::program::Program;
use crate::refusal::{Refusal, Rung};
use crate::release::{Accepted, Release};
use crate::scope::{Links, Needs, Scopes};
use crate::selftest::SelfTests;
use crate::sourcemap::SourceMap;
use crate::state::State;
use crate::trust::TrustSet;
use crate::unit::{Unit, UnitId};

/// A bundle whose every byte its manifest accounts for.
#[derive(Debug, Clone)]
pub struct Intact {
    /// Id of the bundle: the digest of its manifest.
    pub id: Digest,
    /// The decoded manifest.
    pub manifest: Manifest,
    entries: BTreeMap<UnitId, Entry>,
    scopes: Scopes,
    files: FileSet,
}

/// An intact bundle that a threshold of trusted keys signed, with the release that makes it eligible.
#[derive(Debug, Clone)]
pub struct Authentic {
    /// The intact bundle.
    pub bundle: Intact,
    /// The release that names the bundle and the state.
    pub release: Release,
    /// The rollout's state to run the bundle with.
    pub state: State,
}

/// Whether a bundle is new to the proxy that climbs with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is offered: whatever this version refuses is refused.
    Offered,
    /// The proxy accepted it once. What later versions refuse does not bind it: it runs on, without what [`reserved`]
    /// tells.
    Accepted,
}

/// The identity, clock and history of the proxy that is to run a bundle.
#[derive(Debug, Clone)]
pub struct Expectation<'a> {
    /// Name of the proxy's mesh.
    pub mesh: &'a Name,
    /// Name of the proxy's environment.
    pub environment: &'a Name,
    /// Service or gateway that the proxy stands for.
    pub owner: &'a Owner,
    /// The present time, in seconds since 1970 in UTC.
    pub now: u64,
    /// The newest release that the proxy has accepted, if any.
    pub accepted: Option<&'a Accepted>,
    /// True for a folder or archive on this machine: there an equal generation may hold another bundle.
    pub local: bool,
}

/// Rung 1: sizes and counts, before anything is parsed.
///
/// # Errors
/// A [`Refusal`] naming the file over its bound, or no bundle's.
pub fn bound(files: &FileSet) -> Result<(), Refusal> {
    let refuse = |code: &str, message: String| Err(Refusal::new(Rung::Bound, code, message));
    if files.len() > limits::BUNDLE_FILES {
        return refuse(
            "too-many-files",
            format!("{} files, and the limit is {}", files.len(), limits::BUNDLE_FILES),
        );
    }
    let mut total = 0_usize;
    let mut units = 0_usize;
    for (path, bytes) in files {
        let Some(kind) = Kind::of(path) else {
            return refuse("unknown-file", "no bundle holds a file of this name".to_owned())
                .map_err(|r| r.at(path.escape_debug()));
        };
        units += usize::from(matches!(kind, Kind::Unit(_)));
        total = total.saturating_add(bytes.len());
        if bytes.len() > kind.limit() {
            let message = format!("the file has {} bytes, and the limit is {}", bytes.len(), kind.limit());
            return refuse("file-too-large", message).map_err(|r| r.at(path));
        }
    }
    if units > limits::UNITS {
        return refuse("too-many-units", format!("{units} units, and the limit is {}", limits::UNITS));
    }
    if total > limits::BUNDLE_BYTES {
        return refuse(
            "bundle-too-large",
            format!("{total} bytes, and the limit is {}", limits::BUNDLE_BYTES),
        );
    }
    for needed in ["manifest.json", "signature.dsse", "release.dsse", "state.json"] {
        if !files.contains_key(needed) {
            let hint = format!("`{needed}` is missing: this is not a bundle, or only part of one");
            return refuse("missing-file", hint).map_err(|r| r.at(needed));
        }
    }
    Ok(())
}

/// Rung 2: signatures of manifest and release by `trust`, then every digest.
///
/// # Errors
/// A [`Refusal`] naming the envelope or file that is not what was signed.
pub fn authentic(files: FileSet, trust: &TrustSet) -> Result<Authentic, Refusal> {
    let envelope = |path: &str, kind: &str| {
        let bytes = files.get(path).map(Vec::as_slice).unwrap_or_default();
        dsse::open(kind, bytes, trust)
            .map_err(|e| Refusal::new(Rung::Authentic, "bad-signature", e.to_string()).at(path))
    };
    let signed = envelope("signature.dsse", dsse::MANIFEST_TYPE)?;
    let release = envelope("release.dsse", dsse::RELEASE_TYPE)?;
    if files.get("manifest.json") != Some(&signed) {
        let message = "`manifest.json` is not what was signed";
        return Err(Refusal::new(Rung::Authentic, "manifest-not-signed", message).at("manifest.json"));
    }
    let release: Release = decode(Rung::Authentic, "release.dsse", &release)?;
    if release.epoch > limits::MAX_GENERATION || release.generation > limits::MAX_GENERATION {
        let message = format!("epoch and generation end at {}", limits::MAX_GENERATION);
        return Err(Refusal::new(Rung::Authentic, "number-out-of-range", message).at("release.dsse"));
    }
    if release.expected_denials.len() > limits::EXPECTED_DENIALS {
        let message = format!("a release expects at most {} denials", limits::EXPECTED_DENIALS);
        return Err(Refusal::new(Rung::Authentic, "too-many-denials", message).at("release.dsse"));
    }
    let state_bytes = files.get("state.json").map(Vec::as_slice).unwrap_or_default();
    if Digest::of(state_bytes) != release.state {
        let message = "`state.json` is not the one that the release names";
        return Err(Refusal::new(Rung::Authentic, "state-not-released", message).at("state.json"));
    }
    let state: State = decode(Rung::Authentic, "state.json", state_bytes)?;
    let bundle = intact(files)?;
    if bundle.id != release.bundle {
        let message = format!("the release is for bundle {}, and this is {}", release.bundle, bundle.id);
        return Err(Refusal::new(Rung::Authentic, "release-for-another-bundle", message).at("release.dsse"));
    }
    Ok(Authentic { bundle, release, state })
}

/// The second half of rung 2, without trust: every file is the one that the manifest accounts
/// for, none is missing and none is left over. For tools that read bundles without running them.
///
/// # Errors
/// A [`Refusal`] naming the file.
pub fn intact(files: FileSet) -> Result<Intact, Refusal> {
    let missing = |path: &str| {
        Refusal::new(Rung::Authentic, "missing-file", "the index lists this file, and it is not there")
            .at(path)
    };
    let bytes = files.get("manifest.json").ok_or_else(|| missing("manifest.json"))?;
    let id = Digest::of(bytes);
    // The format is read first, so that a newer one is refused by its number and not by its fields.
    let format = serde_json::from_slice::<FormatOnly>(bytes).map(|f| f.format);
    if let Ok(format) = format
        && format != FORMAT
    {
        let message = format!("the bundle has format {format}, and this version reads format {FORMAT}");
        return Err(Refusal::new(Rung::Authentic, "unknown-format", message).at("manifest.json"));
    }
    let manifest: Manifest = decode(Rung::Authentic, "manifest.json", bytes)?;
    let mut seen: BTreeSet<String> =
        ["manifest.json", "signature.dsse", "release.dsse", "state.json"].map(str::to_owned).into();
    let mut checked = |kind: Kind, digest: Digest| -> Result<&[u8], Refusal> {
        let path = kind.path();
        let bytes = files.get(&path).ok_or_else(|| missing(&path))?;
        if Digest::of(bytes) == digest {
            seen.insert(path);
            Ok(bytes)
        } else {
            let message = "the file is not the one that the index names: it was changed or mixed in";
            Err(Refusal::new(Rung::Authentic, "wrong-digest", message).at(path))
        }
    };
    let mut entries: BTreeMap<UnitId, Entry> = BTreeMap::new();
    let mut scopes = Scopes::default();
    for (digit, digest) in &manifest.index {
        let path = format!("index/{digit}.json");
        let Some(kind @ Kind::Head(_)) = Kind::of(&path) else {
            return Err(missing(&path));
        };
        let head: Head = decode(Rung::Authentic, &path, checked(kind, *digest)?)?;
        for (digits, digest) in &head {
            let path = format!("index/{digits}.json");
            let Some(kind @ Kind::Shard(number)) = Kind::of(&path).filter(|_| digits.starts_with(digit))
            else {
                return Err(missing(&path));
            };
            let shard: Shard = decode(Rung::Authentic, &path, checked(kind, *digest)?)?;
            read_shard(shard, number, &mut entries, &mut scopes).map_err(|r| r.at(&path))?;
        }
    }
    for (id, entry) in &entries {
        checked(Kind::Unit(id.clone()), entry.digest)?;
        if let Some(digest) = entry.map {
            checked(Kind::SourceMap(id.clone()), digest)?;
        }
        if let Some(digest) = entry.test {
            checked(Kind::SelfTest(id.clone()), digest)?;
        }
    }
    if let Some(extra) = files.keys().find(|path| !seen.contains(*path)) {
        let message = "the index does not list this file";
        return Err(Refusal::new(Rung::Authentic, "unlisted-file", message).at(extra));
    }
    Ok(Intact { id, manifest, entries, scopes, files })
}

/// Takes in what one shard lists. Each key has one shard and each unit one owner, so nothing can
/// be listed twice with different content.
fn read_shard(
    shard: Shard,
    number: u8,
    entries: &mut BTreeMap<UnitId, Entry>,
    scopes: &mut Scopes,
) -> Result<(), Refusal> {
    let refuse = |code: &str, message: String| Refusal::new(Rung::Authentic, code, message);
    let keys = shard.owners.keys().chain(shard.groups.keys());
    if let Some(key) = keys.into_iter().find(|key| manifest::shard_of(key) != number) {
        return Err(refuse("mixed-units", format!("`{key}` belongs into another shard")));
    }
    for (key, Record { units, scope }) in shard.owners {
        let owner = manifest::owner_of(&key)
            .ok_or_else(|| refuse("malformed", format!("`{}` can own nothing", key.escape_debug())))?;
        let mut ids = BTreeSet::new();
        for (path, entry) in units {
            let id: UnitId = path
                .parse()
                .map_err(|_| refuse("malformed", format!("`{}` cannot be a unit", path.escape_debug())))?;
            if id.owner() != owner {
                return Err(refuse(
                    "mixed-units",
                    format!("unit `{id}` is listed under another owner, `{key}`"),
                ));
            }
            ids.insert(id.clone());
            entries.insert(id, entry);
        }
        if let Some(owner) = owner {
            scopes.owners.insert(owner, Links { units: ids, scope });
        }
    }
    scopes.groups.extend(shard.groups);
    Ok(())
}

/// Rung 3: for this mesh, environment and owner, newer than what was accepted, not expired, with
/// no feature that this version lacks.
///
/// # Errors
/// A [`Refusal`] at [`Rung::Eligible`].
pub fn eligible(candidate: &Authentic, me: &Expectation<'_>) -> Result<(), Refusal> {
    let refuse = |code: &str, message: String| Err(Refusal::new(Rung::Eligible, code, message));
    let (manifest, release) = (&candidate.bundle.manifest, &candidate.release);
    if release.asks_for_more() {
        let message =
            "the release names a predecessor or denials that it expects, and this version does not heed them";
        return refuse("not-enforced", message.to_owned());
    }
    for (what, mine, bundles, releases) in [
        ("mesh", me.mesh, &manifest.mesh, &release.mesh),
        ("environment", me.environment, &manifest.environment, &release.environment),
    ] {
        if bundles != mine || releases != mine {
            let other = if bundles == mine { releases } else { bundles };
            return refuse(
                &format!("wrong-{what}"),
                format!("this is for {what} `{other}`, and this proxy is in `{mine}`"),
            );
        }
    }
    if let Some(accepted) = me.accepted {
        let (known, offered) = ((accepted.epoch, accepted.generation), (release.epoch, release.generation));
        let shown = |(epoch, generation): (u64, u64)| format!("epoch {epoch}, generation {generation}");
        if offered < known {
            let message =
                format!("the release is {}, and {} was accepted before", shown(offered), shown(known));
            return refuse("older-generation", message);
        }
        let same = accepted.bundle == release.bundle && accepted.state == release.state;
        if offered == known && !same && !me.local {
            let message = format!("{} was accepted before with other content", shown(known));
            return refuse("same-generation-other-content", message);
        }
    }
    if let Some(expires) = release.expires
        && me.now >= expires
    {
        return refuse(
            "expired",
            format!("the release expired at {expires} (unix seconds), and it is {}", me.now),
        );
    }
    let Some(needs) = candidate.bundle.needs(me.owner) else {
        return refuse("not-in-bundle", format!("the bundle has no `{}`", me.owner));
    };
    for id in &needs.units {
        let requires = candidate.bundle.entries.get(id).map(|e| e.requires.as_slice()).unwrap_or_default();
        if let Some(feature) = requires.iter().find(|f| !FEATURES.contains(&f.as_str())) {
            let message = format!("the unit needs `{feature}`, which this version does not have");
            return Err(Refusal::new(Rung::Eligible, "missing-feature", message).at(id));
        }
    }
    Ok(())
}

/// Rung 4 for an offer: strict decode of the units of `owner`'s scope (of all units for `None`), with every
/// reference among them complete, and nothing [`reserved`].
///
/// # Errors
/// A [`Refusal`] with unit, pointer and, from the unit's source map, file and line.
pub fn well_formed(bundle: &Intact, owner: Option<&Owner>) -> Result<Program, Refusal> {
    well_formed_with(bundle, owner, Standing::Offered, |_, _| None)
}

/// Rung 4 for a bundle of either standing, where some units are at hand already: `known` gives the one whose bytes have
/// this digest. Only the others are decoded; references are checked among all.
///
/// # Errors
/// As [`well_formed`].
pub fn well_formed_with(
    bundle: &Intact,
    owner: Option<&Owner>,
    standing: Standing,
    known: impl Fn(&UnitId, &Digest) -> Option<Unit>,
) -> Result<Program, Refusal> {
    let Needs { units: ids, calls } = match owner {
        Some(owner) => bundle.needs(owner).unwrap_or_default(),
        None => Needs { units: bundle.entries.keys().cloned().collect(), ..Needs::default() },
    };
    let mut units = Vec::new();
    // The mesh unit is in every scope, and a bundle may lack it.
    for (id, entry) in ids.iter().filter_map(|id| bundle.entries.get(id).map(|entry| (id, entry))) {
        if let Some(unit) = known(id, &entry.digest) {
            units.push((id.clone(), unit));
            continue;
        }
        let bytes = bundle.unit_bytes(id).unwrap_or_default();
        let unit = Unit::from_bytes(id, bytes)
            .map_err(|e| Refusal::new(Rung::WellFormed, "malformed-unit", e.to_string()).at(id))?;
        units.push((id.clone(), unit));
    }
    let mut program = Program::from_units(units)
        .ok_or_else(|| Refusal::new(Rung::WellFormed, "missing-unit", "there is no mesh unit").at("mesh"))?;
    program.calls = owner.map(|_| calls);
    let named = (&program.mesh.name, &program.mesh.environment);
    if named != (&bundle.manifest.mesh, &bundle.manifest.environment) {
        let message = "the mesh unit and the manifest name different meshes or environments";
        return Err(Refusal::new(Rung::WellFormed, "mixed-units", message).at("mesh"));
    }
    references::check(&program).map_err(|refusal| bundle.locate(refusal))?;
    let refused = match standing {
        Standing::Offered => reserved(&program).first().map(LeftOut::refusal),
        Standing::Accepted => None,
    };
    refused.map_or(Ok(program), |refusal| Err(bundle.locate(refusal)))
}

/// The part of rung 4 that differs from proxy to proxy: whatever the units of `part` refer to is among them. For one
/// proxy's part of a program that is [`well_formed`] as a whole.
///
/// # Errors
/// A [`Refusal`] with unit and pointer.
pub fn complete(part: &Program) -> Result<(), Refusal> {
    references::complete(part)
}

impl Intact {
    /// The bytes of a unit; `None` where the bundle lacks it.
    #[must_use]
    pub fn unit_bytes(&self, id: &UnitId) -> Option<&[u8]> {
        self.files.get(&Kind::Unit(id.clone()).path()).map(Vec::as_slice)
    }

    /// The bytes of a unit's self-tests, if it has any.
    #[must_use]
    pub fn test_bytes(&self, id: &UnitId) -> Option<&[u8]> {
        self.files.get(&Kind::SelfTest(id.clone()).path()).map(Vec::as_slice)
    }

    /// Every service and gateway of the bundle: the owners that proxies stand for.
    pub fn owners(&self) -> impl Iterator<Item = &Owner> {
        self.scopes.owners.keys()
    }

    /// Who needs which units, as the index says.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The needs of the proxy of `owner`; `None` for an owner that is not there.
    #[must_use]
    pub fn needs(&self, owner: &Owner) -> Option<Needs> {
        self.scopes.needs(owner)
    }

    /// Every unit with its digest and size.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<UnitId, Entry> {
        &self.entries
    }

    /// The source map of a unit, if the bundle has a readable one.
    #[must_use]
    pub fn source_map(&self, id: &UnitId) -> Option<SourceMap> {
        canonical::from_bytes(self.files.get(&Kind::SourceMap(id.clone()).path())?).ok()
    }

    /// The self-tests of a unit, strictly read; `None` where it has none. What rung 6 runs.
    ///
    /// # Errors
    /// A [`Refusal`] at [`Rung::Proven`] with code `malformed-self-tests`: not of the form, or over its bounds.
    pub fn self_tests(&self, id: &UnitId) -> Result<Option<SelfTests>, Refusal> {
        let path = Kind::SelfTest(id.clone()).path();
        let read = self.files.get(&path).map(|bytes| SelfTests::from_bytes(bytes));
        read.transpose()
            .map_err(|e| Refusal::new(Rung::Proven, "malformed-self-tests", e.to_string()).at(path))
    }

    /// All files of the bundle.
    #[must_use]
    pub fn files(&self) -> &FileSet {
        &self.files
    }

    /// Adds file and line to a refusal that names unit and pointer.
    #[must_use]
    pub fn locate(&self, mut refusal: Refusal) -> Refusal {
        let id = refusal.unit.as_deref().and_then(|unit| unit.parse::<UnitId>().ok());
        if let Some(map) = id.and_then(|id| self.source_map(&id)) {
            refusal.place = map.resolve(refusal.pointer.as_deref().unwrap_or_default());
        }
        refusal
    }
}

#[derive(serde::Deserialize)]
struct FormatOnly {
    format: u32,
}

fn decode<T: serde::de::DeserializeOwned + serde::Serialize>(
    rung: Rung,
    path: &str,
    bytes: &[u8],
) -> Result<T, Refusal> {
    canonical::from_bytes(bytes).map_err(|e| Refusal::new(rung, "malformed", e.to_string()).at(path))
}
