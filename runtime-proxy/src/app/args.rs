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
    /// Query or control a running proxy.
    #[command(subcommand)]
    pub command: Option<Operate>,
    /// Flags of a proxy that runs.
    #[command(flatten)]
    pub run: Option<RunArgs>,
}

/// Flags of a proxy that runs.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("owner").required(true).args(["service", "gateway"])))]
pub struct RunArgs {
    /// Run as the sidecar of this service.
    #[arg(long, value_name = "NAME")]
    pub service: Option<Name>,
    /// Run as this gateway.
    #[arg(long, value_name = "NAME")]
    pub gateway: Option<Name>,
    /// Name of the mesh; bundles of another one are refused.
    #[arg(long, value_name = "NAME")]
    pub mesh: Name,
    /// Name of the environment; bundles of another one are refused.
    #[arg(long, value_name = "NAME")]
    pub env: Name,
    /// Bundle source: a folder or an archive file, polled every 0.2 s.
    #[arg(long, value_name = "PATH")]
    pub source: PathBuf,
    /// Trusted signing keys: `{"threshold": 1, "keys": ["..."]}`.
    #[arg(long, value_name = "FILE")]
    pub trust: PathBuf,
    /// State folder of this proxy alone: accepted bundles and the journal.
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// Secrets folder: `<name>/tls.crt`, `<name>/tls.key`; polled every 5 s.
    #[arg(long, value_name = "DIR")]
    pub secrets: Option<PathBuf>,
    /// Endpoints file: `{"orders": {"v41": ["127.0.0.11:8080"]}}`, polled every second; without it, the bundle's names are
    /// resolved by DNS.
    #[arg(long, value_name = "FILE")]
    pub endpoints: Option<PathBuf>,
    /// Identity folder: `tls.crt`, `tls.key`, `roots/<trust domain>.pem`; polled every 5 s.
    #[arg(long, value_name = "DIR")]
    pub identity: Option<PathBuf>,
    /// Path of the admin socket (Unix domain, mode 0600); none by default.
    #[arg(long, value_name = "SOCKET")]
    pub admin: Option<PathBuf>,
    /// Listen address for callers (or the public); by default the bundle's port on all addresses.
    #[arg(long, value_name = "ADDR")]
    pub inbound: Option<SocketAddr>,
    /// Address of the application; by default the bundle's `appPort` on loopback.
    #[arg(long, value_name = "ADDR")]
    pub app: Option<SocketAddr>,
    /// Listen address for the application's requests to other services; none by default.
    #[arg(long, value_name = "ADDR")]
    pub outbound: Option<SocketAddr>,
    /// Number of worker threads; by default one per core.
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// Access log: a file, `-` for standard output, or `off`.
    #[arg(long, value_name = "FILE", default_value = "off")]
    pub access_log: Target,
    /// Graceful shutdown timeout in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub drain: u64,
}

/// Commands to a running proxy.
#[derive(Clone, Debug, Subcommand)]
pub enum Operate {
    /// Show the bundle in force, the last refusal, holds and history.
    Status(Where),
    /// Poll the bundle source now.
    Reload(Where),
    /// Return to an older bundle and hold it until `resume`; needs no network.
    Rollback {
        /// Id of the bundle; by default the previous one.
        #[arg(long, value_name = "ID")]
        to: Option<Digest>,
        /// The proxy, and the form of its answer.
        #[command(flatten)]
        at: Where,
    },
    /// End the hold, and the quarantine of a bundle if one is named.
    Resume {
        /// Id of the quarantined bundle.
        #[arg(value_name = "ID")]
        bundle: Option<Digest>,
        /// The proxy, and the form of its answer.
        #[command(flatten)]
        at: Where,
    },
    /// Shut down gracefully.
    Drain(Where),
    /// Build a bundle's engine and run its self-tests under resource limits; started by the proxy before it takes a bundle.
    #[command(hide = true)]
    Preflight,
}

/// The proxy to talk to, and the form of its answer.
#[derive(Clone, Debug, Args)]
pub struct Where {
    /// Path of the proxy's admin socket.
    #[arg(long, value_name = "SOCKET")]
    pub admin: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Output::Human)]
    pub output: Output,
}

/// An output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Text for people, which may change.
    Human,
    /// JSON for machines, which is stable.
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
