//! Rung 9: good, quiet, bad.

use mesh_bundle::release::ReleaseKind;
use mesh_bundle::{Digest, Rung};

use super::{Content, ReloadOutcome, Reloader, Rig, code};
use crate::probation::RequestSample;
use crate::store::{ActivationCause, Judgement, RealDisk};

const SAME: RequestSample =
    RequestSample { differs: false, denied: false, failed: false, blamed: false, fault: false };
const DENIED: RequestSample = RequestSample { differs: true, denied: true, ..SAME };
const BROKEN: RequestSample = RequestSample { differs: true, failed: true, blamed: true, ..SAME };

fn content(generation: u64) -> Content {
    Content { generation, port: u16::try_from(generation).unwrap(), ..Content::default() }
}

/// The first bundle, good by now.
fn proven(rig: &Rig, reloader: &mut Reloader<RealDisk>) -> Digest {
    let (first, _) = rig.take(reloader, content(1));
    rig.requests(50, SAME);
    rig.pass(60_000);
    reloader.tick();
    first
}

#[test]
fn a_bundle_is_good_after_a_window_with_requests_and_not_before() {
    let rig = Rig::new();
    let mut reloader = rig.reloader();
    let (first, look) = rig.take(&mut reloader, content(1));
    assert_eq!((look, reloader.status().journal.good), (ReloadOutcome::Activated { bundle: first }, None));
    rig.requests(50, SAME);
    rig.pass(60_000);
    assert_eq!(reloader.tick(), None);
    assert_eq!(reloader.status().journal.good, Some(first));
    let (second, _) = rig.take(&mut reloader, content(2));
    let status = reloader.status();
    assert_eq!((status.active, status.journal.good), (Some(second), Some(first)));
    assert_eq!(status.probation.unwrap().back_to, Some(first));
    rig.requests(1_000, RequestSample { differs: true, ..SAME });
    rig.pass(59_999);
    reloader.tick();
    assert_eq!(reloader.status().journal.good, Some(first), "the window is not over");
    rig.pass(1);
    reloader.tick();
    let status = reloader.status();
    assert_eq!((status.journal.good, status.probation), (Some(second), None));
    assert_eq!(status.journal.history.last().unwrap().verdict, Judgement::Good);
    let running = rig.shared.running.load_full().unwrap();
    assert!(running.probation.is_none(), "the older engine is let go");
}

#[test]
fn a_bad_bundle_goes_back_by_itself_and_is_not_taken_again() {
    let rig = Rig::new();
    let mut reloader = rig.reloader();
    let first = proven(&rig, &mut reloader);
    let (second, _) = rig.take(&mut reloader, content(2));
    rig.requests(196, SAME);
    rig.requests(49, DENIED);
    assert_eq!(reloader.tick(), None, "one counted request less than a verdict takes");
    rig.requests(4, SAME);
    rig.requests(1, DENIED);
    assert_eq!(reloader.tick(), Some(first));
    let status = reloader.status();
    assert_eq!((status.active, status.journal.good), (Some(first), Some(first)));
    assert!(status.journal.quarantine[&second].contains("20 % of 250 requests"), "{:?}", status.journal);
    assert_eq!(status.journal.history.last().unwrap().reason, ActivationCause::WentBack);
    assert!(!status.journal.hold, "offers go on");
    let ReloadOutcome::Refused { refusal } = reloader.poll_source(true) else { panic!("taken again") };
    assert_eq!((refusal.rung, refusal.code.as_str()), (Rung::Probation, "quarantined"));
    assert_eq!(reloader.rollback(Some(second)).unwrap_err().code, "quarantined");
    // Another bundle is taken as ever, and the quarantine outlives the process.
    let (third, look) = rig.take(&mut reloader, content(3));
    assert_eq!(look, ReloadOutcome::Activated { bundle: third });
    drop(reloader);
    let mut reloader = rig.reloader();
    assert_eq!(reloader.start(), Some(third));
    let pin = Content { generation: 4, port: 2, kind: ReleaseKind::Pin, ..Content::default() };
    let (pinned, look) = rig.take(&mut reloader, pin);
    assert_eq!((pinned, look), (second, ReloadOutcome::Activated { bundle: second }));
    assert!(reloader.status().journal.quarantine.is_empty());
}

#[test]
fn a_return_by_hand_passes_over_what_was_bad() {
    let rig = Rig::new();
    let mut reloader = rig.reloader();
    let first = proven(&rig, &mut reloader);
    let (second, _) = rig.take(&mut reloader, content(2));
    rig.requests(100, DENIED);
    assert_eq!(reloader.tick(), Some(first));
    assert!(reloader.status().journal.quarantine.contains_key(&second));
    rig.take(&mut reloader, content(3));
    assert_eq!(reloader.rollback(None).unwrap(), first);
}

