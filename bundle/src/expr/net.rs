//! IP addresses and networks, by the rules of the IP and CIDR libraries of Kubernetes' CEL.

use std::fmt;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

/// Reads an address as CEL's `ip()` does: IPv4 in dotted decimal without leading zeros, or
/// IPv6 (RFC 4291) without zone and not an IPv4 address in disguise (`::ffff:1.2.3.4`), so
/// that no address has two spellings that differ. Source: the IP library of Kubernetes' CEL.
#[must_use]
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse().ok().filter(|ip| is_plain(*ip))
}

/// False for an IPv4 address written as IPv6.
pub(super) fn is_plain(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => true,
        IpAddr::V6(ip) => ip.to_ipv4_mapped().is_none(),
    }
}

/// A network: the addresses that share the first bits of one. Written `10.0.0.0/8`; bits past
/// the prefix are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Net {
    first: IpAddr,
    bits: u8,
}

/// The error of a text that is not a network in CIDR notation; holds the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network such as 10.0.0.0/8")]
pub struct NetError(pub String);

impl Net {
    /// The network of `bits` bits that holds `address`; `None` for more bits than the address
    /// has, or an IPv4 address written as IPv6.
    #[must_use]
    pub fn new(address: IpAddr, bits: u8) -> Option<Self> {
        let first = masked(address, bits)?;
        is_plain(address).then_some(Self { first, bits })
    }

    /// The network's first address.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// The prefix length: the number of leading bits that all addresses of the network share.
    #[must_use]
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// True if the network contains the address. An address of the other family is never contained.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.first, ip) {
            (IpAddr::V4(first), IpAddr::V4(ip)) => {
                let shift = 32_u32.saturating_sub(u32::from(self.bits));
                (first.to_bits() ^ ip.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(ip)) => {
                let shift = 128_u32.saturating_sub(u32::from(self.bits));
                (first.to_bits() ^ ip.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

fn masked(ip: IpAddr, bits: u8) -> Option<IpAddr> {
    Some(match ip {
        IpAddr::V4(ip) => {
            let rest = 32_u32.checked_sub(u32::from(bits))?;
            IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & u32::MAX.checked_shl(rest).unwrap_or(0)))
        }
        IpAddr::V6(ip) => {
            let rest = 128_u32.checked_sub(u32::from(bits))?;
            IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & u128::MAX.checked_shl(rest).unwrap_or(0)))
        }
    })
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl From<Net> for String {
    fn from(net: Net) -> Self {
        net.to_string()
    }
}

/// Parses the strict form, in which every bit behind the prefix is zero.
impl TryFrom<String> for Net {
    type Error = NetError;

    fn try_from(text: String) -> Result<Self, NetError> {
        let net = text.split_once('/').and_then(|(address, bits)| {
            let address: IpAddr = address.parse().ok()?;
            Self::new(address, bits.parse().ok()?).filter(|net| net.first == address)
        });
        net.ok_or(NetError(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Net {
        Net::try_from(text.to_owned()).unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        parse_ip(text).unwrap()
    }

    #[test]
    fn networks_hold_their_addresses() {
        assert!(net("10.0.0.0/8").contains(ip("10.255.1.2")));
        assert!(!net("10.0.0.0/8").contains(ip("11.0.0.0")));
        assert!(net("0.0.0.0/0").contains(ip("255.255.255.255")));
        assert!(!net("0.0.0.0/0").contains(ip("::1")));
        assert!(net("::/0").contains(ip("ff::1")));
        assert!(net("2001:db8::/32").contains(ip("2001:db8:1::")));
        assert!(!net("2001:db8::/32").contains(ip("2001:db9::")));
        assert!(net("1.2.3.4/32").contains(ip("1.2.3.4")) && !net("1.2.3.4/32").contains(ip("1.2.3.5")));
    }

    #[test]
    fn other_spellings_are_refused() {
        for bad in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0", "::ffff:10.0.0.0/104", "fe80::1%eth0/64", "a/8"]
        {
            assert!(Net::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        for bad in ["::ffff:1.2.3.4", "fe80::1%eth0", "01.2.3.4", "1.2.3", "", "1.2.3.4/8"] {
            assert_eq!(parse_ip(bad), None, "{bad}");
        }
        assert_eq!(Net::new(ip("10.1.2.3"), 8), Some(net("10.0.0.0/8")));
    }
}
