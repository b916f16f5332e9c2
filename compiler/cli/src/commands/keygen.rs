//! `meshc keygen`: makes signing keys, and certificates for development.

mod ca;

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use mesh_bundle::program::Mesh as MeshUnit;
use mesh_bundle::trust::{SigningKey, TrustSet};
use mesh_bundle::{Name, Owner};
use mesh_compiler::spec::{Scalar as _, TrustDomain};

use crate::exit;
use crate::failure::Failure;
use crate::load::{self, Day, Revision, Today, Where, since_1970};
use crate::output::{Outputs, pretty};
use crate::reports::KeygenReport;

/// Make signing keys, and SPIFFE certificates for tests.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    meshc keygen -o mesh.key --trust mesh.trust.json\n  \
    meshc keygen --dev-ca certs --mesh-from . --env dev --secret tls/shop-example=shop.example\n  \
    meshc keygen --dev-ca certs --trust-domain shop.example --env dev --id orders --id gateway/public\n\n\
    --dev-ca writes DIR/ID/{tls.crt,tls.key,roots/DOMAIN.pem} for each identity, DIR/secrets/NAME/{tls.crt,tls.key}\n\
    for each --secret, and keeps the root in DIR/ca. For development and tests only: the root's key lies in the clear.")]
pub(crate) struct Args {
    /// Write the private Ed25519 key here (PKCS #8, PEM); an existing file is never replaced
    #[arg(short = 'o', long = "out", value_name = "FILE", default_value = "mesh.key")]
    out: PathBuf,
    /// Write the trust set with the public key here
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Make SPIFFE certificates in this folder, and no signing key
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "trust"])]
    dev_ca: Option<PathBuf>,
    /// One for each service and gateway of the mesh in this folder
    #[arg(long, value_name = "DIR", requires = "dev_ca", conflicts_with_all = ["trust_domain", "id"])]
    mesh_from: Option<PathBuf>,
    /// The trust domain
    #[arg(long, value_name = "DOMAIN", requires_all = ["dev_ca", "env"])]
    trust_domain: Option<String>,
    /// Environment that the identities belong to
    #[arg(long, value_name = "ENV", requires = "dev_ca")]
    env: Option<String>,
    /// A service, or gateway/NAME; may be repeated
    #[arg(long, value_name = "ID", requires = "trust_domain")]
    id: Vec<Owner>,
    /// A certificate for the public name HOST as the secret NAME; may be repeated
    #[arg(long, value_name = "NAME=HOST", requires = "dev_ca")]
    secret: Vec<SecretArg>,
    #[command(flatten)]
    today: Today,
}

/// One `--secret NAME=HOST`: the name of the secret and the host of its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SecretArg {
    name: String,
    host: String,
}

impl FromStr for SecretArg {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, host) = text.split_once('=').ok_or("a secret is written NAME=HOST")?;
        let part = |part: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
        };
        if !name.split('/').all(part) || host.is_empty() {
            return Err("a secret's name is made of letters, digits and -_. between /".to_owned());
        }
        Ok(Self { name: name.to_owned(), host: host.to_owned() })
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, place: &Where, outputs: &Outputs) -> Result<u8, Failure> {
    match &args.dev_ca {
        Some(folder) => dev_ca(args, folder, place, outputs),
        None => signing_key(args, outputs),
    }
}

/// 32 bytes of the platform's randomness.
fn seed() -> Result<[u8; 32], Failure> {
    let mut seed = [0; 32];
    let cannot = |_| Failure::cannot("the platform gives no randomness");
    aws_lc_rs::rand::fill(&mut seed).map_err(cannot)?;
    Ok(seed)
}

fn signing_key(args: &Args, outputs: &Outputs) -> Result<u8, Failure> {
    if let Some(there) = args.trust.iter().find(|file| file.exists()) {
        return Err(Failure::cannot(format!("`{}` exists already", there.display())));
    }
    let cannot = |e: mesh_bundle::trust::KeyError| Failure::cannot(e.to_string());
    let key = SigningKey::from_seed(&seed()?).map_err(cannot)?;
    create(&args.out, key.to_pem().as_bytes(), 0o600)?;
    let mut written = vec![args.out.display().to_string()];
    if let Some(file) = &args.trust {
        let set = TrustSet::new(1, vec![key.public()]).map_err(cannot)?;
        let text = pretty(&set)? + "\n";
        create(file, text.as_bytes(), 0o644)?;
        written.push(file.display().to_string());
    }
    outputs.emit(&KeygenReport::new(Some(key.public()), written))?;
    Ok(0)
}

fn dev_ca(args: &Args, folder: &Path, place: &Where, outputs: &Outputs) -> Result<u8, Failure> {
    let (mesh, owners) = match (&args.mesh_from, &args.trust_domain, &args.env) {
        (Some(from), ..) => {
            let mesh = load::mesh(
                &Where { directory: place.directory.join(from) },
                &Revision { rev: None, staged: false },
                Day::Running(args.today),
            )?;
            if !load::is_sound(&mesh, "keygen", outputs)? {
                return Ok(exit::FOUND);
            }
            let program = &mesh.environment(args.env.as_deref())?.program;
            let services = program.services.keys().cloned().map(Owner::Service);
            let gateways = program.gateways.keys().cloned().map(Owner::Gateway);
            (program.mesh.clone(), services.chain(gateways).collect())
        }
        (None, Some(domain), Some(env)) => {
            let name = |text: &str| Name::new(text).map_err(|e| Failure::cannot(format!("`{text}`: {e}")));
            if TrustDomain::parse(domain).is_none() {
                return Err(Failure::cannot(format!(
                    "`{}` is not {}",
                    domain.escape_debug(),
                    TrustDomain::WHAT
                )));
            }
            // The mesh's name is not part of an identity.
            (MeshUnit::new(name("mesh")?, name(env)?, domain), args.id.clone())
        }
        _ => {
            return Err(Failure::cannot(
                "whose certificates? give --mesh-from DIR, or --trust-domain and --env",
            ));
        }
    };
    if owners.is_empty() && args.secret.is_empty() {
        return Err(Failure::cannot("no identity is named").help("give --id, --mesh-from or --secret"));
    }
    let mut authority = ca::Authority::open(folder, &mesh.trust_domain, since_1970())?;
    for owner in &owners {
        authority.identity(owner, &mesh.spiffe_id(owner))?;
    }
    for secret in &args.secret {
        authority.secret(&secret.name, &secret.host)?;
    }
    outputs.emit(&KeygenReport::new(None, authority.written))?;
    Ok(0)
}

/// Writes a file that is not there yet.
fn create(file: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    let cannot = |e: std::io::Error| match e.kind() {
        ErrorKind::AlreadyExists => Failure::cannot(format!("`{}` exists already", file.display())),
        _ => Failure::cannot(format!("cannot write `{}`: {e}", file.display())),
    };
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.write(true).create_new(true).mode(mode).open(file).map_err(cannot)?;
    out.write_all(bytes).and_then(|()| out.sync_all()).map_err(cannot)
}
