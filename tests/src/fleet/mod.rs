//! A whole fleet on loopback: toy services, their proxies, a gateway, keys and bundles, in one temporary folder.
//!
//! Every process is ended with the fleet, by the handle that started it. Ports are asked of the system; addresses are
//! 127.0.0.0/8 only.

mod process;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub use process::{Process, binary};
use serde_json::{Value, json};

use crate::client::{self, Reach};

/// Why a fleet does not stand.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A command failed; what it said.
    #[error("`{command}` ended with {code}:\n{said}")]
    Command {
        /// The command.
        command: String,
        /// Its exit code.
        code: String,
        /// Its output.
        said: String,
    },
    /// Something did not come true in time.
    #[error("{0} did not come true within {1} s")]
    Late(String, u64),
    /// The file system.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// The client.
    #[error(transparent)]
    Client(#[from] client::ClientError),
}

/// One instance of a service or gateway with its proxy.
#[derive(Debug)]
pub struct Instance {
    /// `orders-v41`, `gateway-public`.
    pub name: String,
    /// Where callers connect.
    pub inbound: SocketAddr,
    /// Where the application asks for other services; a gateway has none.
    pub outbound: Option<SocketAddr>,
    /// The admin socket.
    pub admin: PathBuf,
    /// Its proxy.
    pub proxy: Process,
    /// Its application; a gateway has none.
    pub app: Option<Process>,
}

/// Which services run, in which versions, on which port.
#[derive(Debug, Clone)]
pub struct Member {
    /// The service.
    pub service: String,
    /// The version.
    pub version: String,
    /// The port where the mesh listens.
    pub port: u16,
}

/// A fleet.
#[derive(Debug)]
pub struct Fleet {
    /// Its folder.
    pub folder: PathBuf,
    /// The mesh's name.
    pub mesh: String,
    /// The trust domain of its identities.
    pub trust_domain: String,
    /// The environment.
    pub environment: String,
    /// Where its proxies look for bundles.
    pub source: PathBuf,
    /// Instances by name.
    pub instances: BTreeMap<String, Instance>,
}

impl Fleet {
    /// Prepares a fleet in `folder`: signing key, trust set, identities of all members and the gateway, the gateway's
    /// certificate. `secret` is the certificate's reference and host.
    ///
    /// # Errors
    /// When `meshc` fails.
    pub fn prepare(
        folder: &Path,
        mesh: &str,
        trust_domain: &str,
        environment: &str,
        members: &[Member],
        gateway: Option<(&str, &str, &str)>,
    ) -> Result<Self, FleetError> {
        let fleet = Self {
            folder: folder.to_owned(),
            mesh: mesh.to_owned(),
            trust_domain: trust_domain.to_owned(),
            environment: environment.to_owned(),
            source: folder.join("offer.mcb"),
            instances: BTreeMap::new(),
        };
        let (key, trust) = (fleet.key(), fleet.trust());
        meshc(
            folder,
            [OsStr::new("keygen"), "-o".as_ref(), key.as_ref(), "--trust".as_ref(), trust.as_ref()],
        )?;
        let ids = folder.join("ids");
        let mut args: Vec<String> = ["keygen", "--dev-ca"].map(str::to_owned).to_vec();
        args.push(ids.display().to_string());
        args.extend(["--trust-domain", trust_domain, "--env", environment].map(str::to_owned));
        let mut services: Vec<&str> = members.iter().map(|m| m.service.as_str()).collect();
        services.dedup();
        for service in services {
            args.extend(["--id".to_owned(), service.to_owned()]);
        }
        if let Some((name, secret, host)) = gateway {
            args.extend(["--id".to_owned(), format!("gateway/{name}")]);
            args.extend(["--secret".to_owned(), format!("{secret}={host}")]);
        }
        meshc(folder, args)?;
        Ok(fleet)
    }

    /// The signing key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// The trust set.
    #[must_use]
    pub fn trust(&self) -> PathBuf {
        self.folder.join("trust.json")
    }

