//! Header lines that can be read in order and changed.

/// Header lines in the order of their arrival, names in lower case.
pub trait HeaderLines {
    /// Iterates over every line, in the order of arrival.
    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])>;

    /// Keeps the lines for which `wanted` holds.
    fn keep(&mut self, wanted: impl FnMut(&str, &[u8]) -> bool);

    /// Adds a line at the end.
    fn add(&mut self, name: &str, value: &str);

    /// Removes all lines of `name`.
    fn remove(&mut self, name: &str) {
        self.keep(|known, _| known != name);
    }
}

impl HeaderLines for Vec<(String, Vec<u8>)> {
    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    fn keep(&mut self, mut wanted: impl FnMut(&str, &[u8]) -> bool) {
        self.retain(|(name, value)| wanted(name, value));
    }

    fn add(&mut self, name: &str, value: &str) {
        self.push((name.to_owned(), value.as_bytes().to_vec()));
    }
}
