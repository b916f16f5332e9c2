//! One gateway's proxy as a process of its own, in front of toy services, in clear: what drills are done to.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use mesh_bundle::Digest;
use mesh_bundle::pack::Packed;
use mesh_bundle::trust::{SigningKey, TrustSet};
use serde_json::{Value, json};

use super::bundle::{Terms, signed};
use super::error::KitError;
use super::files::replace;
use super::ports::free_port;
use super::process::{Process, run};
use super::wait::wait;

/// How long an answer may take: longer than any fault that a test plants.
const ANSWER: Duration = Duration::from_secs(40);

/// The services behind the gateway.
const SERVICES: [&str; 2] = ["orders", "cart"];

/// A mesh with the gateway `public` before `orders` and `cart`; `rules` are those of the route `edge`, one a line,
/// `more` is whole documents.
#[must_use]
pub fn mesh(rules: &str, more: &str) -> String {
    let rules: String = rules.lines().map(|rule| format!("  - {{ {} }}\n", rule.trim())).collect();
    format!(
        "\
kind: Mesh
name: drill
version: 1
trustDomain: drill.example
tls: permissive
gateways:
  public: {{ listen: 8080, hosts: [drill.example] }}
---
kind: Environment
name: local
---
kind: Service
name: orders
port: 8080
callers: [gateway/public]
---
kind: Service
name: cart
port: 8081
callers: [gateway/public]
---
kind: Route
name: edge
gateway: public
rules:
{rules}{more}"
    )
}

/// The programs that take part; [`crate::programs`] names those that Cargo has built for a test.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The proxy.
    pub proxy: PathBuf,
    /// The application.
    pub toy: PathBuf,
}

/// The [`Programs`] that Cargo has built for a test; only the test's own crate can tell where they are.
#[macro_export]
macro_rules! programs {
    () => {
        $crate::kit::lone::Programs {
            proxy: std::path::PathBuf::from(env!("CARGO_BIN_EXE_faulty-proxy")),
            toy: std::path::PathBuf::from(env!("CARGO_BIN_EXE_toy-service")),
        }
    };
}

/// The proxy and all around it.
#[derive(Debug)]
pub struct Lone {
    folder: PathBuf,
    programs: Programs,
    /// What signs its bundles.
    pub key: SigningKey,
    inbound: SocketAddr,
    apps: Vec<Process>,
    proxy: Option<Process>,
    starts: u32,
    flags: Vec<(String, String)>,
    /// Where its output goes, if not into a file of its folder.
    output: Option<PathBuf>,
}

