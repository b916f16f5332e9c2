//! `meshc explain`: prints the documentation of a code from the table of codes.

use mesh_compiler::diag::{Code, CodeInfo, codes, nearest};

use crate::failure::Failure;
use crate::output::Outputs;
use crate::reports::ExplainReport;

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
        None => outputs.emit(&ExplainReport::list())?,
        Some(word) => outputs.emit(&ExplainReport::page(find(word)?))?,
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
