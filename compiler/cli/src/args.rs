//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::{
    access, build, completion, explain, init, keygen, plan, route, schema, test, validate, verify, version,
};
use crate::load::Where;
use crate::output::Output;

/// Compiles a mesh that is kept in git: checks it, says what a change does, builds and signs bundles for proxies.
#[derive(Debug, Parser)]
#[command(
    name = "meshc",
    version,
    propagate_version = false,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 done; 1 ran well and found something; 2 could not run; 3 refused.\n\
                  Start a mesh with `meshc init NAME`; `meshc COMMAND --help` shows examples."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Where,

    /// Form of the results: human, plain, concise or json; with =FILE into a file; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", env = "MESHC_OUTPUT", global = true)]
    pub(crate) output: Vec<Output>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Subcommands of `meshc`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a mesh in a new folder
    Init(init::Args),
    /// Look for mistakes
    #[command(visible_alias = "check")]
    Validate(validate::Args),
    /// Run the examples of Test objects
    Test(test::Args),
    /// Explain a code such as MC2001
    Explain(explain::Args),
    /// Say what happens to a request
    Route(route::Args),
    /// Say who may call whom
    Access(access::Args),
    /// Say what a change does
    #[command(visible_alias = "diff")]
    Plan(plan::Args),
    /// Build and sign bundles
    Build(build::Args),
    /// Check a bundle as a proxy does
    Verify(verify::Args),
    /// Print JSON Schemas, or check a file against them
    Schema(schema::Args),
    /// Make signing keys, and SPIFFE certificates for tests
    Keygen(keygen::Args),
    /// Print a completion script
    Completion(completion::Args),
    /// Print the version
    Version,
}

impl Command {
    /// Runs the command and gives its exit code. `program` is the whole command line, which completion scripts are about.
    ///
    /// # Errors
    /// When it could not run, or was refused.
    pub(crate) fn run(
        self,
        place: &Where,
        outputs: &crate::output::Outputs,
        program: clap::Command,
    ) -> Result<u8, crate::failure::Failure> {
        match self {
            Self::Init(args) => init::run(&args, place, outputs),
            Self::Validate(args) => validate::run(&args, place, outputs),
            Self::Test(args) => test::run(&args, place, outputs),
            Self::Explain(args) => explain::run(&args, outputs),
            Self::Route(args) => route::run(&args, place, outputs),
            Self::Access(args) => access::run(&args, place, outputs),
            Self::Plan(args) => plan::run(&args, place, outputs),
            Self::Build(args) => build::run(&args, place, outputs),
            Self::Verify(args) => verify::run(&args, outputs),
            Self::Schema(args) => schema::run(&args, outputs),
            Self::Keygen(args) => keygen::run(&args, place, outputs),
            Self::Completion(args) => completion::run(&args, program),
            Self::Version => version::run(outputs),
        }
    }
}
