//! Git's settings: files and variables in the order in which git reads them, later ones winning.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use git2::Config;

use super::discover::Found;
use super::environment::GitEnvironment;
use super::words::words;
use crate::tree::error::TreeError;

/// Settings of the machine, where the build of git says nothing else.
const SYSTEM: &str = "/etc/gitconfig";
/// Settings of one command that are read from its variables.
const PAIRS: usize = 1_000;

/// A setting's value; none where only its name is written, which means yes.
type Value = Option<Vec<u8>>;

/// Git's settings. Those of a repository are apart from the others, which nobody can change by a push.
#[derive(Default)]
pub(super) struct Settings {
    /// Files of the machine and the person, in rising order.
    files: Vec<Config>,
    /// Files of the repository and the work tree.
    own: Vec<Config>,
    /// Those of the variables `GIT_CONFIG_COUNT` and `GIT_CONFIG_PARAMETERS` (`git -c`).
    command: Vec<(String, Value)>,
}

impl Settings {
    /// Settings of the machine, the person and the command: git's protected ones, which alone may call a repository safe.
    ///
    /// # Errors
    /// For a file or variable that cannot be read.
    pub(super) fn protected(environment: &GitEnvironment) -> Result<Self, TreeError> {
        let mut paths = Vec::new();
        if environment.bool("GIT_CONFIG_NOSYSTEM") != Some(true) {
            paths.push(environment.path("GIT_CONFIG_SYSTEM").unwrap_or(Path::new(SYSTEM)).to_owned());
        }
        if environment.get("GIT_CONFIG_GLOBAL").is_some() {
            paths.extend(environment.path("GIT_CONFIG_GLOBAL").map(Path::to_owned));
        } else {
            let home = environment.path("HOME");
            let xdg = environment.path("XDG_CONFIG_HOME").map(Path::to_owned);
            paths.extend(xdg.or_else(|| Some(home?.join(".config"))).map(|xdg| xdg.join("git/config")));
            paths.extend(home.map(|home| home.join(".gitconfig")));
        }
        let files = paths.iter().filter_map(|path| opened(path).transpose());
        Ok(Self { files: files.collect::<Result<_, _>>()?, own: Vec::new(), command: command(environment)? })
    }

    /// With those of a repository.
    ///
    /// # Errors
    /// For a file that cannot be read.
    pub(super) fn with(mut self, found: &Found) -> Result<Self, TreeError> {
        self.own.extend(opened(&found.common.join("config"))?);
        if self.own_bool("extensions.worktreeconfig") == Some(true) {
            self.own.extend(opened(&found.directory.join("config.worktree"))?);
        }
        Ok(self)
    }

    /// All values of a setting in rising order. `key` is in lower case.
    pub(super) fn all(&self, key: &str) -> Vec<Value> {
        let files = self.files.iter().chain(&self.own).flat_map(|config| values(config, key));
        let command = self.command.iter().filter(|(name, _)| name == key).map(|(_, value)| value.clone());
        files.chain(command).collect()
    }

    /// The value that counts, as text in lower case.
    pub(super) fn word(&self, key: &str) -> Option<String> {
        let last = self.all(key).pop()?;
        Some(last.map_or("true".to_owned(), |value| String::from_utf8_lossy(&value).to_ascii_lowercase()))
    }

    /// Whether the value that counts says yes; none where there is none, or no word for yes or no.
    pub(super) fn bool(&self, key: &str) -> Option<bool> {
        Config::parse_bool(self.word(key)?).ok()
    }

    /// The value that counts as a path below `folder`; of the repository's own settings.
    pub(super) fn own_path(&self, key: &str, folder: &Path) -> Option<PathBuf> {
        let value = self.own_last(key)??;
        Some(folder.join(std::ffi::OsStr::from_bytes(&value)))
    }

    /// Whether the repository's own settings say yes.
    pub(super) fn own_bool(&self, key: &str) -> Option<bool> {
        let value = self.own_last(key)?.map_or("true".to_owned(), |v| String::from_utf8_lossy(&v).into());
        Config::parse_bool(value).ok()
    }

    /// Names and values of the repository's own settings that match a regular expression.
    pub(super) fn own_matching(&self, pattern: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for config in &self.own {
            let Ok(mut entries) = config.entries(Some(pattern)) else { continue };
            while let Some(Ok(entry)) = entries.next() {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let value = if entry.has_value() { text(entry.value_bytes()) } else { "true".to_owned() };
                found.push((text(entry.name_bytes()), value));
            }
        }
        found
    }

    fn own_last(&self, key: &str) -> Option<Value> {
        self.own.iter().flat_map(|config| values(config, key)).last()
    }
}

/// A file of settings; none where there is no such file.
fn opened(path: &Path) -> Result<Option<Config>, TreeError> {
    if !path.exists() {
        return Ok(None);
    }
    let unreadable =
        |e: git2::Error| TreeError::Settings { place: path.display().to_string(), reason: words(&e) };
    Config::open(path).map(Some).map_err(unreadable)
}

fn values(config: &Config, key: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let Ok(mut entries) = config.multivar(key, None) else { return found };
    while let Some(Ok(entry)) = entries.next() {
        found.push(entry.has_value().then(|| entry.value_bytes().to_vec()));
    }
    found
}