#[test]
fn resume_ends_a_quarantine() {
    let rig = Rig::new();
    let mut reloader = rig.reloader();
    rig.take(&mut reloader, content(1));
    let (second, _) = rig.take(&mut reloader, content(2));
    rig.requests(100, DENIED);
    assert!(reloader.tick().is_some());
    assert_eq!(reloader.resume(Some(second)).unwrap(), ReloadOutcome::Activated { bundle: second });
}

#[test]
fn an_outage_or_silence_returns_nobody() {
    let rig = Rig::new();
    let mut reloader = rig.reloader();
    let first = proven(&rig, &mut reloader);
    let (second, _) = rig.take(&mut reloader, content(2));
    rig.requests(700, RequestSample { failed: true, ..SAME });
    rig.requests(300, BROKEN);
    rig.pass(60_000);
    assert_eq!(reloader.tick(), None);
    assert_eq!(reloader.status().journal.good, Some(second));
    let (third, _) = rig.take(&mut reloader, content(3));
    rig.pass(1_799_999);
    assert_eq!((reloader.tick(), reloader.status().journal.good), (None, Some(second)));
    rig.pass(1);
    reloader.tick();
    let journal = reloader.status().journal;
    let verdict = &journal.history.last().unwrap().verdict;
    assert_eq!((journal.good, verdict), (Some(third), &Judgement::GoodQuiet));
    assert_ne!(first, third);
}

#[test]
fn what_failed_before_a_bundle_is_not_its_fault() {
    let rig = Rig::new();
    let mut reloader = rig.reloader();
    let first = proven(&rig, &mut reloader);
    // All of the service's requests are changed ones from here on: only the window before tells of the outage.
    for _ in 0..2 {
        rig.requests(100, RequestSample { failed: true, ..SAME });
        rig.pass(60_000);
        reloader.tick();
    }
    let (second, _) = rig.take(&mut reloader, content(2));
    rig.requests(300, BROKEN);
    let probation = reloader.status().probation.unwrap();
    assert_eq!((probation.counts.failed, probation.counts.excused, probation.share), (300, 300, 0));
    rig.pass(60_000);
    assert_eq!(reloader.tick(), None);
    assert_eq!(reloader.status().journal.good, Some(second));
    // The outage is over, and forgotten two windows later.
    for _ in 0..3 {
        rig.requests(100, SAME);
        rig.pass(60_000);
        reloader.tick();
    }
    rig.take(&mut reloader, content(3));
    rig.requests(300, BROKEN);
    assert_eq!(reloader.tick(), Some(second));
    assert_ne!(first, second);
}

#[test]
fn a_second_bundle_during_a_probation_is_measured_by_the_good_one() {
    let rig = Rig::new();
    let mut reloader = rig.reloader();
    let good = proven(&rig, &mut reloader);
    rig.take(&mut reloader, content(2));
    let (third, _) = rig.take(&mut reloader, content(3));
    assert_eq!(reloader.status().probation.unwrap().back_to, Some(good));
    rig.requests(100, DENIED);
    assert_eq!(reloader.tick(), Some(good));
    assert!(reloader.status().journal.quarantine.contains_key(&third));
}

#[test]
fn below_the_floor_there_is_no_way_back() {
    let rig = Rig::new();
    let mut reloader = rig.reloader();
    rig.take(&mut reloader, content(1));
    let (second, _) = rig.take(&mut reloader, Content { floor: 2, ..content(2) });
    rig.requests(100, DENIED);
    assert_eq!(reloader.tick(), None);
    let status = reloader.status();
    assert_eq!((status.active, status.probation), (Some(second), None));
    assert_eq!(status.journal.history.last().unwrap().verdict, Judgement::Bad);
    assert_eq!(code(&reloader.poll_source(true)), "unchanged");
}

#[test]
fn a_full_disk_does_not_keep_a_bad_bundle() {
    let rig = Rig::new();
    let mut reloader = rig.reloader();
    let (first, _) = rig.take(&mut reloader, content(1));
    let (second, _) = rig.take(&mut reloader, content(2));
    rig.requests(100, DENIED);
    // A folder in the journal's place lets every write fail, for root too.
    let (journal, aside) = (rig.path("state/journal.json"), rig.path("aside"));
    std::fs::rename(&journal, &aside).unwrap();
    std::fs::create_dir(&journal).unwrap();
    assert_eq!(reloader.tick(), Some(first));
    assert!(reloader.status().journal.quarantine.contains_key(&second));
    assert!(reloader.status().alarms[0].contains("behind"));
    std::fs::remove_dir(&journal).unwrap();
    std::fs::rename(&aside, &journal).unwrap();
    reloader.tick();
    assert!(reloader.status().alarms.is_empty());
    drop(reloader);
    let mut reloader = rig.reloader();
    assert_eq!(reloader.start(), Some(first), "written down as soon as that was possible");
    assert!(reloader.status().journal.quarantine.contains_key(&second));
}
