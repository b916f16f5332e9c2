//! Deaths, edits, replacements.

use super::{Content, ReloadOutcome, Rig, code};
use crate::probation::RequestSample;

fn content(generation: u64) -> Content {
    Content { generation, port: u16::try_from(generation).unwrap(), ..Content::default() }
}

/// Two good bundles and one on probation.
fn three(rig: &Rig) -> [mesh_bundle::Digest; 3] {
    let mut reloader = rig.reloader();
    let ids = [1, 2, 3].map(|generation| {
        let id = rig.take(&mut reloader, content(generation)).0;
        if generation < 3 {
            rig.requests(50, RequestSample::default());
            rig.pass(60_000);
            reloader.tick();
            assert_eq!(reloader.status().journal.good, Some(id));
        }
        id
    });
    reloader.stop();
    ids
}

#[test]
fn three_deaths_lead_to_the_good_one_and_three_more_to_the_one_before() {
    let mut rig = Rig::new();
    let [first, second, third] = three(&rig);
    for death in 1..=3 {
        let mut reloader = rig.reloader();
        assert_eq!(reloader.start(), Some(third), "death {death}");
        assert_eq!(reloader.status().probation.unwrap().back_to, Some(second));
        rig.die(reloader);
    }
    for death in 1..=3 {
        let mut reloader = rig.reloader();
        assert_eq!(reloader.start(), Some(second), "death {death}");
        assert!(reloader.status().journal.quarantine[&third].contains("died 3 times"));
        assert_eq!(code(&reloader.poll_source(true)), "quarantined");
        rig.die(reloader);
    }
    let mut reloader = rig.reloader();
    assert_eq!(reloader.start(), Some(first));
    let status = reloader.status();
    assert!(!status.journal.quarantine.contains_key(&second), "it was good once");
    assert_eq!(status.probation.unwrap().back_to, None, "what kills does not decide beside it either");
    // A source that still offers it does not bring the deaths back; somebody who asks for it does.
    let again = || Content { generation: 4, port: 2, ..Content::default() };
    let (offered, look) = rig.take(&mut reloader, again());
    assert_eq!((offered, code(&look)), (second, "deadly"));
    assert_eq!(reloader.status().active, Some(first));
    assert_eq!(code(&reloader.resume(Some(second)).unwrap()), "activated");
    assert_eq!(reloader.status().active, Some(second));
}

#[test]
fn a_start_that_is_refused_is_no_death() {
    let mut rig = Rig::new();
    rig.add_secret();
    let (bundle, bytes) = rig.bundle(1);
    rig.offer(&bytes);
    let mut reloader = rig.reloader();
    assert_eq!(reloader.poll_source(true), ReloadOutcome::Activated { bundle });
    reloader.stop();
    rig.die(reloader);
    std::fs::rename(rig.path("secrets"), rig.path("elsewhere")).unwrap();
    for _ in 0..5 {
        let mut reloader = rig.reloader();
        assert_eq!(reloader.start(), None);
        rig.die(reloader);
    }
    std::fs::rename(rig.path("elsewhere"), rig.path("secrets")).unwrap();
    let mut reloader = rig.reloader();
    assert_eq!(reloader.start(), Some(bundle));
    assert!(reloader.status().journal.quarantine.is_empty());
}

#[test]
fn whoever_stops_as_told_or_lives_a_while_did_not_die() {
    let mut rig = Rig::new();
    let [_, _, third] = three(&rig);
    for _ in 0..5 {
        let mut reloader = rig.reloader();
        assert_eq!(reloader.start(), Some(third));
        reloader.stop();
        rig.die(reloader);
    }
    for _ in 0..5 {
        let mut reloader = rig.reloader();
        assert_eq!(reloader.start(), Some(third));
        rig.requests(50, RequestSample::default());
        rig.pass(60_000);
        reloader.tick();
        rig.pass(60_000);
        reloader.tick();
        rig.die(reloader);
    }
}

#[test]
fn an_edited_file_is_noticed_and_refused_when_it_is_loaded() {
    let mut rig = Rig::new();
    let [_, second, third] = three(&rig);
    let mut reloader = rig.reloader();
    reloader.start();
    reloader.recheck();
    assert!(reloader.status().alarms.is_empty());
    let path = rig.path(&format!("state/bundles/{}.mcb", third.hex()));
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    reloader.recheck();
    let alarms = reloader.status().alarms;
    assert!(alarms.len() == 1 && alarms[0].contains(&third.to_string()), "{alarms:?}");
    assert!(rig.shared.metrics.text().contains("service_mesh_store_alarms_total 1"));
    reloader.recheck();
    assert!(rig.shared.metrics.text().contains("service_mesh_store_alarms_total 1"), "said once");
    reloader.stop();
    rig.die(reloader);
    let mut reloader = rig.reloader();
    assert_eq!(reloader.start(), Some(second));
}

#[test]
fn an_edited_journal_is_noticed() {
    let rig = Rig::new();
    three(&rig);
    let mut reloader = rig.reloader();
    reloader.start();
    let path = rig.path("state/journal.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"hold\": false", "\"hold\": true")).unwrap();
    reloader.recheck();
    assert!(reloader.status().alarms[0].contains("somebody else changed it"));
}

#[test]
fn a_bundle_that_is_refused_late_leaves_the_secrets_of_the_one_in_force() {
    let rig = Rig::new();
    rig.add_secret();
    let mut reloader = rig.reloader();
    let (_, bytes) = rig.bundle(1);
    rig.offer(&bytes);
    assert!(matches!(reloader.poll_source(false), ReloadOutcome::Activated { .. }));
    let before = rig.shared.public.load_full().unwrap();
    // A folder in the journal's place: rung 7 refuses.
    std::fs::remove_file(rig.path("state/journal.json")).unwrap();
    std::fs::create_dir(rig.path("state/journal.json")).unwrap();
    let (_, look) = rig.take(&mut reloader, content(2));
    assert_eq!(code(&look), "cannot-store");
    let after = rig.shared.public.load_full().unwrap();
    assert!(std::sync::Arc::ptr_eq(&before, &after) && reloader.in_force.public().is_some());
}
