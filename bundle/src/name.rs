//! Names: DNS labels, and the owners that units belong to.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A DNS label in lower case (RFC 1123 section 2.1): `[a-z0-9]`, `-` inside, at most 63 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Box<str>);

/// The error of a text that is not a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name is a DNS label: lower-case letters, digits and inner `-`, at most 63")]
pub struct NotAName;

impl Name {
    /// The longest name, in bytes (RFC 1123 section 2.1).
    pub const MAX: usize = 63;

    /// Checks that `text` is a name.
    ///
    /// # Errors
    /// [`NotAName`] when it is no DNS label.
    pub fn new(text: &str) -> Result<Self, NotAName> {
        let bytes = text.as_bytes();
        let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
        let edge = |b: Option<&u8>| b.is_some_and(|b| *b != b'-');
        if bytes.len() <= Self::MAX && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner) {
            Ok(Self(text.into()))
        } else {
            Err(NotAName)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;
    fn try_from(text: String) -> Result<Self, NotAName> {
        Self::new(&text)
    }
}

impl FromStr for Name {
    type Err = NotAName;
    fn from_str(text: &str) -> Result<Self, NotAName> {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.into()
    }
}

/// The owner of units, and the identity that a proxy stands for: `orders`, or `gateway/public`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Owner {
    /// A service, by name.
    Service(Name),
    /// A gateway, by name.
    Gateway(Name),
}

impl Owner {
    /// The bare name, without `gateway/`.
    #[must_use]
    pub fn name(&self) -> &Name {
        match self {
            Self::Service(name) | Self::Gateway(name) => name,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name) => write!(f, "{name}"),
            Self::Gateway(name) => write!(f, "gateway/{name}"),
        }
    }
}

impl FromStr for Owner {
    type Err = NotAName;
    fn from_str(text: &str) -> Result<Self, NotAName> {
        match text.strip_prefix("gateway/") {
            Some(gateway) => Ok(Self::Gateway(Name::new(gateway)?)),
            None => Ok(Self::Service(Name::new(text)?)),
        }
    }
}

impl TryFrom<String> for Owner {
    type Error = NotAName;
    fn try_from(text: String) -> Result<Self, NotAName> {
        text.parse()
    }
}

impl From<Owner> for String {
    fn from(owner: Owner) -> Self {
        owner.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dns_labels() {
        for good in ["a", "orders", "v41", "a-b", &"x".repeat(63)] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a/b", "..", "a_b", "é", &"x".repeat(64)] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn owners_read_what_they_write() {
        for text in ["orders", "gateway/public"] {
            assert_eq!(text.parse::<Owner>().unwrap().to_string(), text);
        }
        assert!("gateway/".parse::<Owner>().is_err());
        assert!("a/b".parse::<Owner>().is_err());
    }
}
