//! Small signed bundles, made in memory: for tests of what a proxy takes and what it refuses.

use std::io;

use mesh_bundle::program::{Gateway, Mesh, Service, TlsMode};
use mesh_bundle::release::Release;
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_bundle::{Name, Owner, Program};

use super::bundle::{Signed, packed, signed};

/// The mesh that these bundles are for.
pub const MESH: &str = "shop";
/// Their environment.
pub const ENVIRONMENT: &str = "prod";
/// The gateway whose proxy takes them.
pub const GATEWAY: &str = "public";

/// A name that is known to be one.
///
/// # Errors
/// It is none.
pub fn name(text: &str) -> io::Result<Name> {
    Name::new(text).map_err(|_| io::Error::other(format!("`{text}` is not a name")))
}

/// Whom the proxy of these bundles stands for.
///
/// # Errors
/// None; names are checked where they are made.
pub fn owner() -> io::Result<Owner> {
    Ok(Owner::Gateway(name(GATEWAY)?))
}

/// A set of one key.
///
/// # Errors
/// None for one key.
pub fn trusting(key: &SigningKey) -> io::Result<TrustSet> {
    TrustSet::new(1, vec![key.public()]).map_err(|error| io::Error::other(error.to_string()))
}

/// A program of one gateway and a few services, all on `port`, by which programs and their units are told apart. A proxy keeps `keep` older
/// bundles.
///
/// # Errors
/// None; names are checked where they are made.
pub fn program(port: u16, keep: u32) -> io::Result<Program> {
    let mut mesh = Mesh::new(name(MESH)?, name(ENVIRONMENT)?, "shop.example");
    mesh.tls = TlsMode::Permissive;
    mesh.keep = keep;
    let mut program = Program::new(mesh);
    program.gateways.insert(name(GATEWAY)?, Gateway { listen: port, hosts: Vec::new(), certificate: None });
    for service in ["orders", "cart", "web"] {
        let made: Service = serde_json::from_value(serde_json::json!({ "port": port }))?;
        program.services.insert(name(service)?, made);
    }
    Ok(program)
}

/// Packs, releases and signs a program; `change` may alter the release before it is signed.
///
/// # Errors
/// When a part of it has no canonical form or is over a bound.
pub fn make(
    program: &Program,
    generation: u64,
    keys: &[SigningKey],
    change: impl FnOnce(&mut Release),
) -> io::Result<Signed> {
    signed(packed(program)?, keys, |release| {
        release.generation = generation;
        change(release);
    })
}
