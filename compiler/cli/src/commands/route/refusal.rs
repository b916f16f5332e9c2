//! What keeps a request out, in words: who denies it and where that is written, or what is not there.

use mesh_bundle::unit::UnitId;
use mesh_bundle::{Name, Owner, Program};
use mesh_compiler::diag::nearest;
use mesh_decision::Reason;
use mesh_decision::host;
use mesh_decision::journey::{Ask, Journey};

use crate::places::Places;
use crate::text::clean;

/// What keeps a request out.
pub(super) struct Refusal {
    /// In words, where the answer's own word is not enough.
    pub(super) why: Option<String>,
    /// The access policy that keeps it out, as `access/orders`.
    pub(super) policy: Option<String>,
    /// `file:line` of the policy.
    pub(super) place: Option<String>,
}

impl Refusal {
    /// The refusal of a journey that some mesh answers itself.
    pub(super) fn of(journey: &Journey, ask: &Ask, program: &Program, places: &Places<'_>) -> Self {
        let is = |reason: Reason| journey.reason.as_deref() == Some(reason.word());
        let by = journey.access_owner.as_ref().filter(|owner| program.access.contains_key(*owner));
        let policy = by.map(|owner| format!("access/{owner}"));
        let place = by.and_then(|owner| places.of(&UnitId::Access(owner.clone()), ""));
        let caller = || caller(journey, ask);
        let why = match &policy {
            Some(policy) if is(Reason::NotAllowed) => {
                Some(format!("no entry of {policy} allows this request of {}", caller()))
            }
            Some(policy) if is(Reason::NotVisible) => {
                Some(format!("no entry of {policy} allows {} anything", caller()))
            }
            _ if is(Reason::Denied) => journey.access_entry.as_ref().map(|entry| format!("by {entry}")),
            _ if is(Reason::WrongServerName) => {
                Some("other Routes claim the server name of the connection, or nobody does".to_owned())
            }
            _ if is(Reason::NotVisible) => named(ask).map(|host| no_service(&host, program)),
            _ if is(Reason::NoHost) => named(ask).map(|host| no_host(&host, program)),
            _ => journey.detail.clone(),
        };
        Self { why, policy, place }
    }
}

/// Who calls, as access rules see it.
fn caller(journey: &Journey, ask: &Ask) -> String {
    match (&ask.caller, &journey.gateway, &journey.access_owner) {
        // A gateway's own door sees a stranger.
        (_, Some(_), Some(Owner::Gateway(_))) => "a stranger".to_owned(),
        (_, Some(gateway), _) => format!("gateway/{gateway}"),
        (Some(caller), None, _) => caller.to_string(),
        (None, None, _) => "a stranger".to_owned(),
    }
}

/// The host that a request names, in canonical form.
fn named(ask: &Ask) -> Option<String> {
    let line = ask.headers.iter().find(|(name, _)| name == "host");
    let authority = line.and_then(|(_, value)| std::str::from_utf8(value).ok()).unwrap_or(&ask.authority);
    host::canonical(authority).ok().map(std::borrow::Cow::into_owned)
}

/// A caller of the mesh asks for a host that no service has.
fn no_service(host: &str, program: &Program) -> String {
    let environment = program.mesh.environment.as_str();
    let Some(service) = host::service_in(host, environment) else {
        return format!(
            "`{}` is no service: inside the mesh a host is `NAME` or `NAME.{environment}`",
            clean(host)
        );
    };
    let known = nearest(service, program.services.keys().map(Name::as_str));
    let guess = known.map(|near| format!("; did you mean `{near}`?"));
    format!("there is no service `{}`{}", clean(service), guess.unwrap_or_default())
}

/// A stranger asks for a host that no gateway has.
fn no_host(host: &str, program: &Program) -> String {
    let name = clean(host);
    let service = host::service_in(host, program.mesh.environment.as_str());
    if service.is_some_and(|service| program.services.contains_key(service)) {
        return format!("`{name}` is a service and no gateway's host: say who calls it with `--as`");
    }
    let hosts = program.gateways.values().flat_map(|gateway| &gateway.hosts);
    let near = nearest(host, hosts.map(String::as_str));
    let guess = near.map(|near| format!("; did you mean `{near}`?"));
    format!("no gateway has the host `{name}`{}", guess.unwrap_or_default())
}
