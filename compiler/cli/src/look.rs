//! Look of text for people: colours and box characters only where they help.

use std::io::IsTerminal as _;

use owo_colors::Style;

/// Width of text where the terminal does not say one: the same on every machine.
const WIDTH: usize = 100;

/// Look of text for people: width, colours and characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Colours and box characters, else plain ASCII without colour.
    pub(crate) fancy: bool,
    /// Width in columns.
    pub(crate) width: usize,
}

impl Look {
    /// Plain ASCII of a fixed width: files, pipes, `TERM=dumb`, `NO_COLOR`.
    pub(crate) const PLAIN: Self = Self { fancy: false, width: WIDTH };

    /// The look for standard output, from what it is and from the environment. `NO_COLOR` (no-color.org) wins over
    /// `CLICOLOR_FORCE`, which wins over what standard output is.
    pub(crate) fn of_stdout() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let terminal = std::io::stdout().is_terminal();
        let fancy = !no_color && (set("CLICOLOR_FORCE") || (terminal && !dumb));
        let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse::<usize>().ok());
        let width = if terminal { columns.map_or(WIDTH, |c| c.clamp(40, 200)) } else { WIDTH };
        Self { fancy, width }
    }

    /// `text` in a style, where styles are.
    pub(crate) fn paint(self, text: &str, style: Style) -> String {
        if self.fancy { style.style(text).to_string() } else { text.to_owned() }
    }

    /// Style of what is added, passes or is allowed.
    pub(crate) fn good(self, text: &str) -> String {
        self.paint(text, Style::new().green())
    }

    /// Style of what is removed, fails or is denied.
    pub(crate) fn bad(self, text: &str) -> String {
        self.paint(text, Style::new().red())
    }

    /// Style of what changes.
    pub(crate) fn changed(self, text: &str) -> String {
        self.paint(text, Style::new().yellow())
    }

    /// Style of what matters less.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint(text, Style::new().dimmed())
    }

    /// Style of what matters more.
    pub(crate) fn strong(self, text: &str) -> String {
        self.paint(text, Style::new().bold())
    }
}
