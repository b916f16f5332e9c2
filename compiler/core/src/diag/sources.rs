//! Source files and places in them.

/// A file of [`Sources`]; files are numbered in the order in which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A half-open range of bytes of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// File that the bytes belong to.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A range; an `end` before `start` is taken as an empty range at `start`.
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end: end.max(start) }
    }

    /// The empty range at the start of this one.
    pub fn head(self) -> Self {
        Self { end: self.start, ..self }
    }

    /// From the start of this range to the end of `other`; this range alone if `other` lies in another file.
    pub fn to(self, other: Span) -> Self {
        if self.file == other.file { Self::new(self.file, self.start, other.end.max(self.end)) } else { self }
    }

    /// Length in bytes.
    pub fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether no byte is covered.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A place for people: line and column count from 1, columns count characters (not bytes, not cells).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// One file: its path relative to the mesh folder, and its text.
#[derive(Debug, Clone)]
pub struct SourceFile {
    path: String,
    text: String,
    /// Byte offset of the first byte of each line; never empty.
    line_starts: Vec<u32>,
}

impl SourceFile {
    fn new(path: String, text: String) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let line_starts =
            std::iter::once(0).chain(ends.map(|(i, _)| u32::try_from(i + 1).unwrap_or(u32::MAX))).collect();
        Self { path, text, line_starts }
    }

    /// The path, as given.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Number of lines; a final line end starts one more, empty line.
    pub fn lines(&self) -> u32 {
        u32::try_from(self.line_starts.len()).unwrap_or(u32::MAX)
    }

    /// Line of a byte offset, from 1. Offsets past the end belong to the last line.
    pub fn line_of(&self, offset: u32) -> u32 {
        u32::try_from(self.line_starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX).max(1)
    }

    /// The text of a line (from 1) without its line end; empty for a line that does not exist.
    pub fn line(&self, line: u32) -> &str {
        let Some(start) = self.line_start(line) else {
            return "";
        };
        let end = self.line_start(line.saturating_add(1)).map_or(self.text.len(), |end| end as usize);
        let text = self.text.get(start as usize..end).unwrap_or("");
        text.strip_suffix('\n').map_or(text, |t| t.strip_suffix('\r').unwrap_or(t))
    }

    /// Byte offset at which a line (from 1) starts.
    pub fn line_start(&self, line: u32) -> Option<u32> {
        self.line_starts.get((line as usize).checked_sub(1)?).copied()
    }

    /// Line and column of a byte offset. An offset inside a character counts as that character's.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_of(offset);
        let start = self.line_start(line).unwrap_or(0) as usize;
        let rest = self.text.get(start..).unwrap_or("");
        let within = (offset as usize).saturating_sub(start);
        let column = rest.char_indices().take_while(|(at, c)| at + c.len_utf8() <= within).count();
        Position { line, column: u32::try_from(column + 1).unwrap_or(u32::MAX) }
    }
}

/// All files of one run.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// A collection without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file. Text past 4 GiB has no places; files are bounded far below.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile::new(path.into(), text.into()));
        id
    }

    /// The file, if the number is one of ours.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// Path of a file; empty if the number is not one of ours.
    pub fn path(&self, id: FileId) -> &str {
        self.file(id).map_or("", SourceFile::path)
    }

    /// The bytes under a range; empty if the range is not one of ours.
    pub fn slice(&self, span: Span) -> &str {
        self.file(span.file).and_then(|f| f.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    /// Line and column of the start of a range.
    pub fn position(&self, span: Span) -> Position {
        self.file(span.file).map_or(Position { line: 1, column: 1 }, |f| f.position(span.start))
    }

    /// All files with their numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(u32::try_from(i).unwrap_or(u32::MAX)), f))
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let mut sources = Sources::new();
        let id = sources.add("a.yaml", "é: 1\r\nß ü: x\n");
        let at = sources.slice(Span::new(id, 7, 9));
        assert_eq!(at, "ß");
        let x = sources.file(id).unwrap().text().find('x').unwrap();
        let span = Span::new(id, u32::try_from(x).unwrap(), u32::try_from(x).unwrap() + 1);
        assert_eq!(sources.position(span), Position { line: 2, column: 6 });
        assert_eq!(sources.file(id).unwrap().line(1), "é: 1");
        assert_eq!(sources.file(id).unwrap().line(3), "");
        assert_eq!(sources.file(id).unwrap().line(9), "");
    }

    #[test]
    fn places_outside_a_file_are_harmless() {
        let mut sources = Sources::new();
        let id = sources.add("a.yaml", "a");
        assert_eq!(sources.position(Span::new(id, 99, 99)), Position { line: 1, column: 2 });
        assert_eq!(sources.slice(Span::new(FileId(7), 0, 1)), "");
    }
}
