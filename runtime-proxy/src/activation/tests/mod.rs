//! A reloader against a real folder, with a clock of the test's own.

mod left_out;
mod offers;
mod probation;
mod survival;
mod trust;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mesh_bundle::pack::{Input, pack, seal, state_digest};
use mesh_bundle::program::{Gateway, Mesh, TlsMode};
use mesh_bundle::release::{Acknowledges, Release, ReleaseKind};
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_bundle::{Digest, Name, Owner, Program, State, archive};
use serde_json::json;
use tokio::time::Instant;

use super::{Config, LocalPath, ReloadOutcome, Reloader, Secrets};
use crate::clock::{Clock, TimeSource};
use crate::preflight::{Cancel, InProcess};
use crate::probation::RequestSample;
use crate::request::Shared;
use crate::store::{RealDisk, Store};
use crate::telemetry::{AccessLog, Metrics, Target};
use crate::tls::testing::Authority;
use crate::upstream::Directory;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A clock that a test moves; the time of day stands.
struct Hand {
    begun: Instant,
    millis: Arc<AtomicU64>,
}

impl TimeSource for Hand {
    fn monotonic(&self) -> Instant {
        self.begun + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }

    fn wall(&self) -> SystemTime {
        UNIX_EPOCH
    }
}

struct Rig {
    dir: tempfile::TempDir,
    /// What signs.
    keys: Vec<SigningKey>,
    /// What `--trust` says.
    trust: TrustSet,
    millis: Arc<AtomicU64>,
    shared: Arc<Shared>,
}

/// What a bundle of the rig says beside the usual.
#[derive(Default)]
struct Content {
    generation: u64,
    /// One listening port more than 443 makes another bundle.
    port: u16,
    secret: Option<&'static str>,
    trust: Option<TrustSet>,
    kind: ReleaseKind,
    floor: u64,
    denied: Vec<String>,
    expires: Option<u64>,
    /// Its rule edits a field that is reserved.
    reserved: bool,
}

impl Rig {
    fn new() -> Self {
        let (shared, key) = (Self::shared(), SigningKey::from_seed(&[1; 32]).unwrap());
        Self {
            dir: tempfile::tempdir().unwrap(),
            trust: TrustSet::new(1, vec![key.public()]).unwrap(),
            keys: vec![key],
            millis: Arc::default(),
            shared,
        }
    }

    fn shared() -> Arc<Shared> {
        let metrics = Metrics::new();
        let log = AccessLog::open(&Target::Off, metrics.log_dropped.clone()).unwrap();
        Arc::new(Shared::new(Clock::system(), metrics, log, None))
    }

    /// The process died: all that was in memory is gone.
    fn die(&mut self, reloader: Reloader<RealDisk>) {
        drop(reloader);
        self.shared = Self::shared();
        self.millis = Arc::default();
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
            trust: self.trust.clone(),
            preflight: Box::new(InProcess),
            cancel: Cancel::new().unwrap(),
            application: None,
            seed: 0,
            clock: Clock::new(Arc::new(Hand { begun: Instant::now(), millis })),
        };
        let store = Store::open(&self.path("state"), RealDisk).unwrap();
        let directory = Arc::new(Directory::new());
        let secrets = Secrets::new(Some(&self.path("secrets")));
        let source = Box::new(LocalPath::new(&self.path("offer.mcb")));
        Reloader::new(config, source, store, Arc::clone(&self.shared), directory, secrets)
    }

    /// A bundle whose gateway needs the secret `tls/shop`.
    fn bundle(&self, generation: u64) -> (Digest, Vec<u8>) {
        self.made(Content { generation, secret: Some("tls/shop"), ..Content::default() })
    }

    fn made(&self, content: Content) -> (Digest, Vec<u8>) {
        let mut mesh = Mesh::new(name("shop"), name("prod"), "shop.example");
        mesh.tls = TlsMode::Permissive;
        mesh.trust = content.trust;
        let mut program = Program::new(mesh);
        let certificate = content.secret.map(str::to_owned);
        let gateway = Gateway { listen: 443 + content.port, hosts: Vec::new(), certificate };
        program.gateways.insert(name("public"), gateway);
        let behind = json!({ "port": 8080 });
        program.services.insert(name("orders"), serde_json::from_value(behind).unwrap());
        let mut rule = json!({ "name": "all", "action": { "forward": [{ "to": { "service": "orders" } }] } });
        if content.reserved {
            rule["requestHeaders"] = json!({ "set": { "host": "elsewhere", "x-a": "1" } });
        }
        let to_orders = json!({ "hosts": ["shop.example"], "rules": [rule] });
        let routes = [(name("edge"), serde_json::from_value(to_orders).unwrap())];
        program.gateway_routes.insert(name("public"), routes.into());
        let (maps, tests) = (BTreeMap::new(), BTreeMap::new());
        let input = Input { program: &program, source: None, compiler: "test", maps: &maps, tests: &tests };
        let mut packed = pack(&input).unwrap();
        let state = State::default();
        let release = Release {
            generation: content.generation,
            kind: content.kind,
            expires: content.expires,
            floor: content.floor,
            acknowledges: Acknowledges { removed: 0, denied: content.denied },
            ..Release::of(name("shop"), name("prod"), packed.id, state_digest(&state).unwrap())
        };
        seal(&mut packed.files, &state, &release, &self.keys).unwrap();
        (packed.id, archive::write(&packed.files).unwrap())
    }

    /// Offers one and looks.
    fn take(&self, reloader: &mut Reloader<RealDisk>, content: Content) -> (Digest, ReloadOutcome) {
        let (id, bytes) = self.made(content);
        self.offer(&bytes);
        (id, reloader.poll_source(false))
    }

    /// So many requests to the first service end like this under what is in force.
    fn requests(&self, count: u64, kind: RequestSample) {
        let active = self.shared.active().unwrap();
        let service = active.services.values().next().unwrap();
        for worker in 0..count {
            active.tally.count(usize::try_from(worker).unwrap(), kind);
            let failed = kind.failed && (!kind.differs || kind.blamed);
            service.outcomes.count(kind.differs, failed);
        }
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

fn code(look: &ReloadOutcome) -> &str {
    match look {
        ReloadOutcome::Refused { refusal } => &refusal.code,
        ReloadOutcome::Unchanged => "unchanged",
        ReloadOutcome::Activated { .. } => "activated",
        ReloadOutcome::Held { .. } => "held",
    }
}
