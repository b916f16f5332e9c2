//! What a journey says of a request beside what a client of live proxies was answered.

use std::collections::BTreeMap;

use mesh_decision::host;
use mesh_decision::journey::{Ask, Journey};
use serde_json::Value;

/// What a client was answered.
#[derive(Debug, Clone)]
pub struct Live {
    /// The status; none where the connection was closed.
    pub status: Option<u16>,
    /// The `location` of a redirect.
    pub location: Option<String>,
    /// The body: what a toy service saw, or words of the mesh.
    pub body: String,
}

/// Fields that each hop writes for itself.
const FRAMING: [&str; 3] = ["connection", "host", "transfer-encoding"];

/// Compares status, and of a request that reached a toy service all that it saw: service, version, method, target, host, and
/// the header lines that were asked with or that rules added.
///
/// # Errors
/// The difference, in words.
pub fn same(journey: &Journey, ask: &Ask, live: &Live) -> Result<(), String> {
    let seen: Option<Value> = serde_json::from_str(&live.body).ok();
    let seen = seen.filter(|s| s.get("service").is_some() && s.get("headers").is_some());
    let Some(status) = live.status else {
        return if journey.is_closed() { Ok(()) } else { Err("closed live".to_owned()) };
    };
    if journey.is_closed() {
        return Err(format!("closed in the core, {status} live"));
    }
    if journey.status.is_some() || seen.is_none() {
        return match (journey.status, seen) {
            (Some(_), Some(_)) => Err("the core answers, live the service did".to_owned()),
            (Some(core), None) if core == status => location(journey, live),
            (core, _) => Err(format!("status {core:?} in the core, {status} live")),
        };
    }
    seen.map_or(Ok(()), |seen| arrived(journey, ask, &seen))
}

fn location(journey: &Journey, live: &Live) -> Result<(), String> {
    if journey.location == live.location {
        return Ok(());
    }
    Err(format!("location {:?} in the core, {:?} live", journey.location, live.location))
}

/// What a service saw.
fn arrived(journey: &Journey, ask: &Ask, seen: &Value) -> Result<(), String> {
    let text = |name: &str| seen.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let query = ask.target.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    let target = format!("{}{query}", journey.path.clone().unwrap_or_default());
    let host_seen = text("host");
    for (what, core, live) in [
        ("service", journey.service.clone().unwrap_or_default(), text("service")),
        ("version", journey.version.clone().unwrap_or_default(), text("version")),
        ("method", ask.method.clone(), text("method")),
        ("target", target, text("target")),
        (
            "host",
            journey.host.clone().unwrap_or_default(),
            host::canonical(&host_seen).unwrap_or_default().into_owned(),
        ),
    ] {
        if core != live {
            return Err(format!("{what}: `{core}` in the core, `{live}` live"));
        }
    }
    let mut core: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &journey.headers {
        core.entry(name).or_default().push(String::from_utf8_lossy(value).into_owned());
    }
    let names = ask.headers.iter().map(|(name, _)| name.as_str()).chain(core.keys().copied());
    for name in names.filter(|name| !FRAMING.contains(name)) {
        let live: Vec<String> = seen
            .pointer(&format!("/headers/{name}"))
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect())
            .unwrap_or_default();
        let core = core.get(name).cloned().unwrap_or_default();
        if core != live {
            return Err(format!("header {name}: {core:?} in the core, {live:?} live"));
        }
    }
    Ok(())
}
