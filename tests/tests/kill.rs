//! SIGKILL at every write-side system call of every way through the activation ladder: the old bundle or the new one is
//! in force, an acknowledged one is never lost, nothing is partial, and the next run comes to its end. The same where each
//! of these calls fails instead.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and shows its counts"
)]

use std::path::Path;

use mesh_tests::activate::broken_disks::Bad;
use mesh_tests::activate::kill::{Fault, Report, Scenario, Stage, cannot_trace};
use mesh_tests::activate::skip;
use mesh_tests::full;

const ACTIVATOR: &str = env!("CARGO_BIN_EXE_activator");

fn run(scenario: Scenario, fault: Fault, bad: Option<Bad>) -> Option<Report> {
    if let Some(why) = cannot_trace() {
        skip("kill points", &why);
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::prepare(dir.path(), Path::new(ACTIVATOR), scenario).unwrap();
    Some(stage.fault_all(fault, bad).unwrap())
}

fn every_point(scenario: Scenario, fault: Fault) {
    let Some(report) = run(scenario, fault, None) else { return };
    println!(
        "{scenario:?}, {fault:?}: {} points, {} old, {} new, {} partial",
        report.points,
        report.old,
        report.new,
        report.partial.len()
    );
    assert!(report.partial.is_empty(), "{}", report.partial.join("\n"));
    assert!(report.points >= 3, "{} points are not an activation", report.points);
}

#[test]
fn accept() {
    every_point(Scenario::Accept, Fault::Killed);
}

#[test]
fn swap() {
    every_point(Scenario::Swap, Fault::Killed);
}

#[test]
fn swap_again() {
    every_point(Scenario::SwapAgain, Fault::Killed);
}

#[test]
fn bad() {
    every_point(Scenario::Bad, Fault::Killed);
}

#[test]
fn deadly() {
    every_point(Scenario::Deadly, Fault::Killed);
}

#[test]
fn good() {
    every_point(Scenario::Good, Fault::Killed);
}

#[test]
fn return_by_hand() {
    every_point(Scenario::Return, Fault::Killed);
}

#[test]
fn hold() {
    every_point(Scenario::Hold, Fault::Killed);
}

#[test]
fn resume() {
    every_point(Scenario::Resume, Fault::Killed);
}

#[test]
fn clean_up() {
    every_point(Scenario::CleanUp, Fault::Killed);
}

#[test]
fn refuse() {
    every_point(Scenario::Refuse, Fault::Killed);
}

#[test]
fn start() {
    every_point(Scenario::Start, Fault::Killed);
}

#[test]
fn a_disk_that_says_no() {
    let faults: &[Fault] =
        if full() { &[Fault::Full, Fault::Broken, Fault::ReadOnly] } else { &[Fault::Full] };
    for fault in faults {
        for scenario in Scenario::ALL {
            every_point(scenario, *fault);
        }
    }
}

#[test]
fn an_activator_that_writes_in_place_is_caught() {
    let Some(report) = run(Scenario::Swap, Fault::Killed, Some(Bad::InPlace)) else { return };
    println!("in place: {} points, {} partial", report.points, report.partial.len());
    assert!(!report.partial.is_empty(), "{report:?}");
}
