//! Errors of git's library, in words.

use git2::ErrorCode;

/// An error of the library in words. It has none for some.
pub(super) fn words(error: &git2::Error) -> String {
    match (error.code(), error.message()) {
        (ErrorCode::NotFound, "no error" | "") => "there is nothing of this name".to_owned(),
        (ErrorCode::Ambiguous, "no error" | "") => "several objects begin like this".to_owned(),
        (ErrorCode::InvalidSpec, "no error" | "") => "a revision is not written like this".to_owned(),
        (code, "no error" | "") => format!("git's library says no more than {code:?}"),
        (_, message) => message.to_owned(),
    }
}
