//! Outputs of a command: their targets and forms.

use std::io::Write as _;
use std::path::PathBuf;
use std::str::FromStr;

use mesh_workspace::files::replace_file;
use serde::Serialize;

use crate::failure::Failure;
use crate::look::Look;

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people, with drawings; not stable.
    Human,
    /// For people, without drawings; not stable.
    Plain,
    /// One line each; stable.
    Concise,
    /// One JSON object; stable.
    Json,
}

/// `FORMAT` or `FORMAT=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    format: Format,
    /// Standard output if absent.
    file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("the name of a file is missing after `=`".to_owned()),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = match format {
            "human" => Format::Human,
            "plain" => Format::Plain,
            "concise" => Format::Concise,
            "json" => Format::Json,
            _ => return Err("the formats are human, plain, concise and json".to_owned()),
        };
        Ok(Self { format, file })
    }
}

/// A result in all its forms.
pub(crate) trait Report {
    /// The text for people, as drawn in the given look.
    fn human(&self, look: Look) -> String;

    /// For people, without drawings.
    fn plain(&self) -> String {
        self.human(Look::PLAIN)
    }

    /// One line each.
    fn concise(&self) -> String;

    /// What `--output json` prints: a type of [`crate::reports`], whose schema is part of the product.
    fn json(&self) -> impl Serialize;
}

/// Targets of a command's result, each with its form.
#[derive(Debug, Clone)]
pub(crate) struct Outputs {
    list: Vec<Output>,
}

impl Outputs {
    /// The outputs asked for; `human` if none.
    pub(crate) fn new(list: Vec<Output>) -> Self {
        if list.is_empty() {
            return Self { list: vec![Output { format: Format::Human, file: None }] };
        }
        Self { list }
    }

    /// Whether text for people goes to standard output.
    pub(crate) fn for_people(&self) -> bool {
        self.list.iter().any(|o| o.file.is_none() && matches!(o.format, Format::Human | Format::Plain))
    }

    /// Writes `report` in every form that was asked for.
    ///
    /// # Errors
    /// When a file or standard output cannot be written.
    pub(crate) fn emit(&self, report: &impl Report) -> Result<(), Failure> {
        for output in &self.list {
            let look = if output.file.is_none() { Look::of_stdout() } else { Look::PLAIN };
            let mut text = match output.format {
                Format::Human => report.human(look),
                Format::Plain => report.plain(),
                Format::Concise => report.concise(),
                Format::Json => pretty(&report.json())?,
            };
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            match &output.file {
                None => stdout(&text)?,
                Some(file) => replace_file(file, text.as_bytes(), 0o666)
                    .map_err(|e| Failure::cannot(format!("cannot write `{}`: {e}", file.display())))?,
            }
        }
        Ok(())
    }
}

/// JSON with two spaces a level.
///
/// # Errors
/// For a value that JSON cannot hold.
pub(crate) fn pretty(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map_err(|e| Failure::cannot(format!("the result is no JSON: {e}")))
}

/// Writes a result. A reader that went away (`| head`) is not a failure.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn stdout(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::cannot(format!("cannot write to standard output: {e}")))
        }
        _ => Ok(()),
    }
}

/// Writes a note, which is no result. If standard error is gone there is nobody to tell.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