impl Lone {
    /// Prepares `folder` and starts the toy services; the proxy is started with [`Lone::start`].
    ///
    /// # Errors
    /// When a file cannot be written or a toy does not start.
    pub fn new(folder: &Path, programs: Programs) -> Result<Self, KitError> {
        let odd = |what: &str| KitError::Io(what.to_owned(), io::Error::other("cannot be made"));
        let key = SigningKey::from_seed(&[1; 32]).map_err(|_| odd("key"))?;
        let trust = TrustSet::new(1, vec![key.public()]).map_err(|_| odd("trust set"))?;
        let inbound = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut lone = Self {
            folder: folder.to_owned(),
            programs,
            key,
            inbound,
            apps: Vec::new(),
            proxy: None,
            starts: 0,
            flags: Vec::new(),
            output: None,
        };
        replace(&lone.path("trust.json"), json!(trust).to_string().as_bytes())?;
        for part in ["faults", "state"] {
            let path = lone.path(part);
            std::fs::create_dir_all(&path).map_err(|e| KitError::Io(path.display().to_string(), e))?;
        }
        let mut endpoints = serde_json::Map::new();
        for service in SERVICES {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)).to_string();
            let words = ["--listen", &address, "--service", service, "--version", "v1"];
            lone.apps.push(Process::start(
                &lone.programs.toy,
                &words,
                &lone.path(&format!("{service}.log")),
            )?);
            wait(service, 20, || TcpStream::connect(&address).is_ok())?;
            endpoints.insert(service.to_owned(), json!({ "v1": [address] }));
        }
        replace(&lone.path("endpoints.json"), Value::Object(endpoints).to_string().as_bytes())?;
        Ok(lone)
    }

    /// A file of its folder.
    #[must_use]
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Another value for a flag of the proxy, from the next start on.
    pub fn flag(&mut self, flag: &str, value: &Path) {
        self.flags.retain(|(known, _)| known != flag);
        self.flags.push((flag.to_owned(), value.display().to_string()));
    }

    /// Another place for what the proxy writes to standard output and standard error, from the next start on.
    pub fn log_to(&mut self, path: &Path) {
        self.output = Some(path.to_owned());
    }

    /// The applications end.
    pub fn outage(&mut self) {
        self.apps.clear();
    }

    /// Starts the proxy and waits until it takes requests; how long that took.
    ///
    /// # Errors
    /// When it does not.
    pub fn start(&mut self) -> Result<Duration, KitError> {
        let begun = Instant::now();
        self.launch()?;
        let end = begun + Duration::from_secs(30);
        while self.admin("GET", "/readyz").map_or(true, |(_, body)| body == "starting\n") {
            if !self.runs() || Instant::now() > end {
                return Err(KitError::Late(format!("the proxy starts:\n{}", self.log()), 30));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(begun.elapsed())
    }

    /// Starts the proxy and waits for nothing.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn launch(&mut self) -> Result<(), KitError> {
        self.proxy = None;
        self.starts += 1;
        let shown = |file: &str| self.path(file).display().to_string();
        let mut args =
            ["--gateway", "public", "--mesh", "drill", "--env", "local"].map(str::to_owned).to_vec();
        args.extend(["--inbound".to_owned(), self.inbound.to_string()]);
        args.extend(["--workers", "1", "--drain", "1"].map(str::to_owned));
        for (flag, value) in [
            ("--source", shown("offer.mcb")),
            ("--trust", shown("trust.json")),
            ("--state", shown("state")),
            ("--endpoints", shown("endpoints.json")),
            ("--admin", shown("admin.sock")),
            ("--access-log", shown("access.log")),
        ] {
            let other = self.flags.iter().find(|(known, _)| known == flag).map(|(_, other)| other.clone());
            args.extend([flag.to_owned(), other.unwrap_or(value)]);
        }
        for (flag, value) in
            self.flags.iter().filter(|(flag, _)| !args.contains(flag)).cloned().collect::<Vec<_>>()
        {
            args.extend([flag, value]);
        }
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let faults = [("MESH_FAULTS", self.path("faults"))];
        let own = self.path(&format!("proxy-{}.log", self.starts));
        let log = self.output.clone().unwrap_or(own);
        self.proxy = Some(Process::start_with(&self.programs.proxy, &words, &faults, &log)?);
        Ok(())
    }

    /// Ends the proxy gracefully.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> Result<(), KitError> {
        if let Some(proxy) = &self.proxy {
            proxy.signal("TERM")?;
        }
        self.wait_for_end()
    }

    /// Waits until the proxy has ended by itself.
    ///
    /// # Errors
    /// When it does not.
    pub fn wait_for_end(&mut self) -> Result<(), KitError> {
        wait("the proxy ends", 20, || !self.runs())
    }

    /// True while the proxy runs.
    pub fn runs(&mut self) -> bool {
        self.proxy.as_mut().is_some_and(Process::runs)
    }

    /// Plants a fault of `faulty-proxy`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn plant(&self, file: &str, content: &str) -> Result<(), KitError> {
        replace(&self.path("faults").join(file), content.as_bytes())
    }

    /// Takes a fault away again.
    pub fn cure(&self, file: &str) {
        // Where there is none, that is as well.
        drop(std::fs::remove_file(self.path("faults").join(file)));
    }

    /// Signs a bundle and puts it where the proxy looks.
    ///
    /// # Errors
    /// When it cannot be signed or written.
    pub fn offer(&self, packed: &Packed, terms: &Terms) -> Result<Digest, KitError> {
        let keys = std::slice::from_ref(&self.key);
        let bytes = signed(packed.clone(), keys, |release| terms.apply(release));
        let bytes = bytes.and_then(|signed| signed.archive());
        self.drop_file(&bytes.map_err(|e| KitError::Io("bundle".to_owned(), e))?)?;
        Ok(packed.id)
    }

    /// Puts bytes where the proxy looks.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn drop_file(&self, bytes: &[u8]) -> Result<(), KitError> {
        replace(&self.path("offer.mcb"), bytes)
    }

    /// Offers a bundle and orders a look at it; the answer's code, or what the look came to.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn take(&self, packed: &Packed, terms: &Terms) -> Result<String, KitError> {
        let bundle = self.offer(packed, terms)?.to_string();
        let answer = self.post("/v1/reload")?;
        // The proxy looks by itself too, and may have been first.
        let unchanged = outcome(&answer) == "unchanged";
        let first = |pointer: &str| unchanged && self.said(pointer) == bundle;
        let word = if first("/active") {
            "activated"
        } else if first("/journal/offered") {
            "held"
        } else {
            outcome(&answer)
        };
        Ok(word.to_owned())
    }

    /// A request to the admin socket.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn admin(&self, method: &str, target: &str) -> io::Result<(u16, String)> {
        let mut socket = UnixStream::connect(self.path("admin.sock"))?;
        socket.set_read_timeout(Some(ANSWER))?;
        ask(&mut socket, method, target, "admin")
    }

    /// An order on the admin socket.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&self, target: &str) -> Result<Value, KitError> {
        let (_, body) = self.admin("POST", target).map_err(|e| KitError::Io(target.to_owned(), e))?;
        Ok(serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    /// What the proxy says of itself; null while it does not answer.
    #[must_use]
    pub fn status(&self) -> Value {
        let answer = self.admin("GET", "/v1/bundle").ok();
        answer.and_then(|(_, body)| serde_json::from_str(&body).ok()).unwrap_or_default()
    }

    /// What `status` shows to people.
    ///
    /// # Errors
    /// When it fails.
    pub fn screen(&self) -> Result<String, KitError> {
        let mut command = Command::new(&self.programs.proxy);
        run(command.arg("status").arg("--admin").arg(self.path("admin.sock")))
    }

    /// A text of the status, by JSON pointer; empty where there is none.
    #[must_use]
    pub fn said(&self, pointer: &str) -> String {
        let status = self.status();
        status.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Waits until a bundle is in force.
    ///
    /// # Errors
    /// [`KitError::Late`] with the log.
    pub fn wait_active(&self, bundle: Digest, seconds: u64) -> Result<(), KitError> {
        let late =
            |_| KitError::Late(format!("{bundle} is in force: {}\n{}", self.status(), self.log()), seconds);
        wait("", seconds, || self.said("/active") == bundle.to_string()).map_err(late)
    }

    /// Waits until a bundle is good.
    ///
    /// # Errors
    /// [`KitError::Late`] with the log.
    pub fn wait_good(&self, bundle: Digest, seconds: u64) -> Result<(), KitError> {
        let late =
            |_| KitError::Late(format!("{bundle} is good: {}\n{}", self.status(), self.log()), seconds);
        wait("", seconds, || self.said("/journal/good") == bundle.to_string()).map_err(late)
    }

    /// The status of the answer to a GET.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn get(&self, path: &str) -> io::Result<u16> {
        self.get_with(path, "")
    }

    /// The same with header lines, each ended by `\r\n`.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn get_with(&self, path: &str, lines: &str) -> io::Result<u16> {
        let mut stream = TcpStream::connect(self.inbound)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_nodelay(true)?;
        ask(&mut stream, "GET", path, &format!("drill.example\r\n{lines}")).map(|(status, _)| status)
    }

    /// Writes a head as it is, on a connection of its own, and reads the first answer that is not an interim one.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn send_head(&self, head: &[u8]) -> io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.inbound)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_nodelay(true)?;
        stream.write_all(head)?;
        let mut answer = Vec::new();
        let mut piece = [0; 4_096];
        // The connection may stay open: the answer is whole when its length is there.
        loop {
            if let Some(whole) = final_answer(&String::from_utf8_lossy(&answer)) {
                return Ok(whole);
            }
            match stream.read(&mut piece)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => answer.extend(piece.iter().take(n)),
            }
        }
    }

    /// A GET whose answer nobody has read yet.
    ///
    /// # Errors
    /// When there is no connection.
    pub fn open(&self, path: &str) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.inbound)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.write_all(
            format!("GET {path} HTTP/1.1\r\nhost: drill.example\r\nconnection: close\r\n\r\n").as_bytes(),
        )?;
        Ok(stream)
    }

    /// Sum of the samples whose line begins so.
    ///
    /// # Errors
    /// When the proxy does not answer.
    pub fn metric(&self, begin: &str) -> Result<u64, KitError> {
        let (_, text) = self.admin("GET", "/metrics").map_err(|e| KitError::Io("metrics".to_owned(), e))?;
        let lines = text.lines().filter(|line| line.starts_with(begin));
        Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
    }

    /// What the proxy of this start has said.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path(&format!("proxy-{}.log", self.starts))).unwrap_or_default()
    }

    /// The proxy's resident memory in KiB (`VmRSS` of `proc_pid_status(5)`); `None` while it does not run.
    #[must_use]
    pub fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.proxy.as_ref()?.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Processes whose parent is the proxy, zombies too.
    #[must_use]
    pub fn children(&self) -> Vec<u32> {
        let Some(parent) = self.proxy.as_ref().map(Process::id) else { return Vec::new() };
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let child = |pid: &u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // The name stands in parentheses and may hold any; state and parent follow (`proc_pid_stat(5)`).
            let after = stat.rsplit_once(')').map(|(_, after)| after.trim().to_owned()).unwrap_or_default();
            after.split(' ').nth(1).and_then(|word| word.parse().ok()) == Some(parent)
        };
        pids.filter(child).collect()
    }
}

/// The refusal's code, else the outcome's word.
#[must_use]
pub fn outcome(look: &Value) -> &str {
    let code = look.pointer("/refusal/code").and_then(Value::as_str);
    code.or_else(|| look.get("outcome").and_then(Value::as_str)).unwrap_or_default()
}

fn ask(
    stream: &mut (impl Read + Write),
    method: &str,
    target: &str,
    host: &str,
) -> io::Result<(u16, String)> {
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        host.trim_end()
    );
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (status, body) = parse(&answer)?;
    Ok((status, body.to_owned()))
}

/// The first answer that is not an interim one, once all of its declared length is there.
fn final_answer(mut text: &str) -> Option<(u16, String)> {
    loop {
        let (head, _) = text.split_once("\r\n\r\n")?;
        let (status, rest) = parse(text).ok()?;
        if status < 200 {
            text = rest;
            continue;
        }
        let lengths = head.lines().filter_map(|line| line.split_once(':'));
        let mut lengths = lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = lengths.next().and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0);
        return rest.get(..length).map(|body| (status, body.to_owned()));
    }
}

/// The status of an answer, and all that follows its head.
fn parse(answer: &str) -> io::Result<(u16, &str)> {
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, body))
}
