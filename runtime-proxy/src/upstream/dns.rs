//! Endpoints from DNS names (`discovery.pattern`), looked up again and again.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mesh_bundle::Program;
use tokio::time::timeout;

use super::directory::Directory;

/// The most addresses of one name that are taken.
const MAX_ADDRESSES: usize = 1_000;
/// How long the names of one version may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Turns `host:port` into addresses; the system's resolver in the running proxy.
pub trait Lookup {
    /// Looks a name up.
    ///
    /// # Errors
    /// What the resolver said.
    fn lookup(&self, name: &str) -> impl Future<Output = io::Result<Vec<SocketAddr>>>;
}

/// The system's resolver.
pub struct SystemResolver;

impl Lookup for SystemResolver {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host(name).await?.take(MAX_ADDRESSES).collect())
    }
}

/// Keeps the directory in step with DNS. The resolver of the system tells no lifetimes, so that each round, called by a
/// ticker, asks for every name; a name that fails keeps its addresses.
#[derive(Default)]
pub struct DnsRefresh {
    failing: BTreeMap<(String, String), String>,
}

impl DnsRefresh {
    /// One round over every version of `program` that has names. Returns the failures that are new since the last one.
    pub async fn round(
        &mut self,
        program: &Program,
        directory: &Directory,
        lookup: &impl Lookup,
    ) -> Vec<String> {
        let mut news = Vec::new();
        let mut failing = BTreeMap::new();
        let all = program.services.iter().flat_map(|(service, unit)| {
            unit.addresses.iter().map(move |(version, names)| (service, version, names))
        });
        // One after another: a name that answers late must not keep others from being asked for long.
        for (service, version, names) in all {
            let key = (service.to_string(), version.to_string());
            let found = match timeout(PATIENCE, resolve(names, lookup)).await {
                Ok(found) => found,
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            match found {
                Ok(addresses) => directory.set(service.as_str(), version.as_str(), &addresses),
                Err(failure) => {
                    if self.failing.get(&key) != Some(&failure) {
                        news.push(format!("{service}@{version}: {failure}"));
                    }
                    failing.insert(key, failure);
                }
            }
        }
        self.failing = failing;
        news
    }
}

async fn resolve(names: &[String], lookup: &impl Lookup) -> Result<Vec<SocketAddr>, String> {
    let mut addresses = Vec::new();
    for name in names {
        match lookup.lookup(name).await {
            Ok(found) if found.is_empty() => return Err(format!("`{name}` has no address")),
            Ok(found) => addresses.extend(found.into_iter().take(MAX_ADDRESSES)),
            Err(error) => return Err(format!("`{name}` cannot be looked up: {error}")),
        }
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_bundle::Name;
    use mesh_bundle::program::{Mesh, Protocol, Service, SlashMode};
    use std::cell::RefCell;

    struct Fake(RefCell<BTreeMap<String, Vec<SocketAddr>>>);

    impl Lookup for Fake {
        async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
            self.0.borrow().get(name).cloned().ok_or_else(|| io::Error::other("no such name"))
        }
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[tokio::test]
    async fn a_name_that_fails_keeps_its_addresses_and_is_reported_once() {
        let mut program = Program::new(Mesh::new(name("shop"), name("prod"), "shop.example"));
        let host = "orders.prod.internal:8080".to_owned();
        program.services.insert(
            name("orders"),
            Service {
                port: 8080,
                app_port: None,
                protocol: Protocol::Http,
                versions: vec![name("v1")],
                labels: BTreeMap::new(),
                escaped_slashes: SlashMode::Reject,
                addresses: [(name("v1"), vec![host.clone()])].into(),
            },
        );
        let address: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        let fake = Fake(RefCell::new([(host.clone(), vec![address])].into()));
        let (directory, mut refresh) = (Directory::new(), DnsRefresh::default());
        assert!(refresh.round(&program, &directory, &fake).await.is_empty());
        fake.0.borrow_mut().clear();
        assert_eq!(refresh.round(&program, &directory, &fake).await.len(), 1);
        assert!(refresh.round(&program, &directory, &fake).await.is_empty());
        assert_eq!(directory.slot("orders", "v1").endpoints()[0].address, address);
    }
}
