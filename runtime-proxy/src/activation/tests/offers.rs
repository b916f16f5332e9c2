//! When an offer is looked at, and when again.

use std::path::Path;

use mesh_bundle::Rung;

use super::{ReloadOutcome, Rig, code};

#[test]
fn a_refused_offer_is_looked_at_again_when_what_it_lacked_may_have_come() {
    let rig = Rig::new();
    let mut reloader = rig.reloader();
    let (id, bytes) = rig.bundle(1);
    assert_eq!(code(&reloader.poll_source(false)), "unreadable-source");
    rig.offer(&bytes);
    assert_eq!(code(&reloader.poll_source(false)), "missing-secret");
    let said = rig.refusals();
    assert_eq!(code(&reloader.poll_source(false)), "unchanged", "not before its time");
    for wait in [1_000, 2_000, 4_000] {
        rig.pass(wait - 1);
        assert_eq!(code(&reloader.poll_source(false)), "unchanged", "{wait}");
        rig.pass(1);
        assert_eq!(code(&reloader.poll_source(false)), "missing-secret", "{wait}");
    }
    assert_eq!(rig.refusals(), said, "the same reason is said once");
    rig.add_secret();
    assert_eq!(code(&reloader.poll_source(false)), "unchanged");
    rig.pass(8_000);
    assert_eq!(reloader.poll_source(false), ReloadOutcome::Activated { bundle: id });
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
    assert_eq!(reloader.poll_source(false), ReloadOutcome::Activated { bundle: id });
    rig.offer(&good);
    assert_eq!(reloader.poll_source(false), ReloadOutcome::Unchanged);
    for (round, expected) in ["malformed", "unchanged", "unchanged"].iter().enumerate() {
        rig.offer(&bad);
        let look = reloader.poll_source(false);
        let got = if round == 0 && matches!(look, ReloadOutcome::Refused { .. }) {
            "malformed"
        } else {
            code(&look)
        };
        assert_eq!(got, *expected, "{look:?}");
        rig.pass(60_000);
    }
    assert_eq!(rig.refusals(), 1);
    // An operator who asks gets the reason all the same.
    assert!(matches!(reloader.poll_source(true), ReloadOutcome::Refused { .. }));
    rig.offer(&rig.bundle(3).1);
    assert!(matches!(reloader.poll_source(false), ReloadOutcome::Activated { .. }));
    assert!(Path::exists(&rig.path("state/journal.json")));
}
