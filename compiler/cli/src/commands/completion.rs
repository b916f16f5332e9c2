//! `meshc completion`: prints the completion script of a shell.

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

/// Prints the script of `program`, which is the whole command line.
pub(crate) fn run(args: &Args, mut program: clap::Command) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "meshc", &mut script);
    output::stdout(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
