//! The example mesh of this repository: where mutation starts from.

use std::path::{Path, PathBuf};

use mesh_bundle::Program;
use mesh_compiler::{Options, compile};

/// The program of the shop's first environment.
///
/// # Panics
/// The example does not compile: there is nothing to fuzz then.
pub fn program() -> Program {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop");
    let mut paths = Vec::new();
    collect(&top, &mut paths);
    paths.sort();
    let files = paths
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&top).expect("a file below").display().to_string();
            (name, std::fs::read(path).expect("a readable example"))
        })
        .collect();
    let compiled = compile(files, &Options::default());
    assert!(!compiled.findings.has_errors(), "{:?}", compiled.findings);
    compiled.environments.into_iter().next().expect("an environment").program
}

/// Writes seeds into the folder that `MESH_FUZZ_SEEDS` names, if it does.
///
/// # Panics
/// The folder cannot be written.
pub fn write_seeds(seeds: impl Iterator<Item = Vec<u8>>) {
    let Some(folder) = std::env::var_os("MESH_FUZZ_SEEDS").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).expect("a folder for seeds");
    for (number, seed) in seeds.enumerate() {
        std::fs::write(folder.join(format!("seed-{number:03}")), seed).expect("a seed");
    }
}

fn collect(dir: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("the example") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // Tests of the spec are no part of the mesh.
        if path.is_dir() && name != "tests" && !name.starts_with('.') {
            collect(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            paths.push(path);
        }
    }
}
