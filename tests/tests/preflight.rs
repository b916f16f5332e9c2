//! The preflight's child, killed at every system call that it makes: the bundle is refused in words, the one in force stays,
//! and a child that lives lets the same bundle in.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use mesh_bundle::Rung;
use mesh_bundle::trust::SigningKey;
use mesh_proxy::activation::ReloadOutcome;
use mesh_proxy::preflight::ChildPreflight;
use mesh_proxy::store::RealDisk;
use mesh_tests::activate::kill::{calls, cannot_trace};
use mesh_tests::activate::ladder::{Setup, ladder};
use mesh_tests::activate::skip;
use mesh_tests::kit::small::{make, program, trusting};

const ACTIVATOR: &str = env!("CARGO_BIN_EXE_activator");

/// A program that runs the preflight behind strace; without huge pages, since an allocator that looks for them does not make
/// the same calls each time.
fn traced(dir: &Path, arguments: &str) -> PathBuf {
    let path = dir.join("preflight");
    let text = format!(
        "#!/bin/sh\nunset GLIBC_TUNABLES\nPATH={} exec strace -f -qq {arguments} {ACTIVATOR} \"$@\"\n",
        std::env::var("PATH").unwrap_or_default()
    );
    // Another file each time: one that still runs cannot be written.
    drop(std::fs::remove_file(&path));
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_child_that_dies_anywhere_refuses_the_bundle() {
    if let Some(why) = cannot_trace() {
        skip("the preflight's child killed", &why);
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (state, source, trace) =
        (dir.path().join("state"), dir.path().join("offer"), dir.path().join("trace"));
    let key = [SigningKey::from_seed(&[1; 32]).unwrap()];
    let trust = trusting(&key[0]).unwrap();
    let offer = |number: u16| {
        let made = make(&program(8_000 + number, 5).unwrap(), number.into(), &key, |_| ()).unwrap();
        std::fs::write(&source, made.archive().unwrap()).unwrap();
        made.id
    };
    // A proxy that starts with a preflight that lives; then comes a look with one that may not.
    let look = |arguments: &str, before| {
        let preflight = Box::new(ChildPreflight::new(traced(dir.path(), "-o /dev/null")));
        let setup =
            Setup { state: &state, source: &source, trust: trust.clone(), now: 0, disk: RealDisk, preflight };
        let mut reloader = ladder(setup).unwrap().reloader;
        assert_eq!(reloader.start(), before, "what was in force starts");
        traced(dir.path(), arguments);
        let (look, status) = (reloader.poll_source(true), reloader.status());
        assert_eq!(status.active, status.journal.active);
        reloader.stop();
        (look, status.journal)
    };
    let first = offer(1);
    let (taken, journal) = look(&format!("-o {}", trace.display()), None);
    assert_eq!((taken, journal.active), (ReloadOutcome::Activated { bundle: first }, Some(first)));
    let all = calls(&trace).unwrap();
    assert!(all.len() > 20, "{all:?}");
    let second = offer(2);
    let mut killed = 0;
    for (call, nth) in &all {
        let inject = format!("-o /dev/null --trace={call} --inject={call}:signal=KILL:when={nth}");
        let (look, journal) = look(&inject, Some(first));
        let ReloadOutcome::Refused { refusal } = look else {
            panic!("taken although {call} {nth} killed: {look:?}")
        };
        assert_eq!((refusal.rung, refusal.code.as_str()), (Rung::Built, "preflight-crashed"), "{call} {nth}");
        assert_eq!((journal.active, journal.next), (Some(first), None), "{call} {nth}");
        assert_eq!(journal.last_refusal.map(|last| last.refusal), Some(refusal), "{call} {nth}");
        killed += 1;
    }
    println!("{killed} of {} points killed, 0 taken", all.len());
    let (taken, journal) = look("-o /dev/null", Some(first));
    assert_eq!((taken, journal.active), (ReloadOutcome::Activated { bundle: second }, Some(second)));
}
