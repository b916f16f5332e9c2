//! `meshc explain`: prints the documentation of a code from the table of codes.

use mesh_compiler::diag::{Code, CodeInfo, codes, nearest};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::look::Look;
use crate::output::{Outputs, Report};

/// Explain a code such as MC2001.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  meshc explain MC2001\n  meshc explain dead-rule\n  meshc explain        all codes"
)]
pub(crate) struct Args {
    /// The code, or its short name; without it all codes are listed
    code: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, outputs: &Outputs) -> Result<u8, Failure> {
    match &args.code {
        None => outputs.emit(&List)?,
        Some(word) => outputs.emit(&Page(find(word)?))?,
    }
    Ok(0)
}

fn find(word: &str) -> Result<&'static CodeInfo, Failure> {
    if let Some(info) = Code::parse(word).and_then(Code::info) {
        return Ok(info);
    }
    codes::all().find(|info| info.slug == word).ok_or_else(|| {
        let failure = Failure::cannot(format!("there is no code `{}`", word.escape_debug()));
        match nearest(word, codes::all().map(|info| info.slug)) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure.help("`meshc explain` lists all"),
        }
    })
}

struct Page(&'static CodeInfo);

impl Report for Page {
    fn human(&self, look: Look) -> String {
        let info = self.0;
        let indent = |text: &str| text.lines().map(|l| format!("    {l}\n")).collect::<String>();
        let suppress = if info.suppressible {
            format!("\nAccept one for a time: # meshc: allow {} until 2026-12-31 -- reason\n", info.code)
        } else {
            String::new()
        };
        format!(
            "{}  {}\n{}\n\nWhat is checked\n{}\nWhy\n{}\nWrong\n{}\nRight\n{}{suppress}",
            look.strong(&info.code.to_string()),
            info.slug,
            info.title,
            indent(info.checks),
            indent(info.why),
            indent(info.bad),
            indent(info.good),
        )
    }

    fn concise(&self) -> String {
        format!("{} {}: {}\n", self.0.code, self.0.slug, self.0.title)
    }

    fn json(&self) -> Value {
        entry(self.0)
    }
}

struct List;

impl Report for List {
    fn human(&self, _: Look) -> String {
        self.concise()
    }

    fn concise(&self) -> String {
        codes::all().map(|info| format!("{}  {}\n", info.code, info.title)).collect()
    }

    fn json(&self) -> Value {
        json!({"schema": 1, "command": "explain", "codes": codes::all().map(entry).collect::<Vec<_>>()})
    }
}

fn entry(info: &CodeInfo) -> Value {
    json!({
        "code": info.code.to_string(), "slug": info.slug, "title": info.title, "checks": info.checks,
        "why": info.why, "bad": info.bad, "good": info.good, "suppressible": info.suppressible,
    })
}
