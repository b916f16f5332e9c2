//! `meshc init`: writes a small mesh into a new folder.

use std::path::PathBuf;

use mesh_bundle::Name;
use mesh_compiler::spec::document_schema;
use mesh_workspace::files::replace_file;

use crate::failure::Failure;
use crate::load::Where;
use crate::output::{Outputs, pretty};
use crate::reports::InitReport;

/// The schema that the files name for editors.
const SCHEMA: &str = ".meshc/schema/v1.json";

/// Files of a small mesh that runs, by path. `@NAME@` stands for its name.
const FILES: [(&str, &str); 6] = [
    ("mesh.yaml", include_str!("../../templates/init/mesh.yaml")),
    ("services/hello/mesh.yaml", include_str!("../../templates/init/hello.yaml")),
    ("tests/hello.yaml", include_str!("../../templates/init/test.yaml")),
    ("envs/dev.yaml", include_str!("../../templates/init/dev.yaml")),
    (".github/workflows/mesh.yaml", include_str!("../../templates/init/workflow.yaml")),
    (".gitignore", include_str!("../../templates/init/gitignore")),
];

/// Start a mesh in a new folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  meshc init shop && cd shop && meshc validate")]
pub(crate) struct Args {
    /// The mesh's name, and that of its folder
    name: Name,
}

/// Runs the command.
pub(crate) fn run(args: &Args, place: &Where, outputs: &Outputs) -> Result<u8, Failure> {
    let here = place.directory == std::path::Path::new(".");
    let folder = PathBuf::from(args.name.as_str());
    let folder = if here { folder } else { place.directory.join(folder) };
    let mut files: Vec<(&str, PathBuf, String)> = FILES
        .iter()
        .map(|(path, text)| (*path, folder.join(path), text.replace("@NAME@", args.name.as_str())))
        .collect();
    files.push((SCHEMA, folder.join(SCHEMA), pretty(&document_schema())? + "\n"));
    if let Some((_, there, _)) = files.iter().find(|(_, path, _)| path.symlink_metadata().is_ok()) {
        return Err(Failure::cannot(format!("`{}` exists already", there.display()))
            .help("choose another name, or another folder with -C DIR"));
    }
    for (_, path, text) in &files {
        replace_file(path, text.as_bytes(), 0o666)
            .map_err(|e| Failure::cannot(format!("cannot write `{}`: {e}", path.display())))?;
    }
    let created = files.iter().map(|(path, ..)| (*path).to_owned()).collect();
    outputs.emit(&InitReport::new(folder.display().to_string(), created))?;
    Ok(0)
}
