//! One file a command.

pub(crate) mod access;
pub(crate) mod build;
pub(crate) mod completion;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod keygen;
pub(crate) mod plan;
pub(crate) mod route;
pub(crate) mod schema;
pub(crate) mod stage;
pub(crate) mod test;
pub(crate) mod validate;
pub(crate) mod verify;
pub(crate) mod version;
