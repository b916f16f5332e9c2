//! `meshc completion`: prints the completion script of a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

/// Print a completion script.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    meshc completion bash > ~/.local/share/bash-completion/completions/meshc\n  \
    meshc completion zsh > ~/.zfunc/_meshc\n  \
    meshc completion fish > ~/.config/fish/completions/meshc.fish")]
pub(crate) struct Args {
    /// Shell that the script is for
    shell: Shell,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::args::Cli::command(), "meshc", &mut script);
    output::stdout(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