/// The settings of one command: numbered variables, then those of `git -c`.
fn command(environment: &GitEnvironment) -> Result<Vec<(String, Value)>, TreeError> {
    let mut found = Vec::new();
    let wrong = |place: &str, reason: &str| TreeError::Settings {
        place: place.to_owned(),
        reason: reason.to_owned(),
    };
    if let Some(count) = environment.path("GIT_CONFIG_COUNT") {
        let count = count.to_str().and_then(|count| count.parse::<usize>().ok());
        let count = count.filter(|count| *count <= PAIRS);
        let count = count.ok_or_else(|| wrong("GIT_CONFIG_COUNT", "it is not a number up to 1000"))?;
        for index in 0..count {
            let part = |what: &str| {
                let name = format!("GIT_CONFIG_{what}_{index}");
                environment.get(&name).ok_or_else(|| wrong(&name, "it is not set"))
            };
            let (key, value) = (part("KEY")?, part("VALUE")?);
            found.push((key.to_string_lossy().to_ascii_lowercase(), Some(value.as_bytes().to_vec())));
        }
    }
    if let Some(parameters) = environment.get("GIT_CONFIG_PARAMETERS") {
        let pairs = quoted_pairs(parameters.as_bytes());
        let pairs = pairs.ok_or_else(|| wrong("GIT_CONFIG_PARAMETERS", "it is not as git writes it"))?;
        found.extend(pairs);
    }
    Ok(found)
}

/// The pairs `'key'='value'` of `GIT_CONFIG_PARAMETERS`, or `'key=value'` as git before 2.31 wrote them; none for
/// anything else.
fn quoted_pairs(text: &[u8]) -> Option<Vec<(String, Value)>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let (first, after) = unquoted(rest)?;
        let (key, value, after) = match after.strip_prefix(b"=") {
            Some(after) if after.starts_with(b"'") => {
                let (value, after) = unquoted(after)?;
                (first, Some(value), after)
            }
            Some(after) => (first, None, after),
            None => match first.iter().position(|byte| *byte == b'=') {
                Some(at) => {
                    let (key, value) = first.split_at_checked(at)?;
                    (key.to_vec(), Some(value.get(1..)?.to_vec()), after)
                }
                None => (first, None, after),
            },
        };
        pairs.push((String::from_utf8_lossy(&key).to_ascii_lowercase(), value));
        rest = after.trim_ascii_start();
    }
    Some(pairs)
}

/// A text in a shell's single quotes, and what follows. Between two quoted stretches `\'` and `\!` stand for themselves.
fn unquoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    let mut rest = text.strip_prefix(b"'")?;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\'')?;
        let (inner, after) = rest.split_at_checked(end)?;
        out.extend_from_slice(inner);
        rest = after.get(1..)?;
        match rest {
            [b'\\', escaped @ (b'\'' | b'!'), b'\'', more @ ..] => {
                out.push(*escaped);
                rest = more;
            }
            _ => return Some((out, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn of(variables: &[(&str, &str)]) -> Settings {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let environment = GitEnvironment::new(variables.chain([("GIT_CONFIG_NOSYSTEM".into(), "1".into())]));
        Settings::protected(&environment).unwrap()
    }

    fn shown(settings: &Settings, key: &str) -> Vec<String> {
        let text = |value: Value| value.map_or("(none)".to_owned(), |v| String::from_utf8(v).unwrap());
        settings.all(key).into_iter().map(text).collect()
    }

    #[test]
    fn files_come_before_counted_variables_and_those_before_parameters() {
        let home = tempfile::tempdir().unwrap();
        let top = home.path().to_owned();
        let path = |below: &str| top.join(below);
        std::fs::create_dir_all(path(".config/git")).unwrap();
        std::fs::write(path(".config/git/config"), "[Safe]\n\tDirectory = xdg\n").unwrap();
        std::fs::write(path("more"), "[safe]\n\tdirectory = included\n").unwrap();
        std::fs::write(path(".gitconfig"), "[safe]\n\tdirectory\n[include]\n\tpath = more\n").unwrap();
        std::fs::write(path("global"), "[safe]\n\tdirectory = global\n").unwrap();
        let home = home.path().to_str().unwrap();
        let mut variables = vec![
            ("HOME", home),
            ("GIT_CONFIG_COUNT", "2"),
            ("GIT_CONFIG_KEY_0", "safe.Directory"),
            ("GIT_CONFIG_VALUE_0", "counted"),
            ("GIT_CONFIG_KEY_1", "core.autocrlf"),
            ("GIT_CONFIG_VALUE_1", "Input"),
            ("GIT_CONFIG_PARAMETERS", "'safe.directory'='it'\\''s' 'safe.directory=old' 'safe.directory'="),
        ];
        let settings = of(&variables);
        let all = ["xdg", "(none)", "included", "counted", "it's", "old", "(none)"];
        assert_eq!(shown(&settings, "safe.directory"), all);
        assert_eq!(settings.word("core.autocrlf").as_deref(), Some("input"));
        let global = path("global").display().to_string();
        variables.push(("GIT_CONFIG_GLOBAL", &global));
        assert_eq!(shown(&of(&variables), "safe.directory").first().map(String::as_str), Some("global"));
        assert!(quoted_pairs(b"'a.b").is_none() && quoted_pairs(b"a.b=c").is_none());
    }
}
