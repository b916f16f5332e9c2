//! The gateway that a stranger's request enters by.

use std::cmp::Reverse;

use mesh_bundle::program::Gateway;
use mesh_bundle::{Name, Program};

use super::ask::Ask;
use super::note::Note;
use crate::host;

/// The gateway that takes a request, and what is to be said about the choice.
pub(super) struct Entrance<'p> {
    pub(super) gateway: &'p Name,
    pub(super) notes: Vec<Note>,
}

/// A gateway that has the host, with the host as it is written there.
#[derive(Clone, Copy)]
struct Candidate<'p> {
    name: &'p Name,
    gateway: &'p Gateway,
    host: &'p str,
}

/// Chooses among the gateways that have the host that is connected to; where none has, among those that have the
/// host that the request names. A port that the request names decides, if a gateway listens on it, because a
/// port may be mapped; then whether the gateway speaks TLS, then the scheme's own port, then an exact host before the
/// longest wildcard.
pub(super) fn entrance<'p>(program: &'p Program, ask: &Ask) -> Option<Entrance<'p>> {
    let having = |authority: &str| host::canonical(authority).ok().and_then(|host| covering(program, &host));
    let line = ask.headers.iter().find(|(name, _)| name == "host");
    let named = line.and_then(|(_, value)| std::str::from_utf8(value).ok());
    let mut left = having(&ask.authority).or_else(|| having(named?))?;
    let port = port(&ask.authority);
    let tls = ask.scheme == "https";
    let default = if tls { 443 } else { 80 };
    let mapped = !prefer(&mut left, |one| port.is_none_or(|port| one.gateway.listen == port));
    prefer(&mut left, |one| one.gateway.certificate.is_some() == tls);
    prefer(&mut left, |one| port.is_some() || one.gateway.listen == default);
    let rank = |one: &Candidate<'_>| (one.host.starts_with('*'), Reverse(one.host.len()));
    let best = left.iter().map(rank).min()?;
    left.retain(|one| rank(one) == best);
    let (first, others) = left.split_first()?;
    let gateway = first.name;
    let mut notes = Vec::new();
    if !others.is_empty() {
        let others = others.iter().map(|one| one.name.to_string()).collect();
        notes.push(Note::SeveralGateways { asked: gateway.to_string(), others });
    }
    if let Some(port) = port.filter(|_| mapped) {
        notes.push(Note::OtherPort { port, gateway: gateway.to_string(), listen: first.gateway.listen });
    }
    Some(Entrance { gateway, notes })
}

/// The gateways that have a canonical host, by name, each with the host that covers it best; `None` for none.
fn covering<'p>(program: &'p Program, canonical: &str) -> Option<Vec<Candidate<'p>>> {
    let best = |gateway: &'p Gateway| {
        let hosts = gateway.hosts.iter().filter(|pattern| host::covers(pattern, canonical));
        hosts.min_by_key(|pattern| (pattern.starts_with('*'), Reverse(pattern.len())))
    };
    let all = program.gateways.iter();
    let all: Vec<Candidate<'p>> =
        all.filter_map(|(name, gateway)| Some(Candidate { name, gateway, host: best(gateway)? })).collect();
    (!all.is_empty()).then_some(all)
}

/// Keeps those that are wanted, if there are any; false if there are none.
fn prefer<T>(list: &mut Vec<T>, wanted: impl Fn(&T) -> bool) -> bool {
    let some = list.iter().any(&wanted);
    if some {
        list.retain(wanted);
    }
    some
}

/// The port that an authority names.
fn port(authority: &str) -> Option<u16> {
    let after = match authority.rsplit_once(']') {
        Some((_, after)) => after,
        None => authority,
    };
    after.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use mesh_bundle::program::Mesh;

    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// Gateways by name: port, certificate, hosts.
    fn program(gateways: &[(&str, u16, bool, &[&str])]) -> Program {
        let mut program = Program::new(Mesh::new(name("shop"), name("prod"), "shop.example"));
        for (known, listen, tls, hosts) in gateways {
            let gateway = Gateway {
                listen: *listen,
                hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
                certificate: tls.then(|| "tls/shop".to_owned()),
            };
            program.gateways.insert(name(known), gateway);
        }
        program
    }

    fn asked(program: &Program, url: &str, named: &str) -> Option<(String, usize)> {
        let (scheme, authority) = url.split_once("://").unwrap();
        let headers = vec![("host".to_owned(), named.as_bytes().to_vec())];
        let ask = Ask { scheme: scheme.into(), authority: authority.into(), headers, ..Ask::default() };
        entrance(program, &ask).map(|e| (e.gateway.to_string(), e.notes.len()))
    }

    #[test]
    fn scheme_and_port_tell_gateways_of_one_host_apart() {
        let two = program(&[("plain", 80, false, &["a.test"]), ("secure", 443, true, &["a.test"])]);
        let is = |url: &str, gateway: &str, notes: usize| {
            assert_eq!(asked(&two, url, "a.test"), Some((gateway.to_owned(), notes)), "{url}");
        };
        is("http://a.test", "plain", 0);
        is("https://a.test", "secure", 0);
        is("https://a.test:443", "secure", 0);
        is("https://a.test:8443", "secure", 1);
        is("http://A.test:80", "plain", 0);
        // A port that is a gateway's is meant, whatever the scheme.
        is("http://a.test:443", "secure", 0);
        assert_eq!(asked(&two, "http://b.test", "b.test"), None);
        // The connection goes where the URL says; a `host` line decides only where that is nowhere.
        is("http://10.0.0.1", "plain", 0);
    }

    #[test]
    fn without_certificates_the_ports_tell() {
        let two = program(&[("one", 443, false, &["a.test"]), ("two", 80, false, &["a.test"])]);
        assert_eq!(asked(&two, "http://a.test", "a.test"), Some(("two".to_owned(), 0)));
        assert_eq!(asked(&two, "https://a.test", "a.test"), Some(("one".to_owned(), 0)));
    }

    #[test]
    fn an_exact_host_wins_and_a_tie_is_said() {
        let hosts: [&[&str]; 3] = [&["*.test"], &["a.test"], &["a.test", "*.test"]];
        let three = program(&[("x", 8080, false, hosts[0]), ("y", 8081, false, hosts[1])]);
        assert_eq!(asked(&three, "http://a.test", "a.test"), Some(("y".to_owned(), 0)));
        assert_eq!(asked(&three, "http://b.test", "b.test"), Some(("x".to_owned(), 0)));
        let tie = program(&[("y", 8081, false, hosts[1]), ("z", 8082, false, hosts[2])]);
        assert_eq!(asked(&tie, "http://a.test", "a.test"), Some(("y".to_owned(), 1)));
        assert_eq!(asked(&tie, "http://a.test:8082", "a.test"), Some(("z".to_owned(), 0)));
    }
}
