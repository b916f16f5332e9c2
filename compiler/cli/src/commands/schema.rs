//! `meshc schema`: prints JSON Schemas, or checks a file against them.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use jsonschema::{Draft, Validator};
use mesh_compiler::Counts;
use mesh_compiler::diag::{Diagnostic, Diagnostics, Sources, Span, codes, quoted};
use mesh_compiler::source::{Node, Value as Yaml, parse};
use mesh_compiler::spec::{Kind, document_schema, schemas};
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::look::Look;
use crate::output::{Outputs, Report};
use crate::render::Findings;

/// Print JSON Schemas, or check a file against them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    meshc schema Route > route.schema.json\n  \
    meshc schema --all > .meshc/schema/v1.json one schema for files of any kinds, for editors\n  \
    meshc schema                               the schemas of all kinds in one object, by kind\n  \
    meshc schema --check services/web/mesh.yaml")]
pub(crate) struct Args {
    /// The kind, such as Service
    kind: Option<String>,
    /// One schema for files of several documents, each judged by its kind: for editors
    #[arg(long, conflicts_with_all = ["kind", "check"])]
    all: bool,
    /// Check the documents of this file, each against the schema of its kind
    #[arg(long, value_name = "FILE", conflicts_with = "kind")]
    check: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, outputs: &Outputs) -> Result<u8, Failure> {
    if let Some(file) = &args.check {
        return check(file, outputs);
    }
    let schema = match &args.kind {
        None if args.all => document_schema(),
        None => schemas().into_iter().map(|(kind, schema)| (kind.to_owned(), schema)).collect(),
        Some(word) => schema_of(key(word)?)?,
    };
    outputs.emit(&Schema(schema))?;
    Ok(0)
}

/// The kind's key among the schemas.
fn key(word: &str) -> Result<&'static str, Failure> {
    let same = |kind: &Kind| kind.as_str().eq_ignore_ascii_case(word) || kind.slug() == word;
    let kind = Kind::ALL.into_iter().find(same).ok_or_else(|| {
        let kinds = Kind::ALL.map(Kind::as_str).join(", ");
        Failure::cannot(format!("there is no kind `{}`", word.escape_debug())).help(format!("kinds: {kinds}"))
    })?;
    Ok(key_of(kind))
}

fn schema_of(key: &str) -> Result<Value, Failure> {
    schemas().remove(key).ok_or_else(|| Failure::cannot(format!("there is no schema of {}", quoted(key))))
}

fn key_of(kind: Kind) -> &'static str {
    if kind == Kind::AccessPolicy { "accesspolicy" } else { kind.slug() }
}

struct Schema(Value);

impl Report for Schema {
    fn human(&self, _: Look) -> String {
        format!("{:#}", self.0)
    }

    fn concise(&self) -> String {
        self.0.to_string()
    }

    fn json(&self) -> impl Serialize {
        &self.0
    }
}

fn check(file: &Path, outputs: &Outputs) -> Result<u8, Failure> {
    let cannot = |e: std::io::Error| Failure::cannot(format!("cannot read `{}`: {e}", file.display()));
    let mut bytes = Vec::new();
    let most = mesh_bundle::limits::FILE_BYTES as u64 + 1;
    std::fs::File::open(file).map_err(cannot)?.take(most).read_to_end(&mut bytes).map_err(cannot)?;
    let mut sources = Sources::new();
    let (_, parsed) = parse(&mut sources, &file.to_string_lossy(), &bytes);
    let mut findings: Diagnostics = parsed.findings.into_iter().collect();
    let mut validators = BTreeMap::new();
    let mut objects = 0;
    for document in parsed.documents.iter().filter(|d| d.complete) {
        objects += 1;
        let root = &document.root;
        let kind = root.get("kind").and_then(Node::as_str).and_then(Kind::from_word);
        let Some(kind) = kind else {
            let span = root.get("kind").map_or(root.span.head(), |node| node.span);
            let help = format!("kinds: {}", Kind::ALL.map(Kind::as_str).join(", "));
            let finding = Diagnostic::new(codes::UNKNOWN_KIND, span, "the document has no known `kind`");
            findings.push(finding.help(help));
            continue;
        };
        let validator = validator(kind, &mut validators)?;
        for error in validator.iter_errors(&root.to_json()) {
            // Never what the file says: it may be a secret.
            let message = error.masked_with("the value").to_string();
            let at = place(root, error.instance_path().as_str());
            let message = format!("schema of {}: {message}", kind.as_str());
            findings.push(Diagnostic::new(codes::WRONG_TYPE, at, message));
        }
    }
    findings.sort(&sources);
    let report = Findings {
        command: "schema",
        sources: &sources,
        list: findings.iter().collect(),
        notes: &[],
        counts: Counts { files: 1, objects, environments: 0 },
        took: std::time::Duration::ZERO,
    };
    outputs.emit(&report)?;
    Ok(u8::from(findings.has_errors()))
}

fn validator<'m>(
    kind: Kind,
    made: &'m mut BTreeMap<&'static str, Validator>,
) -> Result<&'m Validator, Failure> {
    let key = key_of(kind);
    if !made.contains_key(key) {
        let schema = schema_of(key)?;
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .build(&schema)
            .map_err(|e| Failure::cannot(format!("the schema of {} is broken: {e}", kind.as_str())))?;
        made.insert(key, validator);
    }
    made.get(key).ok_or_else(|| Failure::cannot(format!("there is no schema of {}", quoted(key))))
}

/// The place of a JSON pointer, or of its nearest parent.
fn place(root: &Node, pointer: &str) -> Span {
    let mut node = root;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match &node.value {
            Yaml::Map(_) => node.get(&part),
            Yaml::Seq(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    if std::ptr::eq(node, root) { root.span.head() } else { node.span }
}
