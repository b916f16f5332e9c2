//! SPIFFE IDs, read strictly (SPIFFE-ID.md, sections 2.1 to 2.4).

use std::fmt;

/// The longest SPIFFE ID in bytes (SPIFFE-ID.md, 2.3).
const MAX_ID: usize = 2048;
/// The longest trust domain in bytes (SPIFFE-ID.md, 2.3).
const MAX_TRUST_DOMAIN: usize = 255;

/// A workload's name: `spiffe://<trust domain>/<path>`, with a path.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpiffeId {
    text: Box<str>,
    /// Where the trust domain ends within `text`.
    domain_end: usize,
}

/// Why a text is no SPIFFE ID of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpiffeError {
    /// Over 2,048 bytes, or a trust domain over 255.
    #[error("the SPIFFE ID is too long")]
    TooLong,
    /// It does not begin with `spiffe://` in lower case.
    #[error("the name does not begin with `spiffe://`")]
    Scheme,
    /// A trust domain that is empty or holds other characters than `a-z 0-9 . - _`.
    #[error("the SPIFFE ID's trust domain is not made of `a-z`, `0-9`, `.`, `-`, `_`")]
    TrustDomain,
    /// No path: the name of a trust domain, not of a workload.
    #[error("the SPIFFE ID has no path and so names no workload")]
    NoPath,
    /// A path segment that is empty, `.`, `..`, or holds other characters than `a-z A-Z 0-9 . - _`.
    #[error("the SPIFFE ID's path has an empty, relative or malformed segment")]
    Path,
}

impl SpiffeId {
    /// Reads a SPIFFE ID.
    ///
    /// # Errors
    /// Each variant of [`SpiffeError`].
    pub fn parse(text: &str) -> Result<Self, SpiffeError> {
        if text.len() > MAX_ID {
            return Err(SpiffeError::TooLong);
        }
        let rest = text.strip_prefix(SCHEME).ok_or(SpiffeError::Scheme)?;
        let (domain, path) = match rest.split_once('/') {
            Some((domain, path)) => (domain, Some(path)),
            None => (rest, None),
        };
        if domain.len() > MAX_TRUST_DOMAIN {
            return Err(SpiffeError::TooLong);
        }
        let domain_ok = domain.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'));
        if domain.is_empty() || !domain_ok {
            return Err(SpiffeError::TrustDomain);
        }
        if !path.ok_or(SpiffeError::NoPath)?.split('/').all(is_segment) {
            return Err(SpiffeError::Path);
        }
        Ok(Self { text: text.into(), domain_end: SCHEME.len() + domain.len() })
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        // `parse` found both ends in the text.
        self.text.get(SCHEME.len()..self.domain_end).unwrap_or_default()
    }

    /// The path, with its leading slash.
    #[must_use]
    pub fn path(&self) -> &str {
        // `parse` found the beginning in the text.
        self.text.get(self.domain_end..).unwrap_or_default()
    }
}

impl fmt::Debug for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

const SCHEME: &str = "spiffe://";

fn is_segment(segment: &str) -> bool {
    !segment.is_empty()
        && segment != "."
        && segment != ".."
        && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The corpus' cases whose verdict is on the name alone.
    #[test]
    fn corpus_names_get_the_stated_verdict() {
        let long_path = format!("spiffe://prod.test/{}", "a".repeat(2048));
        let long_domain = format!("spiffe://{}/a", "a".repeat(256));
        let cases = [
            ("spiffe://prod.test/ns/a/sa/b", None),
            ("spiffe://prod.test", Some(SpiffeError::NoPath)),
            ("spiffe://prod.test/", Some(SpiffeError::Path)),
            ("spiffe://prod.test/ns/a/sa/b/", Some(SpiffeError::Path)),
            ("spiffe://prod.test//ns", Some(SpiffeError::Path)),
            ("spiffe://prod.test/ns/../admin", Some(SpiffeError::Path)),
            ("spiffe://prod.test/ns/./a", Some(SpiffeError::Path)),
            ("spiffe://prod.test/ns/%61", Some(SpiffeError::Path)),
            ("spiffe://PROD.test/a", Some(SpiffeError::TrustDomain)),
            ("SPIFFE://prod.test/a", Some(SpiffeError::Scheme)),
            ("spiffe://prod.test:443/a", Some(SpiffeError::TrustDomain)),
            ("spiffe://u@prod.test/a", Some(SpiffeError::TrustDomain)),
            ("spiffe://prod.test/a?x=1", Some(SpiffeError::Path)),
            ("spiffe://prod.test/a#f", Some(SpiffeError::Path)),
            ("spiffe:///a", Some(SpiffeError::TrustDomain)),
            ("spiffe:/prod.test/a", Some(SpiffeError::Scheme)),
            ("https://prod.test/a", Some(SpiffeError::Scheme)),
            ("spiffe://prod.test.evil.test/a", None),
            ("spiffe://evilprod.test/a", None),
            ("spiffe://prod.test/ns/a/sa/b2", None),
            ("spiffe://prod.test/ns/a/sa/*", Some(SpiffeError::Path)),
            ("spiffe://prod.test/ns/a\0/sa/b", Some(SpiffeError::Path)),
            ("spiffe://pr\u{43e}d.test/a", Some(SpiffeError::TrustDomain)),
            (long_path.as_str(), Some(SpiffeError::TooLong)),
            (long_domain.as_str(), Some(SpiffeError::TooLong)),
            (" spiffe://prod.test/a", Some(SpiffeError::Scheme)),
            ("spiffe://prod.test/a ", Some(SpiffeError::Path)),
            ("spiffe://prod.test\\a", Some(SpiffeError::TrustDomain)),
            ("spiffe://prod_1.test/a", None),
            ("spiffe://prod.test/a:b", Some(SpiffeError::Path)),
        ];
        for (text, expected) in cases {
            assert_eq!(SpiffeId::parse(text).err(), expected, "{text:?}");
        }
    }

    #[test]
    fn another_domain_is_never_a_suffix_or_prefix_match() {
        let own = SpiffeId::parse("spiffe://prod.test/a").unwrap();
        for other in ["spiffe://prod.test.evil.test/a", "spiffe://evilprod.test/a"] {
            assert_ne!(SpiffeId::parse(other).unwrap().trust_domain(), own.trust_domain());
        }
        assert_eq!((own.trust_domain(), own.path()), ("prod.test", "/a"));
    }
}
