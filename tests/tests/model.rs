//! A model of swap, probation and clean-up under every interleaving that shuttle draws (a randomized scheduler with
//! probabilistic guarantees: Burckhardt et al., ASPLOS 2010).
//!
//! Real: the store and its journal over a disk whose every operation is a scheduling point, and the verdict of a
//! probation. Modelled: the pointer that workers load, and the counters, with shuttle's own primitives.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mesh_bundle::Digest;
use mesh_bundle::program::Probation;
use mesh_proxy::probation::{Bounds, Counts, Verdict};
use mesh_proxy::store::{Activation, ActivationCause, Disk, Journal, Judgement, Store};
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::sync::{Arc, Mutex};
use shuttle::thread;

/// Requests of each worker.
const REQUESTS: usize = 4;
/// Workers.
const WORKERS: usize = 2;

/// A disk in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>);

impl Disk for Memory {
    fn read(&self, path: &Path, _: u64) -> io::Result<Vec<u8>> {
        self.0.lock().unwrap().get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let files = self.0.lock().unwrap();
        let inside = files.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        // The lock file is the one thing that a store makes without its disk.
        std::fs::create_dir_all(dir)
    }
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // Two steps: what is under way can be seen half.
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default().to_vec();
        self.0.lock().unwrap().insert(path.to_owned(), half);
        self.0.lock().unwrap().insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }
    fn sync(&self, _: &Path) -> io::Result<()> {
        thread::yield_now();
        Ok(())
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = self.0.lock().unwrap();
        let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), bytes);
        Ok(())
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        thread::yield_now();
        Ok(())
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.lock().unwrap().remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A bundle in force, with what is compared and what is counted.
struct Active {
    id: Digest,
    /// Whether it denies what the one before lets pass.
    bad: bool,
    trial: Mutex<Option<Arc<Active>>>,
    requests: AtomicU64,
    broken: AtomicU64,
}

impl Active {
    fn new(name: &[u8], bad: bool) -> Arc<Self> {
        let (trial, requests, broken) = (Mutex::new(None), AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { id: Digest::of(name), bad, trial, requests, broken })
    }

    fn counts(&self) -> Counts {
        let broken = self.broken.load(Ordering::Relaxed);
        // Read after: whatever is counted as broken is among them.
        let requests = self.requests.load(Ordering::Relaxed);
        Counts { requests, counted: broken, broken, ..Counts::default() }
    }
}

/// One request: every step asks the snapshot that it took.
fn request(active: &Mutex<Arc<Active>>) {
    let snapshot = Arc::clone(&active.lock().unwrap());
    let first = snapshot.id;
    let trial = snapshot.trial.lock().unwrap().clone();
    let denied = trial.is_some_and(|old| snapshot.bad && !old.bad);
    thread::yield_now();
    assert_eq!(snapshot.id, first, "two bundles at one request");
    snapshot.requests.fetch_add(1, Ordering::Relaxed);
    if denied {
        snapshot.broken.fetch_add(1, Ordering::Relaxed);
    }
}

fn activation(id: Digest, reason: ActivationCause) -> Activation {
    Activation { bundle: id, generation: 1, at: 0, reason, verdict: Judgement::Open }
}

/// What whoever starts now would find: a journal, and the whole archive of the first bundle to try.
fn could_start(disk: &Memory, dir: &Path) {
    let Ok(journal) = disk.read(&dir.join("journal.json"), u64::MAX) else { return };
    let journal: Journal = serde_json::from_slice(&journal).unwrap();
    let first = journal.start_order().first().copied().unwrap();
    let archive = disk.read(&dir.join("bundles").join(format!("{}.mcb", first.hex())), u64::MAX);
    // Between two looks the next activation may have removed it: then the journal has moved on too.
    let again: Journal =
        serde_json::from_slice(&disk.read(&dir.join("journal.json"), u64::MAX).unwrap()).unwrap();
    if again.start_order().first() == Some(&first) {
        assert_eq!(archive.unwrap(), first.hex().into_bytes(), "a partial archive is first in line");
    }
}

