//! Remarks on a journey: what was taken to be so because nobody said, and what the asker may not have meant.

use std::fmt;

use mesh_bundle::expr::Slot;
use serde::{Serialize, Serializer};

use crate::explain::Step;

/// A remark on a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A rule or an access entry decided by a fact that nobody gave.
    Assumed {
        /// Address of the rule or entry.
        rule: String,
        /// The fact.
        fact: Fact,
        /// The value that it was taken to have.
        taken: String,
    },
    /// The shares of a rule stick to the client's address, which nobody gave.
    SticksToAddress {
        /// The value that it was taken to have.
        taken: String,
    },
    /// Several gateways have the host, and neither scheme nor port tells them apart.
    SeveralGateways {
        /// The gateway that was asked.
        asked: String,
        /// The others.
        others: Vec<String>,
    },
    /// The port that the request names is no gateway's.
    OtherPort {
        /// The port.
        port: u16,
        /// The gateway that was asked.
        gateway: String,
        /// The port that it listens on.
        listen: u16,
    },
    /// The gateway takes clear text alone, so TLS ends before it and it sees `http`.
    TlsEndsBefore {
        /// The gateway.
        gateway: String,
    },
    /// An application talks to its own proxy in clear, so that proxy sees `http`.
    ClearToOwnProxy,
    /// A server name was given, and there is no handshake to send it in.
    NoHandshake,
}

/// A fact about a request that its first proxy, or the callee's, knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The size of the body.
    Size,
    /// The client's address, as the gateway sees it; that of a calling service, as the callee sees it.
    ClientAddress,
    /// The gateway's address, as the callee sees it.
    GatewayAddress,
    /// The TLS version of a stranger's connection.
    TlsVersion,
    /// The time.
    Now,
}

impl Fact {
    /// The slot of an expression that reads it.
    fn slot(self) -> Slot {
        match self {
            Self::Size => Slot::Size,
            Self::ClientAddress | Self::GatewayAddress => Slot::Ip,
            Self::TlsVersion => Slot::TlsVersion,
            Self::Now => Slot::Now,
        }
    }

    /// The fact as CEL writes it.
    fn place(self) -> &'static str {
        match self {
            Self::Size => "request.size",
            Self::ClientAddress | Self::GatewayAddress => "source.ip",
            Self::TlsVersion => "connection.tlsVersion",
            Self::Now => "now",
        }
    }
}

/// Of these facts, which nobody gave, those by which the steps of a door or of a rule list decided.
pub fn assumptions(steps: &[Step], facts: &[Fact]) -> impl Iterator<Item = Note> {
    steps.iter().flat_map(move |step| {
        let seen = step.because.iter().flat_map(|because| &because.seen);
        seen.filter_map(move |seen| {
            let fact = facts.iter().find(|fact| fact.slot() == seen.slot)?;
            Some(Note::Assumed { rule: step.rule.clone(), fact: *fact, taken: seen.value.clone() })
        })
    })
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assumed { rule, fact, taken } => {
                let what = if rule.starts_with("access/") { "entry" } else { "rule" };
                let whose = match fact {
                    Fact::GatewayAddress => " (here the gateway's address)",
                    _ => "",
                };
                let place = fact.place();
                write!(f, "{what} `{rule}` reads `{place}`{whose}, which was not given: taken as `{taken}`")
            }
            Self::SticksToAddress { taken } => {
                write!(f, "the shares stick to the client's address, which was not given: taken as `{taken}`")
            }
            Self::SeveralGateways { asked, others } => {
                let others = others.join("`, `");
                write!(
                    f,
                    "several gateways have this host, and neither scheme nor port tells them apart: asked `{asked}`, not \
                     `{others}`"
                )
            }
            Self::OtherPort { port, gateway, listen } => {
                write!(f, "no gateway of this host listens on port {port}: asked `{gateway}` (port {listen})")
            }
            Self::TlsEndsBefore { gateway } => write!(
                f,
                "gateway `{gateway}` takes clear text alone: TLS must end before it, and it sees the scheme `http`"
            ),
            Self::ClearToOwnProxy => {
                f.write_str("an application talks to its own proxy in clear, which sees the scheme `http`")
            }
            Self::NoHandshake => {
                f.write_str("the server name plays no part: the request reaches its first proxy in clear")
            }
        }
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