    /// Starts applications and proxies of `members`, and the gateway. The source must hold a bundle.
    ///
    /// # Errors
    /// When something does not start or become ready.
    pub fn start(
        &mut self,
        members: &[Member],
        gateway: Option<&str>,
        workers: usize,
    ) -> Result<(), FleetError> {
        let mut endpoints: BTreeMap<&str, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
        let mut inbound = Vec::new();
        for member in members {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
            endpoints
                .entry(&member.service)
                .or_default()
                .entry(&member.version)
                .or_default()
                .push(address.to_string());
            inbound.push(address);
        }
        let text = serde_json::to_string(&endpoints).unwrap_or_default();
        write(&self.folder.join("endpoints.json"), text.as_bytes())?;
        for (member, inbound) in members.iter().zip(inbound) {
            let name = format!("{}-{}", member.service, member.version);
            let app = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
            let toy = Process::start(
                &binary("toy-service"),
                &["--listen", &app.to_string(), "--service", &member.service, "--version", &member.version],
                &self.folder.join(format!("{name}.app.log")),
            )?;
            let outbound = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
            let owner = ["--service".to_owned(), member.service.clone()];
            let more = ["--app".to_owned(), app.to_string(), "--outbound".to_owned(), outbound.to_string()];
            let instance = self.proxy(&name, owner, inbound, &member.service, more.to_vec(), workers)?;
            let instance = Instance { outbound: Some(outbound), app: Some(toy), ..instance };
            self.instances.insert(name, instance);
        }
        if let Some(gateway) = gateway {
            let name = format!("gateway-{gateway}");
            let inbound = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
            let owner = ["--gateway".to_owned(), gateway.to_owned()];
            let id = format!("gateway/{gateway}");
            let instance = self.proxy(&name, owner, inbound, &id, Vec::new(), workers)?;
            self.instances.insert(name, instance);
        }
        for instance in self.instances.values() {
            wait("", 20, || instance.ready()).map_err(|_| {
                let log = self.folder.join(format!("{}.log", instance.name));
                let said = std::fs::read_to_string(log).unwrap_or_default();
                FleetError::Late(format!("{} is ready; it said:\n{said}", instance.name), 20)
            })?;
        }
        Ok(())
    }

    fn proxy(
        &self,
        name: &str,
        owner: [String; 2],
        inbound: SocketAddr,
        id: &str,
        more: Vec<String>,
        workers: usize,
    ) -> Result<Instance, FleetError> {
        let admin = self.folder.join(format!("{name}.sock"));
        let state = self.folder.join("state").join(name);
        std::fs::create_dir_all(&state).map_err(|e| FleetError::Io(state.display().to_string(), e))?;
        let shown = |path: PathBuf| path.display().to_string();
        let mut args: Vec<String> = owner.to_vec();
        for (flag, value) in [
            ("--mesh", self.mesh.clone()),
            ("--env", self.environment.clone()),
            ("--source", shown(self.source.clone())),
            ("--trust", shown(self.trust())),
            ("--state", shown(state)),
            ("--secrets", shown(self.folder.join("ids/secrets"))),
            ("--endpoints", shown(self.folder.join("endpoints.json"))),
            ("--identity", shown(self.folder.join("ids").join(id))),
            ("--admin", shown(admin.clone())),
            ("--inbound", inbound.to_string()),
            ("--workers", workers.to_string()),
            ("--access-log", shown(self.folder.join(format!("{name}.access.log")))),
        ] {
            args.extend([flag.to_owned(), value]);
        }
        args.extend(more);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let proxy = Process::start(&binary("mesh-proxy"), &args, &self.folder.join(format!("{name}.log")))?;
        Ok(Instance { name: name.to_owned(), inbound, outbound: None, admin, proxy, app: None })
    }

    /// How the gateway is reached by strangers.
    ///
    /// # Errors
    /// When the development root cannot be read.
    pub fn gateway(&self, name: &str, host: &str, http2: bool) -> Result<Reach, FleetError> {
        let path = self.folder.join("ids/ca").join(format!("{}.crt", self.trust_domain));
        let pem = std::fs::read(&path).map_err(|e| FleetError::Io(path.display().to_string(), e))?;
        let address = self.instance(&format!("gateway-{name}"))?.inbound;
        Ok(Reach { address, tls: Some((client::trusting(&pem, http2)?, host.to_owned())), http2 })
    }

    /// How the application of an instance asks for others.
    ///
    /// # Errors
    /// When there is no such instance.
    pub fn from(&self, instance: &str, http2: bool) -> Result<Reach, FleetError> {
        let instance = self.instance(instance)?;
        let address = instance.outbound.unwrap_or(instance.inbound);
        Ok(Reach::clear(address, http2))
    }

    /// An instance by name.
    ///
    /// # Errors
    /// When there is none.
    pub fn instance(&self, name: &str) -> Result<&Instance, FleetError> {
        let missing = || FleetError::Io(name.to_owned(), std::io::Error::other("no such instance"));
        self.instances.get(name).ok_or_else(missing)
    }

