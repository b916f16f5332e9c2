//! Keys and the sets of them that are trusted. Ed25519 (RFC 8032) only.

use std::collections::BTreeSet;
use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::limits;

/// A public Ed25519 key; written as base64 of its 32 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

/// What is wrong with a key or a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not base64 of 32 bytes.
    #[error("a public key is base64 of 32 bytes")]
    NotAPublicKey,
    /// Not a private key of the form that `meshc keygen` writes (PKCS #8, PEM).
    #[error("a signing key is an Ed25519 key in PKCS #8, as PEM `PRIVATE KEY`")]
    NotAPrivateKey,
    /// The platform made no key.
    #[error("no key could be made")]
    NoKey,
    /// A set without keys, with a key twice, too many keys, or an impossible threshold.
    #[error("a trust set has 1 to {} different keys and a threshold from 1 to their number", limits::KEYS)]
    NotASet,
}

impl PublicKey {
    /// The key's id in envelopes: hex of the SHA-256 of its 32 bytes.
    #[must_use]
    pub fn id(&self) -> String {
        Digest::of(&self.0).hex()
    }

    /// True if `signature` is this key's over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;
    fn try_from(text: String) -> Result<Self, KeyError> {
        let bytes = BASE64.decode(text).map_err(|_| KeyError::NotAPublicKey)?;
        bytes.try_into().map(Self).map_err(|_| KeyError::NotAPublicKey)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        BASE64.encode(key.0)
    }
}

/// A private Ed25519 key. Never printed.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    pkcs8: Vec<u8>,
}

impl SigningKey {
    /// The key of a seed: 32 bytes that nobody can guess (RFC 8032 section 5.1.5). Whoever makes a key draws them; this
    /// crate draws nothing.
    ///
    /// # Errors
    /// [`KeyError::NoKey`] when the platform makes none of it.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::NoKey)?;
        let pkcs8 = pair.to_pkcs8().map_err(|_| KeyError::NoKey)?.as_ref().to_vec();
        Ok(Self { pair, pkcs8 })
    }

    /// Reads a PEM `PRIVATE KEY` block (PKCS #8); at most 16 KiB.
    ///
    /// # Errors
    /// [`KeyError::NotAPrivateKey`] for anything else.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let wrong = || KeyError::NotAPrivateKey;
        if pem.len() > 16 << 10 {
            return Err(wrong());
        }
        let body = pem.split_once("-----BEGIN PRIVATE KEY-----").ok_or_else(wrong)?.1;
        let body = body.split_once("-----END PRIVATE KEY-----").ok_or_else(wrong)?.0;
        let text: String = body.split_ascii_whitespace().collect();
        let pkcs8 = BASE64.decode(text).map_err(|_| wrong())?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).map_err(|_| wrong())?;
        Ok(Self { pair, pkcs8 })
    }

    /// The PEM form.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let body = BASE64.encode(&self.pkcs8);
        let mut text = String::from("-----BEGIN PRIVATE KEY-----\n");
        for line in body.as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END PRIVATE KEY-----\n");
        text
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(self.pair.public_key().as_ref()) {
            *to = *from;
        }
        PublicKey(bytes)
    }

    /// Signs `message`; 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().id())
    }
}

/// Keys of which a threshold must sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenSet", into = "WrittenSet")]
pub struct TrustSet {
    threshold: usize,
    keys: BTreeSet<PublicKey>,
}

impl TrustSet {
    /// Builds a set.
    ///
    /// # Errors
    /// [`KeyError::NotASet`] for none or too many keys, a key twice, or a threshold that cannot be met.
    pub fn new(threshold: usize, keys: Vec<PublicKey>) -> Result<Self, KeyError> {
        let count = keys.len();
        let keys: BTreeSet<_> = keys.into_iter().collect();
        if keys.len() == count && (1..=limits::KEYS).contains(&count) && (1..=count).contains(&threshold) {
            Ok(Self { threshold, keys })
        } else {
            Err(KeyError::NotASet)
        }
    }

    /// How many different keys must sign.
    #[must_use]
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSet {
    threshold: usize,
    keys: Vec<PublicKey>,
}

impl TryFrom<WrittenSet> for TrustSet {
    type Error = KeyError;
    fn try_from(set: WrittenSet) -> Result<Self, KeyError> {
        Self::new(set.threshold, set.keys)
    }
}

impl From<TrustSet> for WrittenSet {
    fn from(set: TrustSet) -> Self {
        Self { threshold: set.threshold, keys: set.keys.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_through_pem_and_sign() {
        let key = SigningKey::from_seed(&[11; 32]).unwrap();
        let again = SigningKey::from_pem(&key.to_pem()).unwrap();
        assert_eq!(key.public(), again.public());
        let signature = again.sign(b"hello");
        assert!(key.public().verifies(b"hello", &signature));
        assert!(!key.public().verifies(b"hullo", &signature));
        assert!(SigningKey::from_pem("nonsense").is_err());
    }

    #[test]
    fn impossible_sets_are_refused() {
        let key = SigningKey::from_seed(&[12; 32]).unwrap().public();
        assert!(TrustSet::new(1, vec![key.clone()]).is_ok());
        assert!(TrustSet::new(0, vec![key.clone()]).is_err());
        assert!(TrustSet::new(2, vec![key.clone()]).is_err());
        assert!(TrustSet::new(1, vec![key.clone(), key]).is_err());
        assert!(TrustSet::new(1, vec![]).is_err());
    }
}
