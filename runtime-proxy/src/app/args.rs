//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use mesh_bundle::{Digest, Name};

use crate::telemetry::Target;

/// The mesh's proxy. Without a command it runs.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Cli {
    /// Ask a running proxy, or order it.
    #[command(subcommand)]
    pub command: Option<Operate>,
    /// Run.
    #[command(flatten)]
    pub run: Option<RunArgs>,
}

/// How to run.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("owner").required(true).args(["service", "gateway"])))]
pub struct RunArgs {
    /// Stand for this service.
    #[arg(long, value_name = "NAME")]
    pub service: Option<Name>,
    /// Stand for this gateway.
    #[arg(long, value_name = "NAME")]
    pub gateway: Option<Name>,
    /// The mesh.
    #[arg(long, value_name = "NAME")]
    pub mesh: Name,
    /// The environment.
    #[arg(long, value_name = "NAME")]
    pub env: Name,
    /// Where bundles are offered: a folder or an archive, watched.
    #[arg(long, value_name = "PATH")]
    pub source: PathBuf,
    /// Keys whose signatures count: `{"threshold": 1, "keys": ["..."]}`.
    #[arg(long, value_name = "FILE")]
    pub trust: PathBuf,
    /// The folder for accepted bundles and the journal; one proxy each.
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// Folder of secrets: `<name>/tls.crt`, `<name>/tls.key`; watched.
    #[arg(long, value_name = "DIR")]
    pub secrets: Option<PathBuf>,
    /// Endpoints: `{"orders": {"v41": ["127.0.0.11:8080"]}}`, watched; without it, the bundle's DNS names.
    #[arg(long, value_name = "FILE")]
    pub endpoints: Option<PathBuf>,
    /// Folder with `tls.crt`, `tls.key`, `roots/<trust domain>.pem`; watched.
    #[arg(long, value_name = "DIR")]
    pub identity: Option<PathBuf>,
    /// The admin socket.
    #[arg(long, value_name = "SOCKET")]
    pub admin: Option<PathBuf>,
    /// Where callers (or the public) connect; by default the bundle's port on all addresses.
    #[arg(long, value_name = "ADDR")]
    pub inbound: Option<SocketAddr>,
    /// Where the application listens; by default the bundle's `appPort` on loopback.
    #[arg(long, value_name = "ADDR")]
    pub app: Option<SocketAddr>,
    /// Where the application connects to reach other services.
    #[arg(long, value_name = "ADDR")]
    pub outbound: Option<SocketAddr>,
    /// Threads; by default one a core.
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// Where requests are logged: a file, `-` for standard output, or `off`.
    #[arg(long, value_name = "FILE", default_value = "off")]
    pub access_log: Target,
    /// Seconds that requests in flight have at the end.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub drain: u64,
}

/// What to ask of a running proxy.
#[derive(Clone, Debug, Subcommand)]
pub enum Operate {
    /// What is in force, what was refused, what is held.
    Status(Where),
    /// Look at the source now.
    Reload(Where),
    /// Go back to an older bundle and stay there until `resume`; needs no network.
    Rollback {
        /// The bundle; by default the one before.
        #[arg(long, value_name = "ID")]
        to: Option<Digest>,
        /// Where.
        #[command(flatten)]
        at: Where,
    },
    /// End the hold, and the quarantine of a bundle.
    Resume {
        /// The quarantined bundle.
        #[arg(value_name = "ID")]
        bundle: Option<Digest>,
        /// Where.
        #[command(flatten)]
        at: Where,
    },
    /// Finish what is in flight and stop.
    Drain(Where),
    /// Build a bundle's engine and run its self-tests, within limits; what the proxy starts before it takes a bundle.
    #[command(hide = true)]
    Preflight,
}

/// Which proxy, and how its answer is shown.
#[derive(Clone, Debug, Args)]
pub struct Where {
    /// The admin socket.
    #[arg(long, value_name = "SOCKET")]
    pub admin: PathBuf,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = Output::Human)]
    pub output: Output,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people; the text may change.
    Human,
    /// For machines.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    const RUN: [&str; 12] = [
        "mesh-proxy",
        "--mesh",
        "shop",
        "--env",
        "prod",
        "--source",
        "b",
        "--trust",
        "t",
        "--state",
        "s",
        "--gateway",
    ];

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn running_is_the_default_and_commands_need_no_run_flags() {
        let run = Cli::try_parse_from(RUN.into_iter().chain(["public"])).unwrap();
        assert_eq!(run.run.unwrap().gateway.unwrap().as_str(), "public");
        let status = Cli::try_parse_from(["mesh-proxy", "status", "--admin", "a.sock"]).unwrap();
        assert!(matches!(status.command, Some(Operate::Status(_))));
        assert!(Cli::try_parse_from(&RUN[..11]).is_err(), "somebody to stand for is needed");
        assert!(Cli::try_parse_from(RUN.into_iter().chain(["public", "--service", "web"])).is_err());
    }
}