    /// Orders every proxy to look at its source now.
    ///
    /// # Errors
    /// When one does not answer.
    pub fn reload(&self) -> Result<(), FleetError> {
        self.instances.values().try_for_each(|i| i.order(&["reload"]).map(drop))
    }

    /// Waits until every proxy runs `bundle`.
    ///
    /// # Errors
    /// [`FleetError::Late`] after `seconds`.
    pub fn wait_for(&self, bundle: &str, seconds: u64) -> Result<(), FleetError> {
        for instance in self.instances.values() {
            let what = format!("{} runs {bundle}", instance.name);
            wait(&what, seconds, || instance.status().is_ok_and(|s| active(&s) == Some(bundle)))?;
        }
        Ok(())
    }
}

impl Instance {
    /// Gives an order over the admin socket, with `--output json`.
    ///
    /// # Errors
    /// [`FleetError::Command`] when the proxy refuses or does not answer.
    pub fn order(&self, words: &[&str]) -> Result<Value, FleetError> {
        let mut command = Command::new(binary("mesh-proxy"));
        command.args(words).arg("--admin").arg(&self.admin).args(["--output", "json"]);
        let said = run(&mut command)?;
        Ok(serde_json::from_str(&said).unwrap_or_else(|_| json!({ "said": said })))
    }

    /// Its status.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn status(&self) -> Result<Value, FleetError> {
        self.order(&["status"])
    }

    /// Its metrics as Prometheus reads them.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn metrics(&self) -> Result<String, FleetError> {
        let asked = || -> std::io::Result<String> {
            let mut socket = UnixStream::connect(&self.admin)?;
            socket.write_all(b"GET /metrics HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            socket.read_to_string(&mut answer)?;
            Ok(answer)
        };
        asked().map_err(|e| FleetError::Io(self.admin.display().to_string(), e))
    }

    fn ready(&self) -> bool {
        self.status().is_ok_and(|status| active(&status).is_some())
    }
}

/// The id of the bundle in force.
#[must_use]
pub fn active(status: &Value) -> Option<&str> {
    let active = status.get("active")?;
    active.as_str().or_else(|| active.get("bundle").and_then(Value::as_str))
}

/// Runs `meshc` in `folder` and gives its standard output.
///
/// # Errors
/// [`FleetError::Command`] with all that it said.
pub fn meshc<S: AsRef<OsStr>>(
    folder: &Path,
    args: impl IntoIterator<Item = S>,
) -> Result<String, FleetError> {
    run(Command::new(binary("meshc")).args(args).current_dir(folder).env("NO_COLOR", "1"))
}

/// Runs a command to its end.
///
/// # Errors
/// [`FleetError::Command`] for an exit code that is not 0.
pub fn run(command: &mut Command) -> Result<String, FleetError> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|e| FleetError::Io(shown.clone(), e))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    Err(FleetError::Command { command: shown, code: output.status.to_string(), said })
}

/// Replaces a file by rename.
///
/// # Errors
/// Those of the file system.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FleetError> {
    let beside = path.with_extension("new");
    let io = |e| FleetError::Io(path.display().to_string(), e);
    std::fs::write(&beside, bytes).map_err(io)?;
    std::fs::rename(&beside, path).map_err(io)
}

/// Asks again and again until `true`, at most `seconds` long.
///
/// # Errors
/// [`FleetError::Late`].
pub fn wait(what: &str, seconds: u64, mut come_true: impl FnMut() -> bool) -> Result<(), FleetError> {
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        if come_true() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(FleetError::Late(what.to_owned(), seconds))
}

/// Where ports for listeners begin: below those that systems give to outgoing connections, of which tests make many.
const PORTS: u32 = 10_000;
/// How many there are.
const PORT_COUNT: u32 = 22_000;
/// Ports apart for each process, so that tests side by side rarely ask for the same one.
const APART: u32 = 64;
/// The next port to try, from [`PORTS`].
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port of loopback on which nobody listens now.
///
/// # Errors
/// When all are taken.
pub fn free_port() -> Result<u16, FleetError> {
    let first = std::process::id().wrapping_mul(APART);
    for _ in 0..PORT_COUNT {
        let at = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORT_COUNT;
        let Ok(port) = u16::try_from(PORTS + at) else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(FleetError::Io("a free port".to_owned(), std::io::ErrorKind::AddrInUse.into()))
}
