//! The model of one environment: its objects, overrides applied, names resolvable.

mod denials;
mod overrides;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use mesh_bundle::Name as Key;

use crate::diag::{Diagnostic, Sources, codes, nearest, quoted, restyled};
use crate::spec::{
    AccessPolicy, Address, Canary, Environment, Identity, Kind, Loaded, Mesh, Name, Object, Policy, Quota,
    Resilience, Route, Service, Sp, Spec, Telemetry, Test, Unread,
};

/// The objects of one environment.
#[derive(Debug)]
pub struct Model<'l> {
    /// The environment's name; `default` where the spec has none.
    pub environment: Key,
    /// The environment, where the spec has one.
    pub settings: Option<&'l Environment>,
    /// The Mesh object of the repository.
    pub mesh: Cow<'l, Object>,
    objects: BTreeMap<Address, Cow<'l, Object>>,
    generated: BTreeSet<Address>,
    canaries_of: BTreeMap<String, Address>,
    routed: BTreeSet<String>,
    broken: &'l BTreeSet<Address>,
    unread: &'l Unread,
    sources: &'l Sources,
}

/// The environment of a mesh that names none.
pub const DEFAULT_ENVIRONMENT: &str = "default";

impl<'l> Model<'l> {
    /// Builds the model of `environment` (`None` for a mesh without environments). Without exactly one usable Mesh there
    /// is none.
    pub fn new(
        loaded: &'l Loaded,
        environment: Option<&'l Object>,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        Self::of(loaded, environment, Some(findings))
    }

    /// The model of `environment` as it would be without its overrides.
    #[must_use]
    pub fn without_overrides(loaded: &'l Loaded, environment: Option<&'l Object>) -> Option<Self> {
        Self::of(loaded, environment, None)
    }

    /// With its overrides applied, if there is something that their findings go to.
    fn of(
        loaded: &'l Loaded,
        environment: Option<&'l Object>,
        findings: Option<&mut Vec<Diagnostic>>,
    ) -> Option<Self> {
        let settings = environment.and_then(|object| match &object.spec {
            Spec::Environment(spec) => Some(spec.as_ref()),
            _ => None,
        });
        let mut objects = BTreeMap::new();
        let mut generated = BTreeSet::new();
        for (id, object) in &loaded.objects {
            if loaded.document(*id).is_some_and(|document| document.generated) {
                generated.insert(object.address.clone());
            }
            objects.insert(object.address.clone(), Cow::Borrowed(object));
        }
        if let (Some(settings), Some(findings)) = (settings, findings) {
            overrides::apply(loaded, settings, &mut objects, findings);
        }
        let mut canaries_of = BTreeMap::new();
        let mut routed = BTreeSet::new();
        for (address, object) in &objects {
            match &object.spec {
                Spec::Canary(canary) => {
                    canaries_of.insert(canary.service.as_str().to_owned(), address.clone());
                }
                Spec::Route(route) => routed.extend(route.service.as_ref().map(|s| s.as_str().to_owned())),
                _ => {}
            }
        }
        let mesh = objects.values().find(|object| object.address.kind == Kind::Mesh)?.clone();
        let name = environment.map_or(DEFAULT_ENVIRONMENT, |object| object.address.name.as_str());
        Some(Self {
            environment: Key::new(name).ok()?,
            settings,
            mesh,
            objects,
            generated,
            canaries_of,
            routed,
            broken: &loaded.broken,
            unread: &loaded.unread,
            sources: &loaded.sources,
        })
    }

