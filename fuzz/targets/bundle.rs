//! The bundle reader: an archive's bytes, a tar's bytes, or edits of a signed bundle (bytes of its files, or values in
//! them), up the pure rungs of the ladder, to engines and decisions where a bundle gets that far.
#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use mesh_bundle::verify::{self, Expectation};
use mesh_bundle::{FileSet, Name, Owner, archive, limits};
use mesh_decision::Engine;
use mesh_decision::Scratch;
use mesh_fuzz::{draft, shop, trees};

static DRAFT: OnceLock<draft::Draft> = OnceLock::new();

fn base() -> &'static draft::Draft {
    DRAFT.get_or_init(|| draft::Draft::new(&shop::program()))
}

/// The first byte says what the rest is.
fn seeds() -> impl Iterator<Item = Vec<u8>> {
    let sealed = base().sealed(&[]);
    let packed = archive::write(&sealed).expect("an archive");
    let tar = zstd::decode_all(packed.as_slice()).expect("a tar");
    let whole = [[&[0], packed.as_slice()].concat(), [&[1], tar.as_slice()].concat()];
    let edits = base().files.iter().map(|(path, bytes)| [&[2], path.as_bytes(), &[0], bytes, &[0]].concat());
    let values = (0..=255).map(|unit| vec![3, unit, unit, unit, unit]);
    whole.into_iter().chain(edits).chain(values)
}

fuzz_target!(init: shop::write_seeds(seeds()), |data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 4 {
        0 => read(rest),
        1 => {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
            encoder.include_checksum(true).expect("a checksum");
            std::io::copy(&mut { rest }, &mut encoder).expect("memory");
            read(&encoder.finish().expect("memory"));
        }
        2 => climb(base().sealed(&draft::edits(rest)), false),
        _ => climb(base().sealed(&draft::values(&base().files, rest)), false),
    }
});

/// What is read from an archive is within its bounds, and writes and reads back as the same files.
fn read(bytes: &[u8]) {
    let Ok(files) = archive::read(bytes) else { return };
    assert!(files.len() <= limits::BUNDLE_FILES);
    assert!(files.values().map(Vec::len).sum::<usize>() <= limits::BUNDLE_BYTES);
    let again = archive::write(&files).expect("an archive");
    assert_eq!(archive::read(&again).expect("the same files"), files);
    climb(files, true);
}

/// The index says what an owner's part is; where no compiler made them both, it need not be what the units say.
fn climb(files: FileSet, compiled: bool) {
    if verify::bound(&files).is_err() {
        return;
    }
    let Ok(candidate) = verify::authentic(files, &base().trust) else { return };
    let me = |owner: &Owner| {
        let (mesh, environment) =
            (Name::new("shop").expect("a name"), &candidate.bundle.manifest.environment);
        let me = Expectation { mesh: &mesh, environment, owner, now: 1_000, accepted: None, local: false };
        verify::eligible(&candidate, &me)
    };
    let whole = verify::well_formed(&candidate.bundle, None);
    for owner in ["web", "orders", "gateway/public"] {
        let owner: Owner = owner.parse().expect("an owner");
        if me(&owner).is_err() {
            continue;
        }
        let Ok(program) = verify::well_formed(&candidate.bundle, Some(&owner)) else { continue };
        if let Ok(whole) = &whole
            && compiled
        {
            assert_eq!(program, whole.slice(&owner), "a part of the bundle is that part of the whole");
        }
        let Ok(engine) = Engine::new(Arc::new(program), &candidate.state, &owner) else { continue };
        let mut scratch = Scratch::default();
        trees::requests(|request| {
            let _outbound = engine.decide_outbound(request, &mut scratch);
            let _inbound = engine.decide_inbound(request);
        });
    }
}
