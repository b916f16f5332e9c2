//! Commands for people to run, as they are typed.

use std::path::Path;

/// `git -C FOLDER WORD...`, quoted where a shell needs it.
pub(super) fn command(folder: &Path, words: &[&str]) -> String {
    let folder = quoted(&folder.display().to_string());
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("git -C {folder} {}", words.join(" "))
}

/// A word as a POSIX shell reads it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@,%~^".contains(c);
    if !word.is_empty() && !word.starts_with('~') && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_otherwise_is_quoted() {
        assert_eq!(command(Path::new("/srv/a b"), &["fsck"]), "git -C '/srv/a b' fsck");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("~/x"), "'~/x'");
        assert_eq!(quoted("main~2"), "main~2");
    }
}
