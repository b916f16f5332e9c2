//! Why a proxy or a fleet does not stand.

use std::io;

use super::client::ClientError;

/// Why a proxy or a fleet does not stand.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// A command failed; what it said.
    #[error("`{command}` ended with {code}:\n{said}")]
    Command {
        /// The command.
        command: String,
        /// Its exit code.
        code: String,
        /// Its output.
        said: String,
    },
    /// Something did not come true in time.
    #[error("{0} did not come true within {1} s")]
    Late(String, u64),
    /// The file system.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// The client.
    #[error(transparent)]
    Client(#[from] ClientError),
}