fn scenario(dir: &Path) {
    let disk = Memory::default();
    let mut store = Store::open(dir, disk.clone()).unwrap();
    let (old, new) = (Active::new(b"old", false), Active::new(b"new", true));
    store.put(old.id, old.id.hex().as_bytes()).unwrap();
    store.note(|journal| journal.activated(activation(old.id, ActivationCause::Offered))).unwrap();
    store.note(|journal| journal.good = Some(old.id)).unwrap();
    let active = Arc::new(Mutex::new(Arc::clone(&old)));
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let active = Arc::clone(&active);
            thread::spawn(move || (0..REQUESTS).for_each(|_| request(&active)))
        })
        .collect();
    let watcher = {
        let (disk, dir) = (disk, dir.to_owned());
        thread::spawn(move || (0..4).for_each(|_| could_start(&disk, &dir)))
    };

    // Rungs 7 and 8.
    store.put(new.id, new.id.hex().as_bytes()).unwrap();
    store.update(|journal| journal.next = Some(new.id)).unwrap();
    *new.trial.lock().unwrap() = Some(Arc::clone(&old));
    *active.lock().unwrap() = Arc::clone(&new);
    store.note(|journal| journal.activated(activation(new.id, ActivationCause::Offered))).unwrap();
    store.clean(0).unwrap();
    assert_eq!(store.journal().good, Some(old.id), "not before its probation ended");
    // Rung 9, judged at two instants of the traffic and once after it.
    let limits = Probation { min_requests: 2, window_ms: 0, ..Probation::default() };
    let bounds = Bounds::new(limits, 0);
    let mut judged = None;
    for _ in 0..2 {
        judged = judged.or_else(|| judge(&bounds, &new, &active, &mut store));
        thread::yield_now();
    }
    for worker in workers {
        worker.join().unwrap();
    }
    judged = judged.or_else(|| judge(&bounds, &new, &active, &mut store));
    watcher.join().unwrap();
    let (journal, in_force) = (store.journal().clone(), active.lock().unwrap().id);
    assert_eq!(journal.active, Some(in_force));
    match judged {
        Some(false) => assert!(journal.quarantine.contains_key(&new.id) && in_force == old.id),
        Some(true) => assert_eq!((journal.good, in_force), (Some(new.id), new.id)),
        // Too few requests came under the new bundle.
        None => assert_eq!((journal.good, in_force), (Some(old.id), new.id)),
    }
    store.clean(0).unwrap();
    for named in [journal.active, journal.good].into_iter().flatten() {
        assert_eq!(store.get(named).unwrap(), named.hex().into_bytes(), "clean-up took what is named");
    }
}

/// Rung 9 and what follows; `None` while it is open.
fn judge(
    bounds: &Bounds,
    new: &Arc<Active>,
    active: &Mutex<Arc<Active>>,
    store: &mut Store<Memory>,
) -> Option<bool> {
    match bounds.judge(&new.counts(), Duration::from_secs(1)) {
        Verdict::Open => None,
        Verdict::Good | Verdict::GoodQuiet => {
            *new.trial.lock().unwrap() = None;
            store.note(|journal| journal.good = Some(new.id)).unwrap();
            store.clean(0).unwrap();
            Some(true)
        }
        Verdict::Bad(reason) => {
            let old = new.trial.lock().unwrap().take().unwrap();
            *active.lock().unwrap() = Arc::clone(&old);
            store
                .note(|journal| {
                    journal.quarantine(new.id, &reason);
                    journal.activated(activation(old.id, ActivationCause::WentBack));
                })
                .unwrap();
            Some(false)
        }
    }
}

#[test]
fn swap_probation_and_clean_up_hold_under_every_interleaving_drawn() {
    let runs = if mesh_tests::full() { 20_000 } else { 500 };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    shuttle::check_pct(move || scenario(&path), runs, 3);
}
