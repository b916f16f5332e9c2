//! A reloader against a real folder, with a clock of the test's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mesh_bundle::pack::{Input, pack, seal, state_digest};
use mesh_bundle::program::{Gateway, Mesh, TlsMode};
use mesh_bundle::release::{Acknowledges, Release, ReleaseKind};
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_bundle::{Digest, Name, Owner, Program, Rung, State, archive};

use super::{Config, Look, Reloader, Secrets, Source};
use crate::request::Shared;
use crate::store::{RealDisk, Store};
use crate::telemetry::{AccessLog, Metrics, Target};
use crate::tls::testing::Authority;
use crate::upstream::Directory;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

struct Rig {
    dir: tempfile::TempDir,
    key: SigningKey,
    millis: Arc<AtomicU64>,
    shared: Arc<Shared>,
}

impl Rig {
    fn new() -> Self {
        let metrics = Metrics::new();
        let log = AccessLog::open(&Target::Off, metrics.log_dropped.clone()).unwrap();
        Self {
            dir: tempfile::tempdir().unwrap(),
            key: SigningKey::generate().unwrap(),
            millis: Arc::default(),
            shared: Arc::new(Shared::new(metrics, log, None)),
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    fn reloader(&self) -> Reloader<RealDisk> {
        let millis = Arc::clone(&self.millis);
        let config = Config {
            mesh: name("shop"),
            environment: name("prod"),
            owner: Owner::Gateway(name("public")),
            trust: TrustSet::new(1, vec![self.key.public()]).unwrap(),
            application: None,
            seed: 0,
            now: Box::new(|| 0),
            elapsed: Box::new(move || Duration::from_millis(millis.load(Ordering::Relaxed))),
        };
        let store = Store::open(&self.path("state"), RealDisk).unwrap();
        let directory = Arc::new(Directory::new());
        let secrets = Secrets::new(Some(&self.path("secrets")));
        let source = Source::new(&self.path("offer.mcb"));
        Reloader::new(config, source, store, Arc::clone(&self.shared), directory, secrets)
    }

    /// A bundle whose gateway needs the secret `tls/shop`.
    fn bundle(&self, generation: u64) -> (Digest, Vec<u8>) {
        let mut mesh = Mesh::new(name("shop"), name("prod"), "shop.example");
        mesh.tls = TlsMode::Permissive;
        let mut program = Program::new(mesh);
        let gateway = Gateway { listen: 443, hosts: Vec::new(), certificate: Some("tls/shop".into()) };
        program.gateways.insert(name("public"), gateway);
        let (maps, tests) = (BTreeMap::new(), BTreeMap::new());
        let input = Input { program: &program, source: None, compiler: "test", maps: &maps, tests: &tests };
        let mut packed = pack(&input).unwrap();
        let state = State::default();
        let release = Release {
            mesh: name("shop"),
            environment: name("prod"),
            epoch: 0,
            generation,
            bundle: packed.id,
            state: state_digest(&state).unwrap(),
            kind: ReleaseKind::Config,
            expires: None,
            floor: 0,
            acknowledges: Acknowledges::default(),
            fence: 0,
        };
        seal(&mut packed.files, &state, &release, std::slice::from_ref(&self.key)).unwrap();
        (packed.id, archive::write(&packed.files).unwrap())
    }

    fn offer(&self, bytes: &[u8]) {
        std::fs::write(self.path("offer.new"), bytes).unwrap();
        std::fs::rename(self.path("offer.new"), self.path("offer.mcb")).unwrap();
    }

    fn add_secret(&self) {
        let leaf = Authority::new("shop.example").issue_with("spiffe://unused/a", |params| {
            params.subject_alt_names = vec![rcgen::SanType::DnsName("shop.example".try_into().unwrap())];
        });
        leaf.write(&self.path("secrets/tls/shop"));
    }

    fn pass(&self, millis: u64) {
        self.millis.fetch_add(millis, Ordering::Relaxed);
    }

    fn refusals(&self) -> u64 {
        let text = self.shared.metrics.text();
        let lines = text.lines().filter(|line| line.starts_with("service_mesh_bundle_refusals_total"));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }
}

fn code(look: &Look) -> &str {
    match look {
        Look::Refused { refusal } => &refusal.code,
        Look::Unchanged => "unchanged",
        Look::Activated { .. } => "activated",
        Look::Held { .. } => "held",
    }
}

#[test]
fn a_refused_offer_is_looked_at_again_when_what_it_lacked_may_have_come() {
    let rig = Rig::new();
    let mut reloader = rig.reloader();
    let (id, bytes) = rig.bundle(1);
    assert_eq!(code(&reloader.look(false)), "unreadable-source");
    rig.offer(&bytes);
    assert_eq!(code(&reloader.look(false)), "missing-secret");
    let said = rig.refusals();
    assert_eq!(code(&reloader.look(false)), "unchanged", "not before its time");
    for wait in [1_000, 2_000, 4_000] {
        rig.pass(wait - 1);
        assert_eq!(code(&reloader.look(false)), "unchanged", "{wait}");
        rig.pass(1);
        assert_eq!(code(&reloader.look(false)), "missing-secret", "{wait}");
    }
    assert_eq!(rig.refusals(), said, "the same reason is said once");
    rig.add_secret();
    assert_eq!(code(&reloader.look(false)), "unchanged");
    rig.pass(8_000);
    assert_eq!(reloader.look(false), Look::Activated { bundle: id });
    let status = reloader.status();
    assert_eq!((status.active, status.generation), (Some(id), Some(1)));
    let last = status.journal.last_refusal.unwrap();
    assert_eq!((last.bundle, last.refusal.rung), (Some(id), Rung::Built));
    assert_eq!(last.refusal.unit.as_deref(), Some("gateways/public"));
}

#[test]
fn the_same_bytes_are_not_climbed_with_twice() {
    let rig = Rig::new();
    rig.add_secret();
    let mut reloader = rig.reloader();
    let (id, good) = rig.bundle(1);
    let mut bad = rig.bundle(2).1;
    bad.truncate(bad.len() / 2);
    rig.offer(&good);
    assert_eq!(reloader.look(false), Look::Activated { bundle: id });
    rig.offer(&good);
    assert_eq!(reloader.look(false), Look::Unchanged);
    for (round, expected) in ["malformed", "unchanged", "unchanged"].iter().enumerate() {
        rig.offer(&bad);
        let look = reloader.look(false);
        let got = if round == 0 && matches!(look, Look::Refused { .. }) { "malformed" } else { code(&look) };
        assert_eq!(got, *expected, "{look:?}");
        rig.pass(60_000);
    }
    assert_eq!(rig.refusals(), 1);
    // An operator who asks gets the reason all the same.
    assert!(matches!(reloader.look(true), Look::Refused { .. }));
    rig.offer(&rig.bundle(3).1);
    assert!(matches!(reloader.look(false), Look::Activated { .. }));
    assert!(Path::exists(&rig.path("state/journal.json")));
}
