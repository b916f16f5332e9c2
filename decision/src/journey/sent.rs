//! A head on its way to a hop.

use crate::head::{self, Admitted, Rejection, StartLine, Trust, Version};

/// A head on its way to a hop: HTTP/1 states the host in a field, HTTP/2 in the start line.
pub(super) struct Sent<'a> {
    pub(super) version: Version,
    pub(super) method: &'a str,
    pub(super) authority: &'a str,
}

impl Sent<'_> {
    /// Admits the head as the hop does. A `host` line that is there already stays as it is.
    pub(super) fn admit(
        &self,
        target: &str,
        lines: &mut Vec<(String, Vec<u8>)>,
        trust: Trust,
    ) -> Result<Admitted, Rejection> {
        let (path, _) = target.split_once('?').unwrap_or((target, ""));
        let in_start = self.version == Version::Http2;
        if !(in_start || lines.iter().any(|(name, _)| name == "host")) {
            lines.insert(0, ("host".to_owned(), self.authority.as_bytes().to_vec()));
        }
        let start = StartLine {
            version: self.version,
            method: self.method,
            authority: in_start.then_some(self.authority),
            target: Some(path),
        };
        head::admit(&start, lines, trust)
    }
}
