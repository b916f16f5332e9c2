//! A client of yaml-language-server, over the Language Server Protocol (3.17) on standard input and output.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// A file that is not there, for which the settings name the schema.
pub(crate) const PROBE: &str = "/tests/probe.yaml";

/// How long the server may be silent before a file is shown to it again: a file that changes while it is looked at is
/// sometimes not looked at any more.
const SILENCE: Duration = Duration::from_secs(3);
/// How often a file is shown at most.
const TIMES: usize = 20;

/// A server of one workspace; ended when dropped.
pub(crate) struct Server {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    requests: u64,
    /// The `yaml` section of the settings.
    settings: Value,
    /// How often each file was shown.
    versions: BTreeMap<String, u64>,
    /// What the server said last of each file.
    findings: BTreeMap<String, Vec<Value>>,
}

/// A finding of the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Line of the file, from 1.
    pub(crate) line: u64,
    pub(crate) message: String,
}

/// The program, which `ci/setup test` installs; `None` where it was not run.
pub(crate) fn program() -> Option<PathBuf> {
    let program = mesh_tests::top().join(".tools/editors/node_modules/.bin/yaml-language-server");
    program.exists().then_some(program)
}

impl Server {
    /// A server in the workspace `folder`, with schemas as `yaml.schemas` names them, one of them for [`PROBE`].
    pub(crate) fn start(program: &Path, folder: &Path, schemas: &Value) -> Self {
        let mut child = Command::new(program)
            .arg("--stdio")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, messages) = mpsc::channel();
        // Ends with the server.
        thread::spawn(move || messages_of(output).try_for_each(|message| sender.send(message)));
        let settings = json!({
            "validate": true, "hover": true, "completion": true, "schemaStore": { "enable": false }, "schemas": schemas,
        });
        let mut server = Self {
            child,
            input,
            messages,
            requests: 0,
            settings: settings.clone(),
            versions: BTreeMap::new(),
            findings: BTreeMap::new(),
        };
        let workspace = address(folder);
        server.ask(
            "initialize",
            json!({
                "processId": null,
                "rootUri": workspace,
                "workspaceFolders": [{ "uri": workspace, "name": "mesh" }],
                "capabilities": { "textDocument": { "hover": { "contentFormat": ["plaintext"] } } },
            }),
        );
        server.tell("initialized", json!({}));
        server.tell("workspace/didChangeConfiguration", json!({ "settings": { "yaml": settings } }));
        server.settle(folder);
        server
    }

    /// Waits until the server has read its settings: it finds what is wrong with a file of theirs. What it was shown
    /// before it does not look at again by itself.
    fn settle(&mut self, folder: &Path) {
        let probe = folder.join(PROBE.trim_start_matches('/'));
        let read = (0..TIMES).any(|_| !self.open(&probe, "kind: Servce\n").is_empty());
        assert!(read, "the server does not heed its settings");
    }

    /// Shows the server a file with this content, and returns what it finds in it.
    pub(crate) fn open(&mut self, file: &Path, text: &str) -> Vec<Finding> {
        let uri = address(file);
        for _ in 0..TIMES {
            self.show(file, text);
            while !self.findings.contains_key(&uri)
                && let Ok(message) = self.messages.recv_timeout(SILENCE)
            {
                self.take(&message);
            }
            if self.findings.contains_key(&uri) {
                break;
            }
        }
        let findings = self.findings.get(&uri).expect("they are there");
        let line = |finding: &Value| finding["range"]["start"]["line"].as_u64().expect("a line") + 1;
        let message = |finding: &Value| finding["message"].as_str().expect("a message").to_owned();
        findings.iter().map(|f| Finding { line: line(f), message: message(f) }).collect()
    }

    fn show(&mut self, file: &Path, text: &str) {
        let uri = address(file);
        let version = self.versions.entry(uri.clone()).or_insert(0);
        *version += 1;
        let version = *version;
        self.findings.remove(&uri);
        if version == 1 {
            let document = json!({ "uri": uri, "languageId": "yaml", "version": version, "text": text });
            self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        } else {
            let document = json!({ "uri": uri, "version": version });
            let changes = json!([{ "text": text }]);
            let parameters = json!({ "textDocument": document, "contentChanges": changes });
            self.tell("textDocument/didChange", parameters);
        }
    }

    /// What the server shows over the first `words` of a file.
    pub(crate) fn hover(&mut self, file: &Path, text: &str, words: &str) -> String {
        let answer = self.at(file, text, words, "textDocument/hover");
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// What the server offers behind the first `words` of a file.
    pub(crate) fn completions(&mut self, file: &Path, text: &str, words: &str) -> Vec<String> {
        let answer = self.at(file, text, words, "textDocument/completion");
        let items = answer["items"].as_array().expect("a list");
        items.iter().map(|item| item["label"].as_str().expect("a label").to_owned()).collect()
    }

    fn at(&mut self, file: &Path, text: &str, words: &str, what: &str) -> Value {
        let end = text.find(words).expect("the words") + words.len();
        let before: Vec<&str> = text[..end].split('\n').collect();
        let uri = address(file);
        self.open(file, text);
        let character = before.last().map_or(0, |line| line.chars().count());
        self.ask(
            what,
            json!({
                "textDocument": { "uri": uri },
                "position": { "line": before.len() - 1, "character": character },
            }),
        )
    }

    fn tell(&mut self, method: &str, parameters: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": parameters }));
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }));
        loop {
            let message = self.receive();
            if message["id"] == id && message.get("method").is_none() {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.take(&message);
        }
    }

    /// Answers a question of the server's own, or keeps what it found.
    fn take(&mut self, message: &Value) {
        let parameters = &message["params"];
        match message["method"].as_str() {
            Some("textDocument/publishDiagnostics") => {
                let uri = parameters["uri"].as_str().expect("a file").to_owned();
                let found = parameters["diagnostics"].as_array().expect("a list").clone();
                self.findings.insert(uri, found);
            }
            Some("workspace/configuration") => {
                let sections = parameters["items"].as_array().expect("a list");
                let of =
                    |item: &Value| if item["section"] == "yaml" { self.settings.clone() } else { json!({}) };
                let answer: Vec<Value> = sections.iter().map(of).collect();
                self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": answer }));
            }
            Some(_) if message.get("id").is_some() => {
                self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": null }));
            }
            _ => {}
        }
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("the server reads");
        self.input.flush().expect("the server reads");
    }

    fn receive(&mut self) -> Value {
        self.messages.recv().expect("the server is there")
    }
}

/// The messages of a server, to its end.
fn messages_of(mut output: BufReader<ChildStdout>) -> impl Iterator<Item = Value> {
    std::iter::from_fn(move || {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if output.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().expect("a number");
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        output.read_exact(&mut body).ok()?;
        Some(serde_json::from_slice(&body).expect("JSON"))
    })
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn address(path: &Path) -> String {
    format!("file://{}", path.display())
}
