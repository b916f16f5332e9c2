//! The journal's words: why a bundle came into force, and how its probation ended.
//!
//! A journal may have been written by another version of the proxy. A word that this one does not know is kept as it
//! stands, and decides nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a bundle came into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ActivationCause {
    /// A source offered it.
    Offered,
    /// It was offered during a hold, and the hold ended.
    Resumed,
    /// A person went back to it.
    Returned,
    /// The proxy went back to it by itself.
    WentBack,
    /// A start fell back to it.
    Started,
    /// The word of another version of the proxy.
    Unknown(String),
}

impl ActivationCause {
    /// Whether it came forward, from a source, and not by going back: only then do its trust keys take effect, and only
    /// then is it a step that a rollback counts.
    #[must_use]
    pub fn is_forward(&self) -> bool {
        match self {
            Self::Offered | Self::Resumed => true,
            Self::Returned | Self::WentBack | Self::Started | Self::Unknown(_) => false,
        }
    }

    fn word(&self) -> &str {
        match self {
            Self::Offered => "offered",
            Self::Resumed => "resumed",
            Self::Returned => "returned",
            Self::WentBack => "went back",
            Self::Started => "started",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ActivationCause {
    fn from(word: String) -> Self {
        let known = [Self::Offered, Self::Resumed, Self::Returned, Self::WentBack, Self::Started];
        known.into_iter().find(|reason| reason.word() == word).unwrap_or(Self::Unknown(word))
    }
}

impl From<ActivationCause> for String {
    fn from(reason: ActivationCause) -> Self {
        reason.to_string()
    }
}

impl fmt::Display for ActivationCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How a probation ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Judgement {
    /// It has not ended, or there was none.
    #[default]
    Open,
    /// It had enough requests, and too few bad ones.
    Good,
    /// It had few requests in all its time, and nothing spoke against it.
    GoodQuiet,
    /// Too many of its requests were bad.
    Bad,
    /// The word of another version of the proxy.
    Unknown(String),
}

impl Judgement {
    /// Whether there is none.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self == Self::Open
    }

    fn word(&self) -> &str {
        match self {
            Self::Open => "",
            Self::Good => "good",
            Self::GoodQuiet => "good (quiet)",
            Self::Bad => "bad",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for Judgement {
    fn from(word: String) -> Self {
        let known = [Self::Open, Self::Good, Self::GoodQuiet, Self::Bad];
        known.into_iter().find(|judgement| judgement.word() == word).unwrap_or(Self::Unknown(word))
    }
}

impl From<Judgement> for String {
    fn from(judgement: Judgement) -> Self {
        judgement.to_string()
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Activation;
    use mesh_bundle::Digest;
    use serde_json::json;

    #[test]
    fn the_words_are_those_of_every_journal_so_far() {
        let words = |reason: ActivationCause| serde_json::to_value(reason).unwrap();
        assert_eq!(words(ActivationCause::Offered), "offered");
        assert_eq!(words(ActivationCause::Resumed), "resumed");
        assert_eq!(words(ActivationCause::Returned), "returned");
        assert_eq!(words(ActivationCause::WentBack), "went back");
        assert_eq!(words(ActivationCause::Started), "started");
        let words = |judgement: Judgement| serde_json::to_value(judgement).unwrap();
        assert_eq!(words(Judgement::Good), "good");
        assert_eq!(words(Judgement::GoodQuiet), "good (quiet)");
        assert_eq!(words(Judgement::Bad), "bad");
    }

    #[test]
    fn an_activation_is_written_as_ever_and_an_unknown_word_is_kept_and_decides_nothing() {
        let bundle = Digest::of(b"a");
        let known = json!({ "bundle": bundle, "generation": 3, "at": 5, "reason": "went back" });
        let foreign =
            json!({ "bundle": bundle, "generation": 3, "at": 5, "reason": "mirrored", "verdict": "late" });
        let read =
            |value: &serde_json::Value| -> Activation { serde_json::from_value(value.clone()).unwrap() };
        assert_eq!(read(&known).reason, ActivationCause::WentBack);
        assert!(read(&known).verdict.is_open());
        assert_eq!(read(&foreign).reason, ActivationCause::Unknown("mirrored".to_owned()));
        assert!(!read(&foreign).reason.is_forward());
        for value in [known, foreign] {
            assert_eq!(serde_json::to_value(read(&value)).unwrap(), value);
        }
    }
}
