//! `Mesh`: one a repository.

use super::shared::{Retry, SecretRef};
use crate::spec::decode::{Dict, List1, Rule, Sp};
use crate::spec::leaf::text;
use crate::spec::leaf::*;
use crate::spec::macros::{choice, object};

object! {
    /// The mesh as a whole; one a repository.
    pub struct Mesh, "a Mesh", kind "Mesh" {
        /// The name of the mesh.
        name "name": Sp<Name>,
        /// Who answers for it.
        owner "owner": Option<Sp<Name>>,
        /// What it is for.
        description "description": Option<Sp<Prose>>,
        /// The version of the language: 1.
        version "version": Sp<LanguageVersion>,
        /// The trust domain of identities: `spiffe://<trustDomain>/<environment>/<service>`.
        trust_domain "trustDomain": Sp<TrustDomain>,
        /// Whether connections without mutual TLS are taken; `strict` unless said otherwise.
        tls "tls": Option<Sp<TlsMode>> = |_| Sp::unwritten(TlsMode::Strict),
        /// What holds where nothing else is said.
        defaults "defaults": Option<Defaults> = |_| Defaults { timeout: None, retry: None },
        /// Doors from outside, by name.
        gateways "gateways": Dict<Name, Gateway>,
        /// Who owns which files, by name; read without parsing the files.
        teams "teams": Dict<Name, Team>,
        /// How proxies take bundles.
        proxy "proxy": Option<ProxySettings> = |_| ProxySettings { probation: None, max_removed: None, keep: None },
        /// How the tool behaves for this repository.
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
    /// What holds where a rule says nothing.
    pub struct Defaults, "defaults" {
        /// From request head to last response byte; `0s` is off.
        timeout "timeout": Option<Sp<Duration>> = |_| Sp::unwritten(Duration::from_millis(15_000)),
        /// Whether and how a failed try is repeated.
        retry "retry": Option<Retry> = |_| Retry::none(),
    }
}

object! {
    /// A door from outside.
    pub struct Gateway, "a gateway" {
        /// The port.
        listen "listen": Sp<Port>,
        /// The hosts that it answers for.
        hosts "hosts": List1<Sp<HostText>>,
        /// The certificate and key; without one, plain text.
        certificate "certificate": Option<SecretRef>,
    }
}

object! {
    /// A team.
    pub struct Team, "a team" {
        /// Files that it owns.
        paths "paths": Vec<Sp<Glob>>,
        /// Who may sign commits to them.
        signers "signers": Vec<Sp<Prose>>,
        /// Who may approve changes.
        approvers "approvers": Vec<Sp<Prose>>,
    }
}

object! {
    /// How proxies take bundles.
    pub struct ProxySettings, "proxy settings" {
        /// Bounds of the probation of a new bundle.
        probation "probation": Option<Probation> = |_| Probation { min_requests: None, window: None, margin: None, max: None },
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
        /// How long a bundle is watched before it can be good; 60 s unless said otherwise.
        window "window": Option<Sp<Duration>> = |_| Sp::unwritten(Duration::from_millis(60_000)),
        /// By how much the share of bad requests may grow.
        margin "margin": Option<Sp<Percent>> = |_| Sp::unwritten(Percent::whole(5)),
        /// After this long without a verdict, the bundle is good (quiet).
        max "max": Option<Sp<Duration>> = |_| Sp::unwritten(Duration::from_millis(30 * 60_000)),
    }
}

choice! {
    /// How bad findings of one code are for this repository.
    pub enum LintLevel, "a level" {
        /// No bundle is made.
        Error = "error",
        /// A person should look.
        Warning = "warning",
        /// Said for completeness.
        Note = "note",
        /// Not said.
        Off = "off",
    }
}

choice! {
    /// How bad a broken policy is.
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
    /// How the tool behaves for this repository.
    pub struct Tool, "tool settings" {
        /// How bad findings are, by code.
        lints "lints": Dict<CodeText, Sp<LintLevel>>,
        /// Stock policies.
        policies "policies": Option<StockPolicies>,
    }
    rules [Rule::AtLeastOne(&["lints", "policies"])]
}

object! {
    /// Stock policies that hold here.
    pub struct StockPolicies, "stock policies" {
        /// Their names.
        use_ "use": List1<Sp<Name>>,
        /// How bad it is to break one; as each says itself, unless said here.
        severity "severity": Option<Sp<PolicySeverity>>,
    }
}
