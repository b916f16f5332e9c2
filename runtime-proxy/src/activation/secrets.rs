//! Secrets: references of the bundle that resolve to files under `--secrets DIR`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mesh_bundle::{Owner, Program, Refusal, Rung};

use crate::tls::{FileSet, PublicCertificate, Reload, Watch, public_server_config};

/// The secrets of one proxy.
pub struct Secrets {
    dir: Option<PathBuf>,
}

/// A public certificate that is watched for replacement; copies watch together.
#[derive(Clone)]
pub struct Watched {
    name: String,
    watch: Arc<Mutex<Watch<PublicCertificate>>>,
}

impl Secrets {
    /// Secrets below `dir`.
    #[must_use]
    pub fn new(dir: Option<&Path>) -> Self {
        Self { dir: dir.map(Path::to_owned) }
    }

    /// The public certificate that `owner` needs, if any: part of rung 5. One that is watched already is kept.
    ///
    /// # Errors
    /// A [`Refusal`] naming the secret that is missing or unusable.
    pub fn public(
        &self,
        program: &Program,
        owner: &Owner,
        known: Option<&Watched>,
    ) -> Result<Option<Watched>, Refusal> {
        let Owner::Gateway(gateway) = owner else { return Ok(None) };
        let Some(name) = program.gateways.get(gateway).and_then(|gateway| gateway.certificate.as_deref())
        else {
            return Ok(None);
        };
        if let Some(known) = known.filter(|known| known.name == name) {
            return Ok(Some(known.clone()));
        }
        match self.load(name) {
            Ok(watch) => Ok(Some(Watched { name: name.to_owned(), watch: Arc::new(Mutex::new(watch)) })),
            Err(message) => {
                let refusal = Refusal::new(Rung::Built, "missing-secret", message);
                Err(refusal.at(format!("gateways/{gateway}")).pointing("/certificate"))
            }
        }
    }

    fn load(&self, name: &str) -> Result<Watch<PublicCertificate>, String> {
        let root = self
            .dir
            .as_ref()
            .ok_or_else(|| format!("secret `{name}` is needed, and `--secrets` is not given"))?;
        if !name.split('/').all(is_segment) {
            return Err(format!("`{}` is no name of a secret", name.escape_debug()));
        }
        let dir = root.join(name);
        Watch::new(move || FileSet::read_pair(&dir), |files| public_server_config(files, false))
            .map_err(|error| format!("secret `{name}`: {error}"))
    }
}

impl Watched {
    /// The certificate now.
    #[must_use]
    pub fn current(&self) -> Arc<PublicCertificate> {
        self.lock().current().load_full()
    }

    /// Looks at the files once.
    #[must_use]
    pub fn poll(&self) -> Reload {
        self.lock().poll()
    }

    fn lock(&self) -> MutexGuard<'_, Watch<PublicCertificate>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The secret's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn is_segment(segment: &str) -> bool {
    !segment.is_empty()
        && !segment.starts_with('.')
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
