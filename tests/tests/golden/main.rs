//! Golden cases, one test a case, named after its folder. `UPDATE_GOLDENS=1` rewrites what each case has printed.
//!
//! Tests are found at run time, so this target has a `main` of its own; it takes the flags of the standard harness:
//!
//! ```text
//! cargo nextest run -E 'binary(golden)'            all cases, side by side
//! cargo test -p mesh-tests --test golden cel-fix   those whose name has `cel-fix`
//! ```

mod case;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use case::Case;
use libtest_mimic::{Arguments, Failed, Trial};

/// Fewer cases than this are a mistake of the list.
const LEAST: usize = 48;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let folder = mesh_tests::top().join("tests/golden");
    match trials(&folder, update) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            say(&format!("{}: {error}", folder.display()));
            ExitCode::FAILURE
        }
    }
}

/// A test a case, and one of the list.
fn trials(folder: &Path, update: bool) -> io::Result<Vec<Trial>> {
    let (mut trials, mut strays) = (Vec::new(), Vec::new());
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match Case::new(entry.path()) {
            Some(case) => {
                strays.extend(case.strays()?);
                trials.push(Trial::test(name.clone(), move || holds(&case, update)));
            }
            None => strays.push(entry.path()),
        }
        names.insert(name);
    }
    let list = move || {
        if names.len() < LEAST {
            return Err(format!("{} cases; there were {LEAST}", names.len()).into());
        }
        match strays.first() {
            None => Ok(()),
            Some(stray) => Err(format!("no part of a case: {}", stray.display()).into()),
        }
    };
    trials.push(Trial::test("the_list_is_whole", list));
    Ok(trials)
}

fn holds(case: &Case, update: bool) -> Result<(), Failed> {
    let run = case.run()?;
    if update {
        return Ok(case.update(&run)?);
    }
    let wrong = case.differences(&run)?;
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

#[expect(clippy::print_stderr, reason = "a test says why it cannot run")]
fn say(text: &str) {
    eprintln!("{text}");
}
