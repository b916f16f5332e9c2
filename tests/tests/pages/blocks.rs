//! Blocks of a page, made into steps.
//!
//! | fence | is |
//! |---|---|
//! | `sh` | commands, one after the other |
//! | `console` | commands after `$ `, each with its output; `...` stands for any text of a line, or alone for any lines |
//! | others | not run: `yaml` and `json` are forms, `text` is a picture |
//!
//! `exit=N` says how the last command ends, where not well; `skip="why"` that the block cannot run in a test.

/// Something to do, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Line of the page, from 1.
    pub(crate) line: usize,
    /// A command of the shell.
    pub(crate) command: String,
    /// How it ends.
    pub(crate) exit: i32,
    /// What it says, where the page shows it.
    pub(crate) output: Option<Vec<String>>,
}

/// A page's steps, or what is wrong with its fences.
pub(crate) fn steps(page: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut lines = (1..).zip(page.lines());
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let fence = Fence::read(info).map_err(|why| format!("line {at}: {why}"))?;
        let body: Vec<(usize, &str)> =
            lines.by_ref().take_while(|(_, line)| !line.starts_with("```")).collect();
        if fence.skip {
            continue;
        }
        let before = steps.len();
        match fence.language.as_str() {
            "sh" => shell(&body, &mut steps),
            "console" => console(&body, &mut steps)?,
            "yaml" | "json" | "text" => {}
            other => return Err(format!("line {at}: a fence says `{other}`, which nobody runs")),
        }
        if let (Some(exit), Some(last)) = (fence.exit, steps.get_mut(before..).and_then(<[Step]>::last_mut)) {
            last.exit = exit;
        }
    }
    Ok(steps)
}

/// The words after the marks of a fence.
#[derive(Default)]
struct Fence {
    language: String,
    exit: Option<i32>,
    /// It is not run, and says why.
    skip: bool,
}

impl Fence {
    fn read(info: &str) -> Result<Self, String> {
        let mut words = shlex::split(info).ok_or("a quote is not closed")?.into_iter();
        let mut fence = Self { language: words.next().unwrap_or_default(), ..Self::default() };
        if fence.language.is_empty() {
            return Err("a fence does not say what it holds".to_owned());
        }
        for word in words {
            match word.split_once('=') {
                Some(("exit", code)) => fence.exit = Some(code.parse().map_err(|_| "exit=N takes a number")?),
                Some(("skip", why)) if !why.is_empty() => fence.skip = true,
                _ => return Err(format!("`{word}` means nothing in a fence")),
            }
        }
        Ok(fence)
    }
}

/// One command a line; a line that ends in `\` goes on.
fn shell(body: &[(usize, &str)], steps: &mut Vec<Step>) {
    let mut open: Option<(usize, String)> = None;
    for (line, text) in body {
        let (at, command) = open.get_or_insert_with(|| (*line, String::new()));
        command.push_str(text);
        command.push('\n');
        if text.ends_with('\\') {
            continue;
        }
        if !command.trim().is_empty() {
            steps.push(Step { line: *at, command: command.trim_end().to_owned(), exit: 0, output: None });
        }
        open = None;
    }
}

fn console(body: &[(usize, &str)], steps: &mut Vec<Step>) -> Result<(), String> {
    let first = steps.len();
    for (line, text) in body {
        match (text.strip_prefix("$ "), steps.get_mut(first..).and_then(<[Step]>::last_mut)) {
            (Some(command), _) => {
                let output = Some(Vec::new());
                steps.push(Step { line: *line, command: command.to_owned(), exit: 0, output });
            }
            (None, Some(step)) if step.command.ends_with('\\') => {
                step.command.push('\n');
                step.command.push_str(text);
            }
            (None, Some(step)) => step.output.get_or_insert_default().push((*text).to_owned()),
            (None, None) => return Err(format!("line {line}: an output stands before its command")),
        }
    }
    Ok(())
}

/// True if `output` is what the page shows.
pub(crate) fn shows(shown: &[String], output: &[&str]) -> bool {
    match shown.split_first() {
        None => output.is_empty(),
        Some((first, rest)) if first == "..." => (0..=output.len()).any(|n| shows(rest, &output[n..])),
        Some((first, rest)) => {
            output.split_first().is_some_and(|(line, others)| line_shows(first, line) && shows(rest, others))
        }
    }
}

fn line_shows(shown: &str, line: &str) -> bool {
    let mut parts = shown.trim_end().split("...");
    let Some(mut rest) = parts.next().and_then(|first| line.trim_end().strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[test]
fn a_page_becomes_steps() {
    let page = "text\n```sh\ncd x\na \\\n  b\n```\n```console exit=1\n$ c\nout\n...\n$ d\n```\n```sh skip=\"why\"\nno\n```\n```yaml\na: b\n```\n";
    let found = steps(page).unwrap();
    let of = |line, command: &str, exit, output: Option<&[&str]>| Step {
        line,
        command: command.to_owned(),
        exit,
        output: output.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect()),
    };
    let expected = [
        of(3, "cd x", 0, None),
        of(4, "a \\\n  b", 0, None),
        of(8, "c", 0, Some(&["out", "..."])),
        of(11, "d", 1, Some(&[])),
    ];
    assert_eq!(found, expected);
    assert!(
        steps("```\na\n```\n").is_err()
            && steps("```sh skip=\n```\n").is_err()
            && steps("```rust\n```\n").is_err()
    );
}

#[test]
fn placeholders_stand_for_any_text() {
    let shows = |shown: &str, output: &str| {
        let shown: Vec<String> = shown.lines().map(str::to_owned).collect();
        shows(&shown, &output.lines().collect::<Vec<_>>())
    };
    assert!(shows("a sha256:... b", "a sha256:12 b") && shows("...\nb", "x\ny\nb") && shows("...\nb", "b"));
    assert!(!shows("a ... b", "a 1 c") && !shows("a", "ab") && !shows("a", "a\nb") && !shows("...b\nc", "b"));
}
