//! TUF's attacks on updates (the framework's specification, "1.5.2 Goals for specific attacks"), each against a real
//! ladder with a real disk and source: refused in words, written down, and the bundle in force stays, after a restart too.
//!
//! Slow retrieval is no attack on folders and archives; a key after its rotation is tested with the rotation.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;

use mesh_bundle::release::Release;
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_bundle::{Digest, FileSet, Refusal, Rung, limits};
use mesh_proxy::activation::{ReloadOutcome, Reloader};
use mesh_proxy::store::RealDisk;
use mesh_tests::activate::ladder::{Ladder, NoPreflight, Setup, ladder};
use mesh_tests::kit::bundle::Signed;
use mesh_tests::kit::small::{self, make, program};

/// What the proxy's clock shows at first.
const NOW: u64 = 1_000;

/// A proxy with a bundle of generation 5 in force.
struct Victim {
    dir: tempfile::TempDir,
    keys: Vec<SigningKey>,
    trust: TrustSet,
    ladder: Option<Ladder<RealDisk>>,
    active: Digest,
    now: u64,
}

impl Victim {
    fn new() -> Self {
        Self::trusting(1, 1)
    }

    /// A proxy that trusts `keys` keys, of which `threshold` must sign.
    fn trusting(keys: usize, threshold: usize) -> Self {
        let keys: Vec<SigningKey> =
            (1..=keys).map(|n| SigningKey::from_seed(&[u8::try_from(n).unwrap(); 32]).unwrap()).collect();
        let trust = TrustSet::new(threshold, keys.iter().map(SigningKey::public).collect()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let first = make(&program(8_005, 5).unwrap(), 5, &keys, |_| ()).unwrap();
        let mut victim = Self { dir, keys, trust, ladder: None, active: first.id, now: NOW };
        victim.restart();
        victim.archive(&first);
        assert_eq!(victim.look(), ReloadOutcome::Activated { bundle: first.id });
        victim
    }

    fn restart(&mut self) {
        if let Some(mut ladder) = self.ladder.take() {
            ladder.reloader.stop();
        }
        let (state, source) = (self.dir.path().join("state"), self.source());
        let (trust, now, preflight) = (self.trust.clone(), self.now, Box::new(NoPreflight));
        let setup = Setup { state: &state, source: &source, trust, now, disk: RealDisk, preflight };
        self.ladder = Some(ladder(setup).unwrap());
    }

    fn source(&self) -> PathBuf {
        self.dir.path().join("offer")
    }

    fn reloader(&mut self) -> &mut Reloader<RealDisk> {
        &mut self.ladder.as_mut().unwrap().reloader
    }

    fn look(&mut self) -> ReloadOutcome {
        self.reloader().poll_source(true)
    }

    /// A newer bundle, ordinary but for `change`, signed by all keys.
    fn newer(&self, change: impl FnOnce(&mut Release)) -> Signed {
        make(&program(8_006, 5).unwrap(), 6, &self.keys, change).unwrap()
    }

    fn bytes(&self, bytes: &[u8]) {
        self.clear();
        std::fs::write(self.source(), bytes).unwrap();
    }

    fn archive(&self, made: &Signed) {
        self.bytes(&made.archive().unwrap());
    }

    fn folder(&self, files: &FileSet) {
        self.clear();
        for (path, bytes) in files {
            let path = self.source().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }

    fn clear(&self) {
        let _gone_or_not = std::fs::remove_file(self.source());
        let _gone_or_not = std::fs::remove_dir_all(self.source());
    }

    /// What lies at the source is refused with `code` at `rung` in words that hold `word`; all else is as before.
    fn refuses(&mut self, rung: Rung, code: &str, word: &str) -> Refusal {
        let before = self.reloader().status();
        let refusal = match self.look() {
            ReloadOutcome::Refused { refusal } => refusal,
            other => panic!("{code} was expected: {other:?}"),
        };
        assert_eq!((refusal.rung, refusal.code.as_str()), (rung, code), "{refusal}");
        assert!(refusal.to_string().contains(word), "`{word}` is not in: {refusal}");
        let after = self.reloader().status();
        assert_eq!((after.active, after.generation), (Some(self.active), Some(5)));
        assert_eq!(
            (&after.journal.active, &after.journal.accepted),
            (&before.journal.active, &before.journal.accepted)
        );
        assert_eq!(after.journal.history, before.journal.history);
        assert_eq!(after.journal.last_refusal.map(|last| last.refusal), Some(refusal.clone()));
        self.restart();
        assert_eq!(self.reloader().start(), Some(self.active));
        let journal = self.reloader().status().journal;
        assert_eq!(journal.last_refusal.map(|last| last.refusal), Some(refusal.clone()), "on the disk too");
        refusal
    }

    /// An ordinary bundle is taken: what was refused before was refused for its own fault.
    fn takes(&mut self, made: &Signed) {
        self.archive(made);
        assert_eq!(self.look(), ReloadOutcome::Activated { bundle: made.id });
    }
}

#[test]
fn arbitrary_software() {
    let mut victim = Victim::new();
    victim.bytes(b"\x7fELF and so on");
    victim.refuses(Rung::Bound, "archive-format", "not a bundle archive");
    let unsigned = make(&program(8_006, 5).unwrap(), 6, &[], |_| ()).unwrap();
    victim.archive(&unsigned);
    victim.refuses(Rung::Authentic, "bad-signature", "0");
    let mut swapped = victim.newer(|_| ());
    let unit = swapped.files.get_mut("units/services/orders.json").unwrap();
    *unit = br#"{"port":6666}"#.to_vec();
    victim.folder(&swapped.files);
    victim.refuses(Rung::Authentic, "wrong-digest", "units/services/orders");
    let mut resigned = victim.newer(|_| ());
    resigned.files.insert("manifest.json".into(), unsigned.files.get("manifest.json").unwrap().clone());
    let manifest = resigned.files.get_mut("manifest.json").unwrap();
    manifest.push(b' ');
    victim.folder(&resigned.files);
    victim.refuses(Rung::Authentic, "manifest-not-signed", "not what was signed");
    victim.takes(&victim.newer(|_| ()));
}

#[test]
fn rollback() {
    let mut victim = Victim::new();
    let older = make(&program(8_004, 5).unwrap(), 4, &victim.keys, |_| ()).unwrap();
    victim.archive(&older);
    victim.refuses(Rung::Eligible, "older-generation", "generation 5 was accepted before");
    victim.folder(&older.files);
    victim.refuses(Rung::Eligible, "older-generation", "generation 4");
    let reign = victim.newer(|release| (release.epoch, release.generation) = (1, 1));
    victim.takes(&reign);
    victim.active = reign.id;
    victim.archive(&victim.newer(|release| release.generation = 99));
    // Generations are counted within an epoch.
    let ReloadOutcome::Refused { refusal } = victim.look() else { panic!("an older epoch was taken") };
    assert_eq!(refusal.code, "older-generation", "{refusal}");
    assert!(refusal.message.contains("epoch 1"), "{refusal}");
}

#[test]
fn fast_forward() {
    let mut victim = Victim::new();
    victim.archive(&victim.newer(|release| release.generation = limits::MAX_GENERATION + 1));
    victim.refuses(Rung::Authentic, "number-out-of-range", "end at");
    victim.archive(&victim.newer(|release| release.epoch = limits::MAX_GENERATION + 1));
    victim.refuses(Rung::Authentic, "number-out-of-range", "end at");
}

#[test]
fn indefinite_freeze() {
    let mut victim = Victim::new();
    victim.archive(&victim.newer(|release| release.expires = Some(NOW)));
    victim.refuses(Rung::Eligible, "expired", "expired at 1000");
    let good = victim.newer(|release| release.expires = Some(NOW + 1));
    victim.takes(&good);
    // What was accepted in time stays in force, after a restart too; a source that still offers it is frozen.
    victim.now = NOW + 100;
    victim.restart();
    assert_eq!(victim.reloader().start(), Some(good.id));
    let ReloadOutcome::Refused { refusal } = victim.look() else { panic!("an expired release was taken") };
    assert_eq!(refusal.code, "expired", "{refusal}");
    assert_eq!(victim.reloader().status().active, Some(good.id));
}

#[test]
fn mix_and_match() {
    let mut victim = Victim::new();
    let (one, two) = (victim.newer(|_| ()), {
        let program = program(8_007, 5).unwrap();
        make(&program, 7, &victim.keys, |_| ()).unwrap()
    });
    // Each file of one bundle among those of the other.
    for (path, bytes) in &two.files {
        let mut mixed = one.files.clone();
        if mixed.insert(path.clone(), bytes.clone()).as_ref() == Some(bytes) {
            continue;
        }
        victim.folder(&mixed);
        let ReloadOutcome::Refused { refusal } = victim.look() else {
            panic!("{path} of another bundle was taken")
        };
        assert_eq!(refusal.rung, Rung::Authentic, "{path}: {refusal}");
        assert_eq!(victim.reloader().status().active, Some(victim.active), "{path}");
    }
    let mut mixed = one.files;
    mixed.insert("release.dsse".into(), two.files.get("release.dsse").unwrap().clone());
    victim.folder(&mixed);
    victim.refuses(Rung::Authentic, "release-for-another-bundle", "this is");
    victim.archive(&victim.newer(|release| release.state = Digest::of(b"another")));
    victim.refuses(Rung::Authentic, "state-not-released", "release names");
}

#[test]
fn endless_data() {
    let mut victim = Victim::new();
    // A file that grows past the bound; it is sparse, so that the disk holds nothing of it.
    victim.clear();
    let file = std::fs::File::create(victim.source()).unwrap();
    file.set_len(limits::BUNDLE_BYTES as u64 + 1).unwrap();
    victim.refuses(Rung::Bound, "unreadable-source", "large");
    // An archive that never ends: no device is read at all.
    victim.clear();
    std::os::unix::fs::symlink("/dev/zero", victim.source()).unwrap();
    victim.refuses(Rung::Bound, "unreadable-source", "not a regular file");
    let good = victim.newer(|_| ());
    // Bytes behind the archive's end.
    let mut longer = good.archive().unwrap();
    longer.extend([0; 4096]);
    victim.bytes(&longer);
    victim.refuses(Rung::Bound, "archive-trailing", "after the end");
    // A bomb: half a gigabyte of zeros in a few kilobytes.
    let mut bomb = good.clone();
    bomb.files.insert("units/services/orders.json".into(), vec![b' '; 512 << 20]);
    let packed = bomb.archive().unwrap();
    assert!(packed.len() < 1 << 20, "{} bytes", packed.len());
    drop(bomb);
    victim.bytes(&packed);
    victim.refuses(Rung::Bound, "file-too-large", "limit");
    // The same in a folder, and one file more than a bundle may have of it.
    let mut files = good.files.clone();
    files.insert("sourcemap/mesh.json".into(), vec![b' '; limits::SIDE_FILE_BYTES + 1]);
    victim.folder(&files);
    victim.refuses(Rung::Bound, "unreadable-source", "too large");
    victim.takes(&good);
}

#[test]
fn wrong_key() {
    let mut victim = Victim::new();
    let thief = [SigningKey::from_seed(&[101; 32]).unwrap()];
    let forged = make(&program(8_006, 5).unwrap(), 6, &thief, |_| ()).unwrap();
    victim.archive(&forged);
    victim.refuses(Rung::Authentic, "bad-signature", "signature.dsse");
    // A stolen key that signs releases alone publishes nothing that the other did not build, and the reverse.
    for envelope in ["signature.dsse", "release.dsse"] {
        let mut mixed = victim.newer(|_| ()).files;
        mixed.insert(envelope.into(), forged.files.get(envelope).unwrap().clone());
        victim.folder(&mixed);
        victim.refuses(Rung::Authentic, "bad-signature", envelope);
    }
}

#[test]
fn threshold_not_met() {
    let mut victim = Victim::trusting(3, 2);
    let program = program(8_006, 5).unwrap();
    let keys = victim.keys.iter().map(|key| SigningKey::from_pem(&key.to_pem()).unwrap()).collect::<Vec<_>>();
    let [a, b, _] = keys.as_slice() else { panic!("three keys") };
    victim.archive(&make(&program, 6, std::slice::from_ref(a), |_| ()).unwrap());
    victim.refuses(Rung::Authentic, "bad-signature", "1");
    // The same key twice, and a key beside it that nobody trusts.
    let again = |key: &SigningKey| SigningKey::from_pem(&key.to_pem()).unwrap();
    victim.archive(&make(&program, 6, &[again(a), again(a)], |_| ()).unwrap());
    victim.refuses(Rung::Authentic, "bad-signature", "2");
    victim.archive(
        &make(&program, 6, &[again(a), SigningKey::from_seed(&[102; 32]).unwrap()], |_| ()).unwrap(),
    );
    victim.refuses(Rung::Authentic, "bad-signature", "2");
    victim.takes(&make(&program, 6, &[again(a), again(b)], |_| ()).unwrap());
}

#[test]
fn replay_to_others() {
    let mut victim = Victim::new();
    let mut other = program(8_006, 5).unwrap();
    other.mesh.name = small::name("bakery").unwrap();
    let foreign = make(&other, 6, &victim.keys, |release| {
        release.mesh = small::name("bakery").unwrap();
    });
    victim.archive(&foreign.unwrap());
    victim.refuses(Rung::Eligible, "wrong-mesh", "`bakery`");
    // A bundle of this mesh under the release of another.
    victim.archive(&victim.newer(|release| release.mesh = small::name("bakery").unwrap()));
    victim.refuses(Rung::Eligible, "wrong-mesh", "`bakery`");
    let mut staging = program(8_006, 5).unwrap();
    staging.mesh.environment = small::name("staging").unwrap();
    let foreign = make(&staging, 6, &victim.keys, |release| {
        release.environment = small::name("staging").unwrap();
    });
    victim.archive(&foreign.unwrap());
    victim.refuses(Rung::Eligible, "wrong-environment", "`staging`");
    let mut without = program(8_006, 5).unwrap();
    without.gateways.clear();
    victim.archive(&make(&without, 6, &victim.keys, |_| ()).unwrap());
    victim.refuses(Rung::Eligible, "not-in-bundle", small::GATEWAY);
}

#[test]
fn extraneous_dependencies() {
    let mut victim = Victim::new();
    let good = victim.newer(|_| ());
    for (path, rung, code) in [
        ("units/services/evil.json", Rung::Authentic, "unlisted-file"),
        ("sourcemap/mesh.json", Rung::Authentic, "unlisted-file"),
        ("index/00.json", Rung::Authentic, "unlisted-file"),
        ("evil.sh", Rung::Bound, "unknown-file"),
    ] {
        let mut more = good.files.clone();
        assert_eq!(more.insert(path.into(), b"{}".to_vec()), None, "{path}");
        victim.folder(&more);
        victim.refuses(rung, code, path);
    }
    victim.folder(&good.files);
    std::os::unix::fs::symlink("/etc/passwd", victim.source().join("link.json")).unwrap();
    victim.refuses(Rung::Bound, "unreadable-source", "link.json");
    victim.takes(&good);
}
