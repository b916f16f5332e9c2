//! A whole fleet on loopback: toy services, their proxies, a gateway, keys and bundles, in one temporary folder.
//!
//! Every process is ended with the fleet, by the handle that started it. Ports are asked of the system; addresses are
//! 127.0.0.0/8 only.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::client::{self, Reach};
use super::error::KitError;
use super::files::replace;
use super::ports::free_port;
use super::process::{Process, binary, meshc, run};
use super::wait::wait;

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
    ) -> Result<Self, KitError> {
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
    ) -> Result<(), KitError> {
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
        replace(&self.folder.join("endpoints.json"), text.as_bytes())?;
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
            self.start_gateway(gateway, workers)?;
        }
        self.instances.values().try_for_each(|instance| self.wait_ready(instance))
    }

    /// Gives one more gateway an identity, and a certificate where it has a secret (its reference and host), and starts
    /// it.
    ///
    /// # Errors
    /// When something does not start or become ready.
    pub fn add_gateway(&mut self, gateway: &str, secret: Option<(&str, &str)>) -> Result<(), KitError> {
        let mut args = ["keygen", "--dev-ca"].map(str::to_owned).to_vec();
        args.push(self.folder.join("ids").display().to_string());
        args.extend(["--trust-domain", &self.trust_domain, "--env", &self.environment].map(str::to_owned));
        args.extend(["--id".to_owned(), format!("gateway/{gateway}")]);
        if let Some((secret, host)) = secret {
            args.extend(["--secret".to_owned(), format!("{secret}={host}")]);
        }
        meshc(&self.folder, args)?;
        let instance = self.start_gateway(gateway, 1)?;
        self.wait_ready(self.instance(&instance)?)
    }

    /// Starts a gateway; the name of its instance.
    fn start_gateway(&mut self, gateway: &str, workers: usize) -> Result<String, KitError> {
        let name = format!("gateway-{gateway}");
        let inbound = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let owner = ["--gateway".to_owned(), gateway.to_owned()];
        let id = format!("gateway/{gateway}");
        let instance = self.proxy(&name, owner, inbound, &id, Vec::new(), workers)?;
        self.instances.insert(name.clone(), instance);
        Ok(name)
    }

    fn wait_ready(&self, instance: &Instance) -> Result<(), KitError> {
        wait("", 20, || instance.ready()).map_err(|_| {
            let log = self.folder.join(format!("{}.log", instance.name));
            let said = std::fs::read_to_string(log).unwrap_or_default();
            KitError::Late(format!("{} is ready; it said:\n{said}", instance.name), 20)
        })
    }

    fn proxy(
        &self,
        name: &str,
        owner: [String; 2],
        inbound: SocketAddr,
        id: &str,
        more: Vec<String>,
        workers: usize,
    ) -> Result<Instance, KitError> {
        let admin = self.folder.join(format!("{name}.sock"));
        let state = self.folder.join("state").join(name);
        std::fs::create_dir_all(&state).map_err(|e| KitError::Io(state.display().to_string(), e))?;
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
    pub fn gateway(&self, name: &str, host: &str, http2: bool) -> Result<Reach, KitError> {
        let path = self.folder.join("ids/ca").join(format!("{}.crt", self.trust_domain));
        let pem = std::fs::read(&path).map_err(|e| KitError::Io(path.display().to_string(), e))?;
        let address = self.instance(&format!("gateway-{name}"))?.inbound;
        let tls = Some((client::trusting(&pem, http2)?, host.to_owned()));
        Ok(Reach { address, tls, http2, from: None })
    }

    /// How the application of an instance asks for others.
    ///
    /// # Errors
    /// When there is no such instance.
    pub fn from(&self, instance: &str, http2: bool) -> Result<Reach, KitError> {
        let instance = self.instance(instance)?;
        let address = instance.outbound.unwrap_or(instance.inbound);
        Ok(Reach::clear(address, http2))
    }

    /// An instance by name.
    ///
    /// # Errors
    /// When there is none.
    pub fn instance(&self, name: &str) -> Result<&Instance, KitError> {
        let missing = || KitError::Io(name.to_owned(), std::io::Error::other("no such instance"));
        self.instances.get(name).ok_or_else(missing)
    }

    /// Orders every proxy to look at its source now.
    ///
    /// # Errors
    /// When one does not answer.
    pub fn reload(&self) -> Result<(), KitError> {
        self.instances.values().try_for_each(|i| i.order(&["reload"]).map(drop))
    }

    /// Waits until every proxy runs `bundle`.
    ///
    /// # Errors
    /// [`KitError::Late`] after `seconds`.
    pub fn wait_for(&self, bundle: &str, seconds: u64) -> Result<(), KitError> {
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
    /// [`KitError::Command`] when the proxy refuses or does not answer.
    pub fn order(&self, words: &[&str]) -> Result<Value, KitError> {
        let mut command = Command::new(binary("mesh-proxy"));
        command.args(words).arg("--admin").arg(&self.admin).args(["--output", "json"]);
        let said = run(&mut command)?;
        Ok(serde_json::from_str(&said).unwrap_or_else(|_| json!({ "said": said })))
    }

    /// Its status.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn status(&self) -> Result<Value, KitError> {
        self.order(&["status"])
    }

    /// Its metrics as Prometheus reads them.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn metrics(&self) -> Result<String, KitError> {
        let asked = || -> std::io::Result<String> {
            let mut socket = UnixStream::connect(&self.admin)?;
            socket.write_all(b"GET /metrics HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            socket.read_to_string(&mut answer)?;
            Ok(answer)
        };
        asked().map_err(|e| KitError::Io(self.admin.display().to_string(), e))
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
