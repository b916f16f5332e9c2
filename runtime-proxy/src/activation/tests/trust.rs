//! Keys are replaced by good bundles, and by an operator.

use mesh_bundle::trust::{SigningKey, TrustSet};

use super::{Content, ReloadOutcome, Rig, code};
use crate::probation::RequestSample;

fn content(generation: u64) -> Content {
    Content { generation, port: u16::try_from(generation).unwrap(), ..Content::default() }
}

#[test]
fn the_next_set_counts_once_its_bundle_is_good_and_the_old_one_no_more() {
    let mut rig = Rig::new();
    let next = SigningKey::from_seed(&[11; 32]).unwrap();
    let set = TrustSet::new(1, vec![next.public()]).unwrap();
    let mut reloader = rig.reloader();
    assert_eq!(reloader.start(), None);
    let (first, _) = rig.take(&mut reloader, Content { trust: Some(set), ..content(1) });
    // Not yet good: the old key counts, the next one does not.
    let old = std::mem::replace(&mut rig.keys, vec![next]);
    assert_eq!(code(&rig.take(&mut reloader, content(2)).1), "bad-signature");
    rig.requests(50, RequestSample::default());
    rig.pass(60_000);
    reloader.tick();
    assert_eq!(reloader.status().keys, [rig.keys[0].public().id()]);
    let (second, look) = rig.take(&mut reloader, content(3));
    assert_eq!(look, ReloadOutcome::Activated { bundle: second });
    let new = std::mem::replace(&mut rig.keys, old);
    assert_eq!(code(&rig.take(&mut reloader, content(4)).1), "bad-signature", "the rotated key is out");
    // What was accepted under the old key can be gone back to, now and after a restart.
    assert_eq!(reloader.rollback(Some(first)).unwrap(), first);
    drop(reloader);
    let mut reloader = rig.reloader();
    assert_eq!(reloader.start(), Some(first));
    assert_eq!(reloader.status().keys, [new[0].public().id()], "the rotation outlives the process");
    // An operator who gives another file begins anew.
    let third = SigningKey::from_seed(&[12; 32]).unwrap();
    rig.trust = TrustSet::new(1, vec![third.public(), rig.keys[0].public()]).unwrap();
    drop(reloader);
    let mut reloader = rig.reloader();
    reloader.start();
    assert_eq!(reloader.status().keys.len(), 2);
}

#[test]
fn a_start_that_falls_back_does_not_bring_old_keys_back() {
    let mut rig = Rig::new();
    let keys = [SigningKey::from_seed(&[13; 32]).unwrap(), SigningKey::from_seed(&[14; 32]).unwrap()];
    let sets = keys.each_ref().map(|key| TrustSet::new(1, vec![key.public()]).unwrap());
    let ids = keys.each_ref().map(|key| key.public().id());
    let mut reloader = rig.reloader();
    assert_eq!(reloader.start(), None);
    let mut bundles = Vec::new();
    for ((generation, set), key) in (1..).zip(sets).zip(keys) {
        let (bundle, look) = rig.take(&mut reloader, Content { trust: Some(set), ..content(generation) });
        assert_eq!(code(&look), "activated");
        bundles.push(bundle);
        rig.keys = vec![key];
        rig.requests(50, RequestSample::default());
        rig.pass(60_000);
        reloader.tick();
    }
    assert_eq!(reloader.status().keys, [ids[1].clone()]);
    reloader.stop();
    rig.die(reloader);
    // The newer bundle cannot be read any more; the older one is in force, on probation, and good in the end.
    std::fs::write(rig.path(&format!("state/bundles/{}.mcb", bundles[1].hex())), b"edited").unwrap();
    let mut reloader = rig.reloader();
    assert_eq!(reloader.start(), Some(bundles[0]));
    rig.requests(50, RequestSample::default());
    rig.pass(60_000);
    reloader.tick();
    assert_eq!(reloader.status().journal.good, Some(bundles[0]));
    assert_eq!(reloader.status().keys, [ids[1].clone()], "keys go forward only");
}

#[test]
fn a_threshold_is_kept_over_a_rotation() {
    let mut rig = Rig::new();
    let two = [SigningKey::from_seed(&[15; 32]).unwrap(), SigningKey::from_seed(&[16; 32]).unwrap()];
    let set = TrustSet::new(2, two.iter().map(SigningKey::public).collect()).unwrap();
    let mut reloader = rig.reloader();
    rig.take(&mut reloader, Content { trust: Some(set), ..content(1) });
    rig.requests(50, RequestSample::default());
    rig.pass(60_000);
    reloader.tick();
    let [one, other] = two;
    rig.keys = vec![one];
    assert_eq!(code(&rig.take(&mut reloader, content(2)).1), "bad-signature", "one of two is not enough");
    rig.keys.push(other);
    assert!(matches!(rig.take(&mut reloader, content(3)).1, ReloadOutcome::Activated { .. }));
}
