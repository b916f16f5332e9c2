//! `Mesh`: one a repository.

use super::shared::{Retry, SecretRef};
use crate::spec::context::Sp;
use crate::spec::decode::{Dict, List1, Rule};
use crate::spec::macros::{choice, object};
use crate::spec::scalars::text;
use crate::spec::scalars::*;
use crate::spec::view::{Inherited, View as _};

object! {
    /// The mesh as a whole; one a repository.
    pub struct Mesh, "a Mesh", kind "Mesh" {
        /// The name of the mesh.
        name "name": Sp<Name>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// The version of the language: 1.
        version "version": Sp<LanguageVersion>,
        /// The trust domain of identities: `spiffe://<trustDomain>/<environment>/<service>`.
        trust_domain "trustDomain": Sp<TrustDomain>,
        /// Whether connections without mutual TLS are taken; `strict` unless said otherwise.
        tls "tls": Option<Sp<TlsMode>> = |_| Sp::unwritten(TlsMode::Strict),
        /// Values of omitted fields of rules.
        defaults "defaults": Option<Defaults> = |_| Defaults { timeout: None, retry: None, complete: true },
        /// Doors from outside, by name.
        gateways "gateways": Dict<Name, Gateway>,
        /// Teams by name, with the files that they own; read without parsing the files.
        teams "teams": Dict<Name, Team>,
        /// Activation of bundles by proxies.
        proxy "proxy": Option<ProxySettings> = |_| ProxySettings { probation: None, max_removed: None, keep: None, complete: true },
        /// Files and folders below the mesh's folder that are not the mesh's: YAML of other programs.
        ignore "ignore": Vec<Sp<Glob>>,
        /// Settings of the tool for this repository.
        tool "tool": Option<Tool>,
    }
}

choice! {
    /// Whether connections without mutual TLS are taken.
    pub enum TlsMode, "a TLS mode" {
        /// Mutual TLS only.
        Strict = "strict",
        /// Plain text too; a plain-text request has no principal.
        Permissive = "permissive",
    }
}

object! {
    /// Values of omitted fields of rules.
    pub struct Defaults, "defaults" {
        /// From request head to last response byte; `0s` is off.
        timeout "timeout": Option<Sp<Duration>> = |_| Sp::unwritten(Duration::from_millis(15_000)),
        /// Whether and how a failed try is repeated.
        retry "retry": Option<Retry> = |_| Retry::none(),
    }
}

impl Mesh {
    /// What fields of rules are where they are omitted: as a mesh says, or where there is none, as the language does.
    #[must_use]
    pub fn inherited(mesh: Option<&Self>) -> Inherited {
        let defaults = mesh.map_or(Defaults { timeout: None, retry: None, complete: true }, Self::defaults);
        // Neither field has parts that the mesh gives a value to.
        let nothing = Inherited::default();
        Inherited { timeout: defaults.timeout().view(&nothing), retry: defaults.retry().view(&nothing) }
    }
}

object! {
    /// A door from outside.
    pub struct Gateway, "a gateway" {
        /// Port that the gateway listens on.
        listen "listen": Sp<Port>,
        /// The hosts that it answers for, `"*"` for every host that is not listed.
        hosts "hosts": List1<Sp<HostClaim>>,
        /// The certificate and key; without one, plain text.
        certificate "certificate": Option<SecretRef>,
    }
}

object! {
    /// A team and the files that it owns.
    pub struct Team, "a team" {
        /// Files that it owns.
        paths "paths": Vec<Sp<Glob>>,
        /// People who may sign commits to them.
        signers "signers": Vec<Sp<Prose>>,
        /// People who may approve changes.
        approvers "approvers": Vec<Sp<Prose>>,
    }
}

object! {
    /// Activation of bundles by proxies.
    pub struct ProxySettings, "proxy settings" {
        /// Bounds of the probation of a new bundle.
        probation "probation": Option<Probation> = |_| Probation { min_requests: None, window: None, margin: None, max: None, complete: true },
        /// The share of services, rules or allow entries that a bundle may remove unacknowledged; 30 % unless said otherwise.
        max_removed "maxRemoved": Option<Sp<Percent>> = |_| Sp::unwritten(Percent::whole(30)),
        /// Good bundles that a proxy keeps; 5 unless said otherwise.
        keep "keep": Option<Sp<Small>> = |_| Sp::unwritten(Small::clamped(5)),
    }
}

object! {
    /// Bounds of the probation of a new bundle.
    pub struct Probation, "probation bounds" {
        /// Requests before there is a verdict: for a bad one so many must be decided otherwise than before, or fail in the proxy.
        min_requests "minRequests": Option<Sp<Count>> = |_| Sp::unwritten(Count::clamped(50)),
        /// Longest time for which a bundle is on probation; 60 s unless said otherwise.
        window "window": Option<Sp<Duration>> = |_| Sp::unwritten(Duration::from_millis(60_000)),
        /// By how much the share of bad requests may grow.
        margin "margin": Option<Sp<Percent>> = |_| Sp::unwritten(Percent::whole(5)),
        /// After this long without a verdict, the bundle is good (quiet).
        max "max": Option<Sp<Duration>> = |_| Sp::unwritten(Duration::from_millis(30 * 60_000)),
    }
}

choice! {
    /// Severity of findings of one code in this repository.
    pub enum LintLevel, "a level" {
        /// No bundle is made.
        Error = "error",
        /// A person should look.
        Warning = "warning",
        /// Said for completeness.
        Note = "note",
        /// Findings of the code are left out.
        Off = "off",
    }
}

choice! {
    /// Severity of a broken policy.
    pub enum PolicySeverity, "a severity" {
        /// No bundle is made.
        Error = "error",
        /// A person should look.
        Warning = "warning",
        /// Said for completeness.
        Note = "note",
    }
}

text! {
    /// A code of a finding.
    pub struct CodeText, "a code like `MC2001`";
    pattern "^MC[0-9]{4}$", length 6..=6,
    check |text| text.strip_prefix("MC").is_some_and(|d| d.len() == 4 && d.bytes().all(|b| b.is_ascii_digit())),
    repair |text| Some(text.to_ascii_uppercase()),
}

object! {
    /// Settings of the tool for a repository.
    pub struct Tool, "tool settings" {
        /// Severity of findings, by code.
        lints "lints": Dict<CodeText, Sp<LintLevel>>,
        /// Stock policies that are applied.
        policies "policies": Option<StockPolicies>,
    }
    rules [Rule::AtLeastOne(&["lints", "policies"])]
}

object! {
    /// Stock policies that hold here.
    pub struct StockPolicies, "stock policies" {
        /// Names of the stock policies.
        use_ "use": List1<Sp<Name>>,
        /// Severity of breaking one; each policy's own unless said otherwise.
        severity "severity": Option<Sp<PolicySeverity>>,
    }
}