    /// The files that the objects were read from.
    #[must_use]
    pub fn sources(&self) -> &'l Sources {
        self.sources
    }

    /// The mesh's own words.
    #[must_use]
    pub fn mesh_spec(&self) -> Option<&Mesh> {
        match &self.mesh.spec {
            Spec::Mesh(mesh) => Some(mesh),
            _ => None,
        }
    }

    /// True for an object from a file that says `generated: true`.
    #[must_use]
    pub fn is_generated(&self, object: &Object) -> bool {
        self.generated.contains(&object.address)
    }

    /// All objects of a kind, by name.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        // Addresses sort by kind; `0` is the least name.
        let first = <Name as crate::spec::Scalar>::parse("0").map(|name| Address { kind, name });
        let from = first.map_or(Bound::Unbounded, Bound::Included);
        let rest = self.objects.range((from, Bound::Unbounded)).map(|(_, object)| object.as_ref());
        rest.take_while(move |object| object.address.kind == kind)
    }

    /// The object of this kind and name.
    #[must_use]
    pub fn get(&self, kind: Kind, name: &str) -> Option<&Object> {
        let name = <Name as crate::spec::Scalar>::parse(name)?;
        self.objects.get(&Address { kind, name }).map(AsRef::as_ref)
    }

    /// True if there is an object of this address, readable or not; also where it may be in what could not be read.
    #[must_use]
    pub fn exists(&self, address: &Address) -> bool {
        self.objects.contains_key(address)
            || self.broken.contains(address)
            || self.unread.may_have(address.name.as_str())
            || self.is_only_environment(address)
    }

    /// A mesh without Environments has one all the same.
    fn is_only_environment(&self, address: &Address) -> bool {
        address.kind == Kind::Environment
            && self.settings.is_none()
            && address.name.as_str() == DEFAULT_ENVIRONMENT
    }

    /// True if there may be objects of a kind that could not be read: nothing is to be judged by the absence of one.
    #[must_use]
    pub fn has_broken(&self, kind: Kind) -> bool {
        self.broken.iter().any(|address| address.kind == kind && !self.objects.contains_key(address))
            || self.unread.may_have(kind.as_str())
    }

    /// True if all of the environment's discovery could be read.
    #[must_use]
    pub fn discovery_is_complete(&self) -> bool {
        self.settings.and_then(|settings| settings.discovery.as_ref()).is_none_or(|found| found.complete)
    }

    /// True if there is a document of this address that could not be read, or may be one.
    #[must_use]
    pub fn is_broken(&self, address: &Address) -> bool {
        let hidden = self.broken.contains(address) || self.unread.may_have(address.name.as_str());
        hidden && !self.objects.contains_key(address)
    }

    /// A service by name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        match &self.get(Kind::Service, name)?.spec {
            Spec::Service(service) => Some(service),
            _ => None,
        }
    }

    /// The Canary of a service.
    #[must_use]
    pub fn canary(&self, service: &str) -> Option<&Canary> {
        let address = self.canaries_of.get(service)?;
        match &self.objects.get(address)?.spec {
            Spec::Canary(canary) => Some(canary),
            _ => None,
        }
    }

    /// True if a service has a Route of its own.
    #[must_use]
    pub fn has_route(&self, service: &str) -> bool {
        self.routed.contains(service)
    }

    /// Reports a name that refers to no object of `kind`, with the nearest one that exists.
    pub fn resolve(&self, kind: Kind, name: &Sp<Name>, findings: &mut Vec<Diagnostic>) -> bool {
        let address = Address { kind, name: name.value.clone() };
        if self.exists(&address) {
            return true;
        }
        let word = kind.as_str().to_lowercase();
        let names: Vec<&str> = self.of_kind(kind).map(|object| object.address.name.as_str()).collect();
        let known = nearest(name.as_str(), names.iter().copied());
        let finding = self.unknown(name, &word, kind, known);
        findings.push(self.restyled(finding, name, &names));
        false
    }

    /// Reports a gateway that the mesh does not have.
    pub fn resolve_gateway(&self, name: &Sp<Name>, findings: &mut Vec<Diagnostic>) -> bool {
        let Some(mesh) = self.mesh_spec() else { return true };
        let broken = !self.mesh.complete || self.unread.may_have(name.as_str());
        if mesh.gateways.get(name.as_str()).is_some() || broken {
            return true;
        }
        let message = format!("the mesh has no gateway {}", quoted(name.as_str()));
        let finding = Diagnostic::new(codes::UNKNOWN_NAME, name.span, message).at("no such gateway");
        let names: Vec<&str> = mesh.gateways.iter().map(|(known, _)| known.as_str()).collect();
        let finding = match nearest(name.as_str(), names.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None if self.get(Kind::Service, name.as_str()).is_some() => {
                finding.help(format!("`{0}` is a service: write `{0}`", name.as_str()))
            }
            None => finding.help("gateways stand in `gateways` of the Mesh"),
        };
        findings.push(self.restyled(finding, name, &names));
        false
    }

    /// Adds a repair of a name where it is a mere slip of case or punctuation, of one name alone: who may call, whom a rule
    /// reaches and which environment is meant is never guessed. There is none while something could not be read: the name may
    /// stand there.
    #[must_use]
    pub fn restyled(&self, finding: Diagnostic, name: &Sp<Name>, known: &[&str]) -> Diagnostic {
        let meant = restyled(name.as_str(), known.iter().copied()).filter(|_| self.unread.is_empty());
        let written = self.sources.slice(name.span);
        match meant {
            Some(meant) if written.matches(name.as_str()).count() == 1 => {
                finding.fix(name.span, written.replace(name.as_str(), meant))
            }
            _ => finding,
        }
    }

    /// What a name is that was looked for among others.
    fn is_elsewhere(&self, name: &str, kind: Kind) -> Option<String> {
        let gateway = self.mesh_spec().is_some_and(|mesh| mesh.gateways.get(name).is_some());
        if kind == Kind::Service && gateway {
            return Some(format!("`{name}` is a gateway: as a caller it is written `gateway/{name}`"));
        }
        let other = [Kind::External, Kind::Environment]
            .into_iter()
            .find(|other| *other != kind && self.get(*other, name).is_some())?;
        Some(format!("`{name}` is an {}, and a {} is due here", other.as_str(), kind.as_str()))
    }

    fn unknown(&self, name: &Sp<Name>, word: &str, kind: Kind, near: Option<&str>) -> Diagnostic {
        let mesh = &self.mesh.address.name;
        let message = format!("no {word} is called {}", quoted(name.as_str()));
        let finding = Diagnostic::new(codes::UNKNOWN_NAME, name.span, message)
            .at(format!("no such {word} in mesh `{}`", mesh.as_str()));
        if let Some(help) = self.is_elsewhere(name.as_str(), kind) {
            return finding.help(help);
        }
        match near {
            Some(near) => {
                let place = self.get(kind, near).map(|object| {
                    let position = self.sources.position(object.name_span);
                    format!(" ({}:{})", self.sources.path(object.name_span.file), position.line)
                });
                finding.help(format!("did you mean `{near}`?{}", place.unwrap_or_default()))
            }
            None => match self.some_names(kind) {
                names if names.is_empty() => {
                    finding.help(format!("there is none yet: add `kind: {}`", kind.as_str()))
                }
                names => finding.help(format!("there are {names}")),
            },
        }
    }

    /// The names of a kind, as many as can be read.
    fn some_names(&self, kind: Kind) -> String {
        let mut names: Vec<&str> = self.of_kind(kind).map(|object| object.address.name.as_str()).collect();
        let more = names.len() > MOST_NAMES;
        names.truncate(MOST_NAMES);
        if more { format!("{}, and more", names.join(", ")) } else { names.join(", ") }
    }
}

/// Names that are listed where none is near.
const MOST_NAMES: usize = 12;

/// Typed views of the kinds.
macro_rules! views {
    ($($(#[doc = $doc:literal])* $name:ident: $Kind:ident;)*) => {
        impl Model<'_> {
            $($(#[doc = $doc])*
            pub fn $name(&self) -> impl Iterator<Item = (&Object, &$Kind)> {
                self.of_kind(Kind::$Kind).filter_map(|object| match &object.spec {
                    Spec::$Kind(spec) => Some((object, spec.as_ref())),
                    _ => None,
                })
            })*
        }
    };
}

views! {
    /// Services by name.
    services: Service;
    /// Routes by name.
    routes: Route;
    /// Canaries by name.
    canaries: Canary;
    /// Access policies by name.
    policies_of_access: AccessPolicy;
    /// Quotas by name.
    quotas: Quota;
    /// Resilience by name.
    resiliences: Resilience;
    /// Identities by name.
    identities: Identity;
    /// Telemetry by name.
    telemetries: Telemetry;
    /// Organisation policies by name.
    policies: Policy;
    /// Tests by name.
    tests: Test;
}
