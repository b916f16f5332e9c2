//! Addresses and networks, as in the library of Kubernetes and the network extension of other implementations.
//! Addresses with a zone and IPv4 addresses inside of IPv6 ones are refused: two texts would mean one host.

use std::net::IpAddr;

use super::{Fault, Function, Value, no_overload};
use crate::diag::quoted;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "ip",
        signatures: &["ip(string) -> ip", "cidr.ip() -> ip"],
        doc: "An IPv4 or IPv6 address, from a text or as a network was written with it. An error for other texts, zones and IPv4-mapped addresses.",
        call: |arguments| match arguments {
            [Value::String(text)] => parse_ip(text).map(Value::Ip),
            [Value::Cidr(ip, _)] => Ok(Value::Ip(*ip)),
            _ => Err(no_overload("ip", arguments)),
        },
    },
    Function {
        name: "isIP",
        signatures: &["isIP(string) -> bool"],
        doc: "True if `ip` takes the text.",
        call: |arguments| match arguments {
            [Value::String(text)] => Ok(Value::Bool(parse_ip(text).is_ok())),
            _ => Err(no_overload("isIP", arguments)),
        },
    },
    Function {
        name: "ip.isCanonical",
        signatures: &["ip.isCanonical(string) -> bool"],
        doc: "True if an address is written as `string` would write it (RFC 5952). An error for what is not an address.",
        call: |arguments| match arguments {
            [Value::String(text)] => Ok(Value::Bool(parse_ip(text)?.to_string() == **text)),
            _ => Err(no_overload("ip.isCanonical", arguments)),
        },
    },
    Function {
        name: "family",
        signatures: &["ip.family() -> int"],
        doc: "4 or 6.",
        call: |arguments| match arguments {
            [Value::Ip(ip)] => Ok(Value::Int(if ip.is_ipv4() { 4 } else { 6 })),
            _ => Err(no_overload("family", arguments)),
        },
    },
    Function {
        name: "isUnspecified",
        signatures: &["ip.isUnspecified() -> bool"],
        doc: "True for `0.0.0.0` and `::`.",
        call: |arguments| test("isUnspecified", arguments, |ip| ip.is_unspecified()),
    },
    Function {
        name: "isLoopback",
        signatures: &["ip.isLoopback() -> bool"],
        doc: "True for `127.0.0.0/8` and `::1`.",
        call: |arguments| test("isLoopback", arguments, |ip| ip.is_loopback()),
    },
    Function {
        name: "isGlobalUnicast",
        signatures: &["ip.isGlobalUnicast() -> bool"],
        doc: "True unless the address is unspecified, of the loopback, link-local, multicast or IPv4 broadcast; so also for private addresses.",
        call: |arguments| test("isGlobalUnicast", arguments, is_global_unicast),
    },
    Function {
        name: "isLinkLocalMulticast",
        signatures: &["ip.isLinkLocalMulticast() -> bool"],
        doc: "True for `224.0.0.0/24` and `ff02::/16`, with any flags.",
        call: |arguments| test("isLinkLocalMulticast", arguments, is_link_local_multicast),
    },
    Function {
        name: "isLinkLocalUnicast",
        signatures: &["ip.isLinkLocalUnicast() -> bool"],
        doc: "True for `169.254.0.0/16` and `fe80::/10`.",
        call: |arguments| test("isLinkLocalUnicast", arguments, is_link_local_unicast),
    },
    Function {
        name: "cidr",
        signatures: &["cidr(string) -> cidr"],
        doc: "A network such as `10.0.0.0/8`. An error for other texts, zones and IPv4-mapped addresses.",
        call: |arguments| match arguments {
            [Value::String(text)] => parse_cidr(text).map(|(ip, length)| Value::Cidr(ip, length)),
            _ => Err(no_overload("cidr", arguments)),
        },
    },
    Function {
        name: "isCIDR",
        signatures: &["isCIDR(string) -> bool"],
        doc: "True if `cidr` takes the text.",
        call: |arguments| match arguments {
            [Value::String(text)] => Ok(Value::Bool(parse_cidr(text).is_ok())),
            _ => Err(no_overload("isCIDR", arguments)),
        },
    },
    Function {
        name: "containsIP",
        signatures: &["cidr.containsIP(ip) -> bool", "cidr.containsIP(string) -> bool"],
        doc: "True if an address is in the network. An error for a text that is not an address.",
        call: |arguments| match arguments {
            [Value::Cidr(network, length), Value::Ip(ip)] => {
                Ok(Value::Bool(contains(*network, *length, *ip)))
            }
            [Value::Cidr(network, length), Value::String(text)] => {
                Ok(Value::Bool(contains(*network, *length, parse_ip(text)?)))
            }
            _ => Err(no_overload("containsIP", arguments)),
        },
    },
    Function {
        name: "containsCIDR",
        signatures: &["cidr.containsCIDR(cidr) -> bool", "cidr.containsCIDR(string) -> bool"],
        doc: "True if every address of the other network is in this one. An error for a text that is not a network.",
        call: |arguments| {
            let (network, length, (other, longer)) = match arguments {
                [Value::Cidr(network, length), Value::Cidr(other, longer)] => {
                    (*network, *length, (*other, *longer))
                }
                [Value::Cidr(network, length), Value::String(text)] => (*network, *length, parse_cidr(text)?),
                _ => return Err(no_overload("containsCIDR", arguments)),
            };
            Ok(Value::Bool(length <= longer && contains(network, length, other)))
        },
    },
    Function {
        name: "masked",
        signatures: &["cidr.masked() -> cidr"],
        doc: "The network with the bits behind its prefix set to zero.",
        call: |arguments| match arguments {
            [Value::Cidr(ip, length)] => Ok(Value::Cidr(mask(*ip, *length), *length)),
            _ => Err(no_overload("masked", arguments)),
        },
    },
    Function {
        name: "prefixLength",
        signatures: &["cidr.prefixLength() -> int"],
        doc: "The number of bits of the prefix.",
        call: |arguments| match arguments {
            [Value::Cidr(_, length)] => Ok(Value::Int(i64::from(*length))),
            _ => Err(no_overload("prefixLength", arguments)),
        },
    },
];

