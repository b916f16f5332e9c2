//! Every command and every output of the README and of `docs/` runs here, in order, in a fresh folder: a reader who types
//! what a page says sees what it says. The transcripts lie in `target/pages`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod blocks;
mod session;

use std::path::{Path, PathBuf};

use session::Place;

#[test]
fn the_readme_runs_line_by_line() {
    assert_runs(Path::new("README.md"), Place::Checkout);
}

#[test]
fn every_page_runs() {
    let pages = std::fs::read_dir(mesh_tests::top().join("docs")).expect("the pages");
    let mut pages: Vec<PathBuf> = pages.map(|page| page.expect("a page").path()).collect();
    pages.retain(|page| page.extension().is_some_and(|is| is == "md"));
    pages.sort();
    assert!(pages.len() > 5, "pages are missing");
    for page in pages {
        assert_runs(page.strip_prefix(mesh_tests::top()).expect("a page of ours"), Place::Shop);
    }
}

fn assert_runs(page: &Path, place: Place) {
    let text = std::fs::read_to_string(mesh_tests::top().join(page)).expect("the page");
    let shown = page.display();
    let steps = blocks::steps(&text).unwrap_or_else(|why| panic!("{shown}: {why}"));
    if steps.is_empty() {
        return;
    }
    let ran = session::run(&steps, place);
    let mut transcript = String::new();
    let mut wrong = Vec::new();
    for (step, ran) in steps.iter().zip(&ran) {
        transcript += &format!("$ {}\n{}", step.command, ran.output);
        let at = format!("{shown}:{}: `{}`", step.line, step.command);
        if ran.exit != Some(step.exit) {
            wrong.push(format!("{at} ends with {:?} and not {}:\n{}", ran.exit, step.exit, ran.output));
        } else if let Some(expected) = &step.output
            && !blocks::shows(expected, &ran.output.lines().collect::<Vec<_>>())
        {
            wrong.push(format!("{at}, shown:\n{}\nsaid:\n{}", expected.join("\n"), ran.output));
        }
    }
    let folder = mesh_tests::top().join("target/pages");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(page.file_name().expect("a name")).with_extension("txt");
    std::fs::write(file, transcript).expect("the transcript");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
