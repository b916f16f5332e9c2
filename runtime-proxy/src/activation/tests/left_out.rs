//! Refusals that are newer than a bundle bind offers: what was accepted before runs on, without what is refused now.

use mesh_bundle::Rung;
use mesh_decision::{Connection, Outcome, Request, Scratch, Source, edit};

use super::{Content, ReloadOutcome, Rig, code};
use crate::store::{Activation, ActivationCause, Judgement, RealDisk, Store};

fn reserved(generation: u64) -> Content {
    Content { generation, reserved: true, ..Content::default() }
}

/// The header lines that the rule of the bundle in force sends on.
fn sent(rig: &Rig) -> Vec<(String, Vec<u8>)> {
    let active = rig.shared.active().unwrap();
    let none: Vec<(String, Vec<u8>)> = Vec::new();
    let request = Request {
        method: "GET",
        scheme: "http",
        host: "shop.example",
        path: "/",
        query: "",
        headers: &none,
        size: None,
        source: Source { principal: "", owner: None, ip: "192.0.2.1" },
        connection: Connection::default(),
        now: mesh_bundle::expr::Instant::default(),
        picks: &0_u32,
    };
    let mut lines = none.clone();
    let mut scratch = Scratch::default();
    let decided = active.engine.decide_outbound(&request, &mut scratch);
    let Outcome::Forward(forward) = decided.outcome else { panic!("nothing is sent on") };
    forward.request_headers.into_iter().flatten().for_each(|edits| edit::apply(edits, &mut lines));
    lines
}

#[test]
fn an_offer_that_edits_a_reserved_field_is_refused_and_one_that_lies_on_the_disk_runs_without_it() {
    let rig = Rig::new();
    let (id, archive) = rig.made(reserved(1));
    let mut reloader = rig.reloader();
    rig.offer(&archive);
    let ReloadOutcome::Refused { refusal } = reloader.poll_source(false) else { panic!("it was taken") };
    assert_eq!((refusal.rung, refusal.code.as_str()), (Rung::WellFormed, "reserved-field"));
    drop(reloader);

    // As a proxy of before left it.
    let mut store = Store::open(&rig.path("state"), RealDisk).unwrap();
    store.put(id, &archive).unwrap();
    let (reason, verdict) = (ActivationCause::Offered, Judgement::Good);
    let activation = Activation { bundle: id, generation: 1, at: 0, reason, verdict };
    let written = store.update(|journal| {
        journal.good = Some(id);
        journal.activated(activation);
    });
    written.unwrap();
    drop(store);
    std::fs::remove_file(rig.path("offer.mcb")).unwrap();
    let mut reloader = rig.reloader();
    assert_eq!(reloader.start(), Some(id));
    assert_eq!(sent(&rig), [("x-a".to_owned(), b"1".to_vec())]);
    let alarms = reloader.status().alarms;
    assert!(alarms.len() == 1 && alarms[0].contains("`host`"), "{alarms:?}");
    assert!(rig.shared.metrics.text().contains("service_mesh_bundle_left_out 1"));

    // A stage of a canary is another release of the same bundle: it must not hang on what is refused since.
    let (same, again) = rig.take(&mut reloader, reserved(2));
    assert_eq!((same, code(&again)), (id, "activated"));
    // Another one is an offer like any other.
    let other = Content { port: 1, ..reserved(3) };
    assert_eq!(code(&rig.take(&mut reloader, other).1), "reserved-field");
    let fine = Content { generation: 4, ..Content::default() };
    assert_eq!(code(&rig.take(&mut reloader, fine).1), "activated");
    assert!(reloader.status().alarms.is_empty());
    assert!(rig.shared.metrics.text().contains("service_mesh_bundle_left_out 0"));

    // And one may go back to it.
    assert_eq!(reloader.rollback(Some(id)).unwrap(), id);
    assert_eq!(reloader.status().alarms.len(), 1);
}
