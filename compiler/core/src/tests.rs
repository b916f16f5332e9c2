//! Helper of tests: pages of the documentation whose tables are written from the code.

#![expect(clippy::disallowed_methods, reason = "a test reads and writes a page")]

/// Checks that the named parts of a page are what the code writes now; with `UPDATE_DOCS=1` writes them.
pub(crate) fn page_is_written(page: &str, parts: &[(&str, String)]) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../").to_owned() + page;
    let mut text = std::fs::read_to_string(&path).unwrap();
    for (name, part) in parts {
        let (begin, end) =
            (format!("<!-- {name}: written from the tables -->\n"), format!("<!-- end of {name} -->"));
        let from = text.find(&begin).unwrap() + begin.len();
        let to = text.find(&end).unwrap();
        text.replace_range(from..to, part);
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let now = std::fs::read_to_string(&path).unwrap();
    assert!(now == text, "{page} is out of date: UPDATE_DOCS=1 cargo nextest run -p mesh-compiler docs");
}
