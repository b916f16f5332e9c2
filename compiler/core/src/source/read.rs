//! Events of the parser to documents.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle};

use super::bytes::{self, offset};
use super::map_keys::{as_key, unique};
use super::{Key, Node, Value, envelope, limits, secret};
use crate::diag::{Comment, Diagnostic, FileId, Severity, Sources, Span, codes, quoted};

/// One document of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// File of the document.
    pub file: FileId,
    /// The whole content, in the flat form: a Kubernetes envelope is taken off.
    pub root: Node,
    /// Whether all of it could be read; if not, `root` is what came before the error.
    pub complete: bool,
    /// Whether the file says `generated: true` in its first document.
    pub generated: bool,
}

/// Result of reading one file.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// Its documents in order, without the `generated` marker and without empty ones.
    pub documents: Vec<Document>,
    /// Its comments, if any of them is addressed to meshc; none otherwise.
    pub comments: Vec<Comment>,
    /// Findings about the file itself.
    pub findings: Vec<Diagnostic>,
    /// Whether the file was read to its end; if not, documents may be missing.
    pub complete: bool,
}

/// Reads one file and adds it to `sources`. Time and memory are linear in the size of the file.
pub fn parse(sources: &mut Sources, path: &str, bytes: &[u8]) -> (FileId, Parsed) {
    let file = FileId(offset(sources.len()));
    let bytes::Decoded { text, refused } = bytes::decode(file, bytes);
    let mut parsed = Parsed { findings: refused, ..Parsed::default() };
    parsed.findings.extend(secret::scan(file, &text));
    if !parsed.findings.iter().any(|f| f.code != codes::SECRET) {
        let mut reader = Reader::new(file, &text, &mut parsed);
        reader.run();
        reader.finish();
        let complete = !reader.cut && !reader.stopped;
        parsed.complete = complete;
    }
    sources.add(path, text);
    (file, parsed)
}

pub(super) struct Reader<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
    /// Bytes of a byte order mark, which the parser does not see.
    pub(super) base: usize,
    pub(super) parsed: &'a mut Parsed,
    frames: Vec<Frame>,
    /// The root of the document being read.
    pub(super) root: Option<Node>,
    /// Values of anchors of this document; `None` while the value is not complete.
    anchors: BTreeMap<usize, Option<Measured>>,
    pub(super) nodes: usize,
    pub(super) aliases: usize,
    /// Tabs of the file, in order.
    pub(super) tabs: Vec<u32>,
    /// Texts and comments, where tabs may be; kept only if there are tabs.
    pub(super) free: Vec<Span>,
    pub(super) generated: bool,
    /// Documents seen, empty ones included.
    pub(super) count: usize,
    pub(super) stopped: bool,
    /// A document ended before its end: the rest of the file may be unread.
    cut: bool,
}

/// A complete node with its number of nodes and its depth, aliases expanded.
#[derive(Clone)]
struct Measured {
    node: Node,
    nodes: usize,
    depth: usize,
}

struct Frame {
    start: u32,
    end: u32,
    anchor: usize,
    nodes: usize,
    depth: usize,
    kind: FrameKind,
}

enum FrameKind {
    Seq(Vec<Node>),
    /// `key` is `None` while a key is awaited, `Some(None)` after a key that was refused.
    Map {
        entries: Vec<(Key, Node)>,
        key: Option<Option<Key>>,
    },
}

impl<'a> Reader<'a> {
    fn new(file: FileId, text: &'a str, parsed: &'a mut Parsed) -> Self {
        let base = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
        let tabs = text.match_indices('\t').map(|(at, _)| offset(at)).collect();
        Self {
            file,
            text,
            base,
            parsed,
            frames: Vec::new(),
            root: None,
            anchors: BTreeMap::new(),
            nodes: 0,
            aliases: 0,
            tabs,
            free: Vec::new(),
            generated: false,
            count: 0,
            stopped: false,
            cut: false,
        }
    }

