//! Power cuts during activations on ext4 and XFS: the old bundle or the new one is in force, and an acknowledged one is
//! never lost. `ci/powercut 100` cuts a hundred times each.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and shows its counts"
)]

use std::path::Path;

use mesh_tests::activate::broken_disks::Bad;
use mesh_tests::activate::kill::{Report, cannot_trace};
use mesh_tests::activate::power_cut::{FileSystem, cannot_cut, cut_all};
use mesh_tests::activate::skip;
use mesh_tests::full;

const ACTIVATOR: &str = env!("CARGO_BIN_EXE_activator");

/// Cuts on each file system: ten, or as many as `MESH_POWERCUTS` or a full run asks for.
fn cuts() -> usize {
    let asked = std::env::var("MESH_POWERCUTS").ok().and_then(|number| number.parse().ok());
    asked.unwrap_or(if full() { 100 } else { 10 })
}

fn run(kind: FileSystem, cuts: usize, bad: Option<Bad>) -> Option<Report> {
    let dir = tempfile::tempdir().unwrap();
    if let Some(why) = cannot_trace().or_else(|| cannot_cut(dir.path(), kind)) {
        skip("power cuts", &why);
        return None;
    }
    let report = cut_all(dir.path(), Path::new(ACTIVATOR), kind, cuts, bad).unwrap();
    let (points, lost) = (report.points, report.partial.len());
    println!(
        "{kind:?}, {bad:?}: {points} cuts, {} old, {} new, {lost} partial or lost",
        report.old, report.new
    );
    Some(report)
}

fn nothing_is_lost(kind: FileSystem) {
    let Some(report) = run(kind, cuts(), None) else { return };
    assert!(report.partial.is_empty(), "{}", report.partial.join("\n"));
    assert!(report.new > 0, "{report:?}");
}

#[test]
fn nothing_is_lost_on_ext4() {
    nothing_is_lost(FileSystem::Ext4);
}

#[test]
fn nothing_is_lost_on_xfs() {
    nothing_is_lost(FileSystem::Xfs);
}

#[test]
fn an_activator_that_syncs_nothing_is_caught() {
    for kind in [FileSystem::Ext4, FileSystem::Xfs] {
        let Some(report) = run(kind, 5, Some(Bad::NoSync)) else { continue };
        assert!(!report.partial.is_empty(), "{report:?}");
    }
}