fn test(name: &str, arguments: &[Value], holds: fn(IpAddr) -> bool) -> Result<Value, Fault> {
    match arguments {
        [Value::Ip(ip)] => Ok(Value::Bool(holds(*ip))),
        _ => Err(no_overload(name, arguments)),
    }
}

fn parse_ip(text: &str) -> Result<IpAddr, Fault> {
    match text.parse() {
        Ok(ip) => not_mapped(ip, text),
        Err(_) => Err(Fault::Invalid(format!("{} is not an IP address without a zone", quoted(text)))),
    }
}

fn not_mapped(ip: IpAddr, text: &str) -> Result<IpAddr, Fault> {
    match ip {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => {
            Err(Fault::Invalid(format!("{} is an IPv4 address inside of an IPv6 address", quoted(text))))
        }
        ip => Ok(ip),
    }
}

fn parse_cidr(text: &str) -> Result<(IpAddr, u8), Fault> {
    let wrong = || Fault::Invalid(format!("{} is not a network like `10.0.0.0/8`", quoted(text)));
    let (address, length) = text.rsplit_once('/').ok_or_else(wrong)?;
    let ip = not_mapped(address.parse().map_err(|_| wrong())?, text)?;
    let digits = length.bytes().all(|b| b.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
    match length.parse() {
        Ok(length) if digits && length <= bits(ip) => Ok((ip, length)),
        _ => Err(wrong()),
    }
}

/// A network as text.
pub(super) fn cidr_text(ip: IpAddr, length: u8) -> String {
    format!("{ip}/{length}")
}

fn bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn mask(ip: IpAddr, length: u8) -> IpAddr {
    let behind = u32::from(bits(ip).saturating_sub(length));
    match ip {
        IpAddr::V4(ip) => IpAddr::V4((ip.to_bits() & u32::MAX.checked_shl(behind).unwrap_or(0)).into()),
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & u128::MAX.checked_shl(behind).unwrap_or(0)).into()),
    }
}

fn contains(network: IpAddr, length: u8, ip: IpAddr) -> bool {
    network.is_ipv4() == ip.is_ipv4() && mask(network, length) == mask(ip, length)
}

fn is_global_unicast(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    let special = ip.is_unspecified() || ip.is_loopback() || ip.is_multicast();
    !(broadcast || special || is_link_local_unicast(ip))
}

fn is_link_local_multicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => matches!(ip.octets(), [224, 0, 0, _]),
        // The fourth digit is the scope (RFC 4291 section 2.7).
        IpAddr::V6(ip) => matches!(ip.octets(), [0xff, flags, ..] if flags & 0x0f == 2),
    }
}

fn is_link_local_unicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}
