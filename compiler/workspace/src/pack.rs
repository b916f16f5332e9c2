//! From a compiled environment to the files of its bundle, signed.

use std::path::{Path, PathBuf};

use mesh_bundle::canonical::CanonicalError;
use mesh_bundle::manifest::Source;
use mesh_bundle::pack::{self, Input, PackError, Packed};
use mesh_bundle::release::{Acknowledges, Release};
use mesh_bundle::trust::{KeyError, SigningKey};
use mesh_bundle::{Digest, FileSet, Name, State};
use mesh_compiler::{CompiledEnvironment, selftest};

use crate::files::read_small;

/// The compiler as manifests name it.
pub const COMPILER: &str = concat!("meshc ", env!("CARGO_PKG_VERSION"));

/// Bytes of a key file.
const KEY: u64 = 16 << 10;

/// Fields of a release that are the same in every environment of a build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// Number of the release.
    pub generation: u64,
    /// Oldest generation to which proxies may go back by themselves.
    pub floor: u64,
    /// Unix seconds after which no source offers the release any more.
    pub expires: Option<u64>,
    /// What a reviewer has seen go away.
    pub acknowledges: Acknowledges,
}

/// A signed bundle in memory.
#[derive(Debug)]
pub struct Sealed {
    /// The bundle's id.
    pub id: Digest,
    /// All its files.
    pub files: FileSet,
    /// Number of its units.
    pub units: usize,
}

/// A bundle cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Past the bounds of a bundle.
    #[error("the bundle for `{environment}`: {source}")]
    Pack {
        /// The environment.
        environment: Name,
        /// The bound.
        source: PackError,
    },
    /// Release or state have no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// A signing key cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// A file that cannot be read.
    #[error("cannot read the key `{}`: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file that is no key.
    #[error("`{}`: {source}", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: KeyError,
    },
}

/// Reads a signing key (PKCS #8, PEM).
///
/// # Errors
/// For a file that cannot be read, has more than 16 KiB, or is no key.
pub fn read_key(file: &Path) -> Result<SigningKey, KeyFileError> {
    let bytes =
        read_small(file, KEY).map_err(|source| KeyFileError::Read { path: file.to_owned(), source })?;
    SigningKey::from_pem(&String::from_utf8_lossy(&bytes))
        .map_err(|source| KeyFileError::Form { path: file.to_owned(), source })
}

/// The files of an environment's bundle, not signed.
///
/// # Errors
/// Past the bounds of a bundle.
pub fn packed(environment: &CompiledEnvironment, source: Option<Source>) -> Result<Packed, SealError> {
    let tests = selftest::self_tests(&environment.program);
    let input = Input {
        program: &environment.program,
        source,
        compiler: COMPILER,
        maps: &environment.maps,
        tests: &tests,
    };
    pack::pack(&input).map_err(|source| SealError::Pack { environment: environment.name.clone(), source })
}

/// The bundle of an environment in a state, signed by `keys`.
///
/// # Errors
/// Past the bounds of a bundle.
pub fn sealed(
    environment: &CompiledEnvironment,
    source: Option<Source>,
    state: &State,
    terms: &Terms,
    keys: &[SigningKey],
) -> Result<Sealed, SealError> {
    let packed = packed(environment, source)?;
    let release = Release {
        generation: terms.generation,
        expires: terms.expires,
        floor: terms.floor,
        acknowledges: terms.acknowledges.clone(),
        ..Release::of(
            environment.program.mesh.name.clone(),
            environment.name.clone(),
            packed.id,
            pack::state_digest(state)?,
        )
    };
    let mut files = packed.files;
    pack::seal(&mut files, state, &release, keys)?;
    let units = files.keys().filter(|path| path.starts_with("units/")).count();
    Ok(Sealed { id: packed.id, files, units })
}
