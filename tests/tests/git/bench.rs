//! A small mesh, `git` and `meshc`, cut off from the settings of the machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mesh_tests::kit::process::binary;
use tempfile::TempDir;

/// Files of a small mesh.
pub(crate) const FILES: [(&str, &str); 3] = [
    (
        "mesh.yaml",
        "kind: Mesh\nname: shop\nversion: 1\ntrustDomain: shop.example\ngateways:\n  \
         public: { listen: 8080, hosts: [shop.example] }\n---\nkind: Environment\nname: prod\n",
    ),
    ("services/web.yaml", "kind: Service\nname: web\nport: 8080\ncallers: [gateway/public]\n"),
    (
        "services/edge.yaml",
        "kind: Route\nname: edge\ngateway: public\nrules:\n  - { name: all, match: { path: /* }, to: web }\n",
    ),
];

/// What one run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// Itself, if the exit code is this one and all these words are said.
    #[track_caller]
    pub(crate) fn says(self, code: i32, words: &[&str]) -> Self {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, code, "{all}");
        for word in words {
            assert!(all.contains(word), "no `{word}` in\n{all}");
        }
        assert!(!all.contains("no error"), "{all}");
        self
    }

    /// The last line of standard output.
    pub(crate) fn last(&self) -> &str {
        self.out.lines().last().unwrap_or_default()
    }
}

/// A folder with repositories in it.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With the mesh in a repository `mesh` of one commit.
    pub(crate) fn with_mesh() -> Self {
        let bench = Self::new();
        bench.files("mesh");
        bench.git("mesh", &["init", "-q", "-b", "main"]);
        bench.commit("mesh");
        bench
    }

    /// A path in the folder, links resolved.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(below)
    }

    /// A path as text.
    pub(crate) fn shown(&self, below: &str) -> String {
        self.path(below).display().to_string()
    }

    /// Writes the mesh's files into a folder.
    pub(crate) fn files(&self, folder: &str) {
        for (path, text) in FILES {
            self.write(&format!("{folder}/{path}"), text);
        }
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs `git` in a folder, and gives what it said.
    #[track_caller]
    pub(crate) fn git(&self, folder: &str, args: &[&str]) -> String {
        let output = self.git_command(folder, args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The command `git` in a folder, with fixed people and dates.
    pub(crate) fn git_command(&self, folder: &str, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(args).current_dir(self.path(folder)).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path("")).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "t").env(format!("GIT_{who}_EMAIL"), "t@example.org");
            command.env(format!("GIT_{who}_DATE"), "2026-02-03T04:05:06Z");
        }
        command
    }

    /// Commits everything, and gives the commit.
    #[track_caller]
    pub(crate) fn commit(&self, folder: &str) -> String {
        self.git(folder, &["add", "-A"]);
        self.git(folder, &["commit", "-q", "--allow-empty", "-m", "change"]);
        self.git(folder, &["rev-parse", "HEAD"])
    }

    /// Runs `meshc` in a folder.
    pub(crate) fn meshc(&self, folder: &str, args: &[&str]) -> Ran {
        self.meshc_with(folder, args, &[])
    }

    /// The same with variables.
    pub(crate) fn meshc_with(&self, folder: &str, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(binary("meshc"));
        command.args(args).current_dir(self.path(folder)).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path("")).env("GIT_CONFIG_NOSYSTEM", "1");
        command.envs(variables.iter().copied());
        Ran::new(&command.output().unwrap())
    }

    /// Builds and gives the commit that the bundle names, if it names one, and its generation.
    #[track_caller]
    pub(crate) fn built(&self, folder: &str, args: &[&str]) -> (Option<String>, u64) {
        let out = self.shown("built.mcb");
        self.meshc(folder, &[&["build", "--env", "prod", "-o", &out], args].concat()).says(0, &[]);
        let said = self.meshc(folder, &["verify", &out, "--output", "json"]).says(0, &[]).out;
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let commit = said.pointer("/manifest/source/commit").and_then(|commit| commit.as_str());
        let generation = said.pointer("/release/generation").and_then(serde_json::Value::as_u64);
        (commit.map(str::to_owned), generation.unwrap())
    }
}

/// Gives a folder and all in it to another user. False without the right to.
pub(crate) fn give_away(path: &Path, user: u32) -> bool {
    if !rustix::process::geteuid().is_root() {
        return false;
    }
    let mut left = vec![path.to_owned()];
    while let Some(next) = left.pop() {
        std::os::unix::fs::lchown(&next, Some(user), Some(user)).unwrap();
        if next.symlink_metadata().unwrap().is_dir() {
            left.extend(std::fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    true
}
