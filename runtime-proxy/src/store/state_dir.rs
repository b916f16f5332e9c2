//! The store: a folder that one proxy owns.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use mesh_bundle::Digest;

use super::disk::Disk;
use super::journal::Journal;
use crate::files;

/// The largest archive in bytes: a bundle's bound, and it is compressed.
const MAX_ARCHIVE: u64 = mesh_bundle::limits::BUNDLE_BYTES as u64;
/// The largest journal in bytes.
const MAX_JOURNAL: u64 = 4 << 20;
/// Ends the name of a file that is not yet whole.
const UNFINISHED: &str = ".unfinished";

/// Why the store cannot do what it was asked. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process owns the folder.
    #[error("another proxy uses the state folder {}", .0.display())]
    InUse(PathBuf),
    /// The system refused an operation: a full disk, a read-only file system, a permission.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: `write`, `read`, ...
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The journal is no journal. No crash leaves one so: the file was changed by somebody else.
    #[error("the journal {} is damaged: {reason}", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A proxy's state folder.
pub struct Store<D> {
    dir: PathBuf,
    disk: D,
    journal: Journal,
    /// The journal in memory is ahead of the disk.
    unwritten: bool,
    /// Held while the process lives.
    _lock: File,
}

impl<D: Disk> Store<D> {
    /// Opens a folder, makes it if need be, and removes what a crash left unfinished.
    ///
    /// # Errors
    /// The folder is another proxy's, cannot be used, or holds a damaged journal.
    pub fn open(dir: &Path, disk: D) -> Result<Self, StoreError> {
        let bundles = dir.join("bundles");
        disk.make_dir(&bundles).map_err(failed("make", &bundles))?;
        let lock_path = dir.join("lock");
        let lock = files::create(&lock_path).map_err(failed("write", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(dir.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed("lock", &lock_path)(source)),
        }
        let journal = read_journal(&disk, &dir.join("journal.json"))?;
        for folder in [dir, &bundles] {
            for name in disk.list(folder).map_err(failed("list", folder))? {
                if name.ends_with(UNFINISHED) {
                    let path = folder.join(name);
                    disk.remove(&path).map_err(failed("remove", &path))?;
                }
            }
        }
        Ok(Self { dir: dir.to_owned(), disk, journal, unwritten: false, _lock: lock })
    }

    /// The journal as it is on disk.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Changes the journal, on disk first.
    ///
    /// # Errors
    /// The disk refused; journal and disk are as before.
    pub fn update(&mut self, change: impl FnOnce(&mut Journal)) -> Result<(), StoreError> {
        let mut journal = self.journal.clone();
        change(&mut journal);
        if journal == self.journal && !self.unwritten {
            return Ok(());
        }
        self.write(&journal)?;
        self.journal = journal;
        self.unwritten = false;
        Ok(())
    }

    /// Changes the journal for something that has happened already: in memory at once, on disk as soon as that is
    /// possible.
    ///
    /// # Errors
    /// The disk refused; [`Store::flush`] tries again.
    pub fn note(&mut self, change: impl FnOnce(&mut Journal)) -> Result<(), StoreError> {
        change(&mut self.journal);
        self.unwritten = true;
        self.flush()
    }

    /// Whether the disk is behind what happened.
    #[must_use]
    pub fn is_unwritten(&self) -> bool {
        self.unwritten
    }

    /// Writes what [`Store::note`] could not.
    ///
    /// # Errors
    /// The disk refuses still.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        if self.unwritten {
            self.write(&self.journal)?;
            self.unwritten = false;
        }
        Ok(())
    }

    /// Compares the journal on disk with the one in memory.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where somebody else changed it; whatever it holds is written over at the next change.
    pub fn compare(&self) -> Result<(), StoreError> {
        let path = self.dir.join("journal.json");
        if self.unwritten || read_journal(&self.disk, &path)? == self.journal {
            return Ok(());
        }
        Err(StoreError::Damaged { path, reason: "somebody else changed it".to_owned() })
    }

    /// Stores an archive under its bundle's id.
    ///
    /// # Errors
    /// The disk refused; what was stored under this id stays.
    pub fn put(&self, bundle: Digest, archive: &[u8]) -> Result<(), StoreError> {
        self.replace(&self.archive_path(bundle), archive)
    }

    /// Reads an archive back.
    ///
    /// # Errors
    /// It is not there, or the disk refused.
    pub fn get(&self, bundle: Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.archive_path(bundle);
        self.disk.read(&path, MAX_ARCHIVE).map_err(failed("read", &path))
    }

    /// Removes archives that nothing needs any more: all but those that the journal names, and `keep` older ones.
    ///
    /// # Errors
    /// The disk refused; some may have been removed.
    pub fn clean(&self, keep: usize) -> Result<usize, StoreError> {
        let held: Vec<String> = self.journal.holds(keep).into_iter().map(archive_name).collect();
        let bundles = self.dir.join("bundles");
        let mut removed = 0;
        for name in self.disk.list(&bundles).map_err(failed("list", &bundles))? {
            if name.ends_with(".mcb") && !held.contains(&name) {
                let path = bundles.join(name);
                self.disk.remove(&path).map_err(failed("remove", &path))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn write(&self, journal: &Journal) -> Result<(), StoreError> {
        let path = self.dir.join("journal.json");
        let bytes =
            serde_json::to_vec_pretty(journal).map_err(|error| failed("write", &path)(error.into()))?;
        self.replace(&path, &bytes)
    }

    fn archive_path(&self, bundle: Digest) -> PathBuf {
        self.dir.join("bundles").join(archive_name(bundle))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        // Both kinds of file lie in a folder of the state folder.
        let dir = path.parent().unwrap_or(&self.dir);
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        let steps = || -> Result<(), StoreError> {
            self.disk.write(&unfinished, bytes).map_err(failed("write", path))?;
            self.disk.sync(&unfinished).map_err(failed("sync", path))?;
            self.disk.rename(&unfinished, path).map_err(failed("replace", path))?;
            self.disk.sync_dir(dir).map_err(failed("sync", dir))
        };
        steps().inspect_err(|_| {
            // The rest of a failed write would hold room on a full disk; the next start removes it otherwise.
            let _gone_or_not = self.disk.remove(&unfinished);
        })
    }
}

fn archive_name(bundle: Digest) -> String {
    format!("{}.mcb", bundle.hex())
}

fn read_journal(disk: &impl Disk, path: &Path) -> Result<Journal, StoreError> {
    match disk.read(path, MAX_JOURNAL) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| StoreError::Damaged { path: path.to_owned(), reason: error.to_string() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Journal::default()),
        Err(source) => Err(failed("read", path)(source)),
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Activation, ActivationCause, Judgement, RealDisk};
    use std::cell::Cell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn id(number: u8) -> Digest {
        Digest::of(&[number])
    }

    fn activation(number: u8) -> Activation {
        Activation {
            bundle: id(number),
            generation: u64::from(number),
            at: 0,
            reason: ActivationCause::Offered,
            verdict: Judgement::Open,
        }
    }

    /// What happens at the operation whose turn it is.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fault {
        /// It fails and does nothing; later ones work (a full disk that is emptied).
        Fails,
        /// It fails half-way, and so does everything after it (a crash).
        Dies,
    }

    /// Lets the operation number `at` fail.
    #[derive(Clone)]
    struct Faulty {
        count: Arc<AtomicUsize>,
        at: usize,
        fault: Fault,
    }

    impl Faulty {
        fn step(&self, half: impl FnOnce()) -> io::Result<()> {
            let now = self.count.fetch_add(1, Ordering::Relaxed);
            match self.fault {
                Fault::Fails if now == self.at => Err(io::ErrorKind::StorageFull.into()),
                Fault::Dies if now == self.at => {
                    half();
                    Err(io::Error::other("crash"))
                }
                Fault::Dies if now > self.at => Err(io::Error::other("dead")),
                _ => Ok(()),
            }
        }
    }

    impl Disk for Faulty {
        fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
            RealDisk.read(path, limit)
        }
        fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
            RealDisk.list(dir)
        }
        fn make_dir(&self, dir: &Path) -> io::Result<()> {
            RealDisk.make_dir(dir)
        }
        fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
            let half = bytes.get(..bytes.len() / 2).unwrap();
            self.step(|| RealDisk.write(path, half).unwrap())?;
            RealDisk.write(path, bytes)
        }
        fn sync(&self, path: &Path) -> io::Result<()> {
            self.step(|| ())?;
            RealDisk.sync(path)
        }
        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.step(|| ())?;
            RealDisk.rename(from, to)
        }
        fn sync_dir(&self, dir: &Path) -> io::Result<()> {
            self.step(|| ())?;
            RealDisk.sync_dir(dir)
        }
        fn remove(&self, path: &Path) -> io::Result<()> {
            self.step(|| ())?;
            RealDisk.remove(path)
        }
    }

    /// One activation: store, name as next, in force, clean.
    fn activate<D: Disk>(
        store: &mut Store<D>,
        number: u8,
        acknowledged: &Cell<bool>,
    ) -> Result<(), StoreError> {
        store.put(id(number), &vec![number; 1000])?;
        store.update(|journal| journal.next = Some(id(number)))?;
        store.update(|journal| journal.activated(activation(number)))?;
        acknowledged.set(true);
        store.clean(1).map(drop)
    }

    fn whole(store: &Store<impl Disk>, bundle: Digest) -> bool {
        store
            .get(bundle)
            .is_ok_and(|bytes| bytes.len() == 1000 && Digest::of(bytes.get(..1).unwrap()) == bundle)
    }

    #[test]
    fn a_failure_or_crash_at_every_step_leaves_the_old_or_the_new() {
        for fault in [Fault::Fails, Fault::Dies] {
            let mut reached_end = false;
            for at in 0..100 {
                let dir = tempfile::tempdir().unwrap();
                let calm = Cell::new(false);
                let mut store = Store::open(dir.path(), RealDisk).unwrap();
                for number in 1..=3 {
                    activate(&mut store, number, &calm).unwrap();
                }
                drop(store);
                let count = Arc::new(AtomicUsize::new(0));
                let faulty = Faulty { count: Arc::clone(&count), at, fault };
                let acknowledged = Cell::new(false);
                let mut store = Store::open(dir.path(), faulty).unwrap();
                let result = activate(&mut store, 4, &acknowledged);
                let in_memory = store.journal().clone();
                drop(store);

                let after = Store::open(dir.path(), RealDisk).unwrap();
                let active = after.journal().active.unwrap();
                assert!(active == id(3) || active == id(4), "{fault:?} at {at}");
                assert!(
                    !acknowledged.get() || active == id(4),
                    "an acknowledged one is lost: {fault:?} at {at}"
                );
                if fault == Fault::Fails && result.is_err() && in_memory != *after.journal() {
                    // Only the last sync may leave disk ahead of memory: the rename was done.
                    assert_eq!(after.journal().start_order().first(), Some(&active));
                }
                for bundle in
                    [Some(active), after.journal().previous, after.journal().next].into_iter().flatten()
                {
                    assert!(whole(&after, bundle), "{bundle:?} is partial: {fault:?} at {at}");
                }
                let leftovers = RealDisk.list(&dir.path().join("bundles")).unwrap();
                assert!(leftovers.iter().all(|name| name.ends_with(".mcb")), "{leftovers:?}");
                if count.load(Ordering::Relaxed) <= at {
                    assert!(result.is_ok());
                    reached_end = true;
                    break;
                }
            }
            assert!(reached_end, "more steps than the test looks at");
        }
    }

    #[test]
    fn clean_up_keeps_what_is_named_and_a_few_older_ones() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path(), RealDisk).unwrap();
        for number in 1..=6 {
            store.put(id(number), &[number]).unwrap();
            store.update(|journal| journal.activated(activation(number))).unwrap();
        }
        store.update(|journal| journal.good = Some(id(1))).unwrap();
        assert_eq!(store.clean(2).unwrap(), 1);
        let kept: Vec<u8> = (1..=6).filter(|number| store.get(id(*number)).is_ok()).collect();
        assert_eq!(kept, [1, 3, 4, 5, 6], "active 6, previous 5, good 1, and two older ones");
        assert_eq!(store.journal().start_order().first(), Some(&id(6)));
    }

    #[test]
    fn two_proxies_cannot_share_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), RealDisk).unwrap();
        assert!(matches!(Store::open(dir.path(), RealDisk), Err(StoreError::InUse(_))));
        drop(store);
        assert!(Store::open(dir.path(), RealDisk).is_ok());
    }

    #[test]
    fn a_damaged_journal_is_said_and_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("journal.json"), "{").unwrap();
        assert!(matches!(Store::open(dir.path(), RealDisk), Err(StoreError::Damaged { .. })));
        assert_eq!(std::fs::read(dir.path().join("journal.json")).unwrap(), b"{");
    }

    #[test]
    fn history_and_quarantine_are_bounded() {
        let mut journal = Journal::default();
        for number in 0..200_u8 {
            journal.activated(activation(number));
        }
        assert_eq!(journal.history.len(), 64);
        for number in 0..400_u32 {
            journal.quarantine(Digest::of(&number.to_le_bytes()), "bad");
        }
        assert_eq!(journal.quarantine.len(), 256);
    }
}