    fn run(&mut self) {
        let text = self.text;
        let comments = text.contains("meshc:") || !self.tabs.is_empty();
        // One level more than ours, so that ours is the one that reports; comments are bounded by the size of the file.
        let options = granit_parser::options! {
            disallow_directives: true,
            emit_unresolved_aliases: true,
            emit_anchor_events: true,
            emit_comments: comments,
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: limits::FILE_DEPTH + 1,
            block_nesting_limit: limits::FILE_DEPTH + 1,
        };
        let mut parser = Parser::new_from_str_with_options(text.get(self.base..).unwrap_or(""), options);
        while !self.stopped {
            match parser.next_event() {
                None => break,
                Some(Ok((event, span))) => {
                    if self.event(event, &span) {
                        continue;
                    }
                    self.end_document(false);
                }
                Some(Err(error)) => {
                    self.syntax(&error);
                    self.end_document(false);
                }
            }
            self.count_nodes(1, Span::new(self.file, 0, 0));
            if !matches!(parser.proceed_next_document(), Ok(true)) {
                break;
            }
        }
    }

    /// `false` if the rest of the document cannot be read.
    fn event(&mut self, event: Event<'_>, place: &granit_parser::Span) -> bool {
        let span = self.span(place);
        match event {
            Event::DocumentStart(..) => {
                self.count += 1;
                self.count_nodes(1, span)
            }
            Event::DocumentEnd => {
                self.end_document(true);
                true
            }
            Event::Comment(..) => {
                self.comment(span);
                true
            }
            Event::Anchor(..) => {
                if span.len() as usize > limits::SCALAR_BYTES {
                    self.too_long(span, "the name of an anchor");
                }
                true
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(text.into_owned(), style, span, tag.as_deref(), place);
                let span = if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    self.trimmed(span)
                } else {
                    span
                };
                self.add(Measured { node: Node { span, value }, nodes: 1, depth: 0 }, anchor)
            }
            Event::Alias(id) => self.alias(id, span),
            Event::UnresolvedAlias(name) => {
                let finding = Diagnostic::new(
                    codes::ALIAS,
                    span,
                    format!("there is no anchor {} before this alias", quoted(&name)),
                );
                let help = format!(
                    "a text that begins with `*` stands in quotes: `\"*{}\"`",
                    crate::diag::visible(&name)
                );
                self.parsed.findings.push(finding.help(help));
                self.add(Measured { node: Node { span, value: Value::Broken }, nodes: 1, depth: 0 }, 0)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", place);
                self.open(span, anchor, FrameKind::Seq(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", place);
                self.open(span, anchor, FrameKind::Map { entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(Some(span)),
            _ => true,
        }
    }

    fn open(&mut self, span: Span, anchor: usize, kind: FrameKind) -> bool {
        if self.frames.len() >= limits::FILE_DEPTH {
            self.too_deep(span);
            return false;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        self.frames.push(Frame { start: span.start, end: span.end, anchor, nodes: 1, depth: 1, kind });
        self.count_nodes(1, span)
    }

    /// Closes the innermost list or map; `end` is where its end was seen, if it was.
    fn close(&mut self, end: Option<Span>) -> bool {
        let Some(frame) = self.frames.pop() else {
            return true;
        };
        // A block ends where its last value ends; a flow collection with its bracket.
        let end = end.filter(|e| !e.is_empty()).map_or(frame.end, |e| e.end);
        let span = Span::new(self.file, frame.start, end);
        let value = match frame.kind {
            FrameKind::Seq(items) => Value::Seq(items),
            FrameKind::Map { entries, .. } => Value::Map(unique(entries, &mut self.parsed.findings)),
        };
        // Its nodes were counted as they came.
        self.put(
            Measured { node: Node { span, value }, nodes: frame.nodes, depth: frame.depth },
            frame.anchor,
        )
    }

    fn alias(&mut self, id: usize, span: Span) -> bool {
        self.aliases += 1;
        if self.aliases > limits::FILE_ALIASES {
            let message = format!("the file has more than {} aliases", limits::FILE_ALIASES);
            self.parsed.findings.push(Diagnostic::new(codes::LIMIT_ALIASES, span, message));
            self.stopped = true;
            return false;
        }
        match self.anchors.get(&id) {
            Some(Some(target)) => {
                let target = target.clone();
                if self.frames.len() + target.depth > limits::FILE_DEPTH {
                    self.too_deep(span);
                    return false;
                }
                self.add(target, 0)
            }
            _ => {
                self.parsed.findings.push(
                    Diagnostic::new(codes::ALIAS, span, "this alias stands for a value that it is part of")
                        .help("write the value out"),
                );
                self.add(Measured { node: Node { span, value: Value::Broken }, nodes: 1, depth: 0 }, 0)
            }
        }
    }

    /// Counts a new node and puts it where it belongs.
    fn add(&mut self, sized: Measured, anchor: usize) -> bool {
        self.count_nodes(sized.nodes, sized.node.span) && self.put(sized, anchor)
    }

    fn put(&mut self, sized: Measured, anchor: usize) -> bool {
        if anchor != 0 {
            // The copy that is kept counts, so that nested anchors cannot multiply memory.
            if !self.frames.is_empty() && !self.count_nodes(sized.nodes, sized.node.span) {
                return false;
            }
            self.anchors.insert(anchor, Some(sized.clone()));
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(sized.node);
            return true;
        };
        frame.nodes = frame.nodes.saturating_add(sized.nodes);
        frame.depth = frame.depth.max(sized.depth + 1);
        let node = sized.node;
        // The value of an alias stands elsewhere.
        if node.span.start >= frame.start {
            frame.end = frame.end.max(node.span.end);
        }
        match &mut frame.kind {
            FrameKind::Seq(items) => items.push(node),
            FrameKind::Map { entries, key } => match key.take() {
                None => *key = Some(as_key(node, self.text, &mut self.parsed.findings)),
                Some(None) => {}
                Some(Some(key)) => {
                    let bare = node.span.is_empty() && node.value == Value::Null;
                    let node = if bare { Node { span: key.span, ..node } } else { node };
                    entries.push((key, node));
                }
            },
        }
        true
    }

    /// Ends the document: what is open is closed, so that a broken document still says what it was about.
    fn end_document(&mut self, complete: bool) {
        self.cut |= !complete;
        // What is closed before its end was not written so: nothing is to be said about it.
        let said = self.parsed.findings.len();
        while !self.frames.is_empty() {
            self.close(None);
        }
        self.parsed.findings.truncate(said);
        self.anchors.clear();
        let Some(root) = self.root.take() else { return };
        if complete && root.value == Value::Null {
            if root.span.is_empty() {
                let warning = Diagnostic::new(codes::EMPTY, root.span, "the document is empty")
                    .severity(Severity::Warning);
                self.parsed.findings.push(warning.help("remove the `---` that starts it"));
            } else {
                self.parsed.findings.push(Diagnostic::new(codes::EMPTY, root.span, "the document is empty"));
            }
            return;
        }
        let mut root = root;
        if complete && let Some((key, value)) = root.entry("generated") {
            let alone = root.as_map().is_some_and(|entries| entries.len() == 1);
            if let Value::Bool(generated) = value.value
                && alone
                && self.count == 1
            {
                self.generated = generated;
                return;
            }
            self.parsed.findings.push(
                Diagnostic::new(
                    codes::GENERATED_MARKER,
                    key.span,
                    "`generated: true` must be the first document of the file and alone in it",
                )
                .help("write `generated: true` and `---` at the top of the file"),
            );
            if alone {
                return;
            }
            if let Value::Map(entries) = &mut root.value {
                entries.retain(|(key, _)| &*key.text != "generated");
            }
        }
        let root = envelope::flatten(root, &mut self.parsed.findings);
        self.parsed.documents.push(Document { file: self.file, root, complete, generated: self.generated });
    }
}
