//! `Test`: examples that must stay true.

use super::route::Scheme;
use crate::spec::context::Sp;
use crate::spec::decode::{AnyValue, Dict, List1, NumberOr, OneOrMany, Rule};
use crate::spec::macros::{choice, object};
use crate::spec::scalars::*;

object! {
    /// Examples that must stay true.
    pub struct Test, "a Test", kind "Test" {
        /// Name, unique among Tests.
        name "name": Sp<Name>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// Environment in which the cases run.
        environment "environment": Sp<Name>,
        /// Stages of canaries by address, such as `canary/orders: 2`; before the first stage unless said otherwise.
        state "state": Dict<Address, NumberOr<Sp<StageNumber>, Sp<StageDone>>>,
        /// The cases, each a request with its expected outcome.
        cases "cases": List1<Case>,
    }
}

choice! {
    /// The end of a canary: the candidate has all requests.
    pub enum StageDone, "a stage number or `done`" {
        /// The candidate has all requests.
        Done = "done",
    }
}

object! {
    /// A request with its expected outcome.
    pub struct Case, "a case" {
        /// Name of the case, for reports.
        name "name": Option<Sp<Name>>,
        /// Request that is sent.
        send "send": Sp<Send>,
        /// As whom; as a client without a mesh identity unless said otherwise.
        as_ "as": Option<Sp<TestCaller>>,
        /// Header fields; a list for a field of several lines.
        headers "headers": Dict<HeaderName, OneOrMany<Sp<HeaderValue>>>,
        /// The caller's address: a stranger's as the gateway sees it, a service's as the callee sees it.
        ip "ip": Option<Sp<IpText>>,
        /// Server name of the client's TLS handshake with a gateway; the URL's host unless said otherwise.
        sni "sni": Option<Sp<ExactHost>>,
        /// Size of the body, as `content-length` states it; without it no length is stated.
        size "size": Option<Sp<ByteSize>>,
        /// The scheme in which the request reaches its first proxy, if not the URL's: TLS may end before it.
        scheme "scheme": Option<Sp<Scheme>>,
        /// The number that it draws where requests are shared out, 0 unless said otherwise: the first share has the low ones,
        /// and of a canary the candidate.
        pick "pick": Option<Sp<PickNumber>>,
        /// Claims of its token.
        claims "claims": Dict<Prose, AnyValue>,
        /// Expected outcome; at least one field.
        expect "expect": Expect,
    }
}

choice! {
    /// The verdict on a request.
    pub enum Verdict, "a verdict" {
        /// The request passes.
        Allow = "allow",
        /// It does not.
        Deny = "deny",
    }
}

object! {
    /// Expected outcome of a request; at least one field.
    pub struct Expect, "an expectation" {
        /// The rule that matches: `edge/order-api`.
        rule "rule": Option<Sp<RuleRef>>,
        /// The service that gets it.
        service "service": Option<Sp<Name>>,
        /// The version that gets it.
        version "version": Option<Sp<Name>>,
        /// Whether it is let through.
        access "access": Option<Sp<Verdict>>,
        /// The status that the mesh itself answers with.
        status "status": Option<Sp<AnswerStatus>>,
        /// The path that the service gets.
        path "path": Option<Sp<PathLiteral>>,
        /// Header fields that the service gets.
        headers "headers": Dict<HeaderName, Sp<HeaderValue>>,
        /// The limit that is charged: `payments/limits[0]` or its name.
        quota "quota": Option<Sp<Prose>>,
        /// The timeout that holds.
        timeout "timeout": Option<Sp<Duration>>,
        /// Reason of an answer by the mesh itself, such as `no-rule`.
        reason "reason": Option<Sp<Prose>>,
    }
    rules [Rule::AtLeastOne(&[
        "rule", "service", "version", "access", "status", "path", "headers", "quota", "timeout", "reason",
    ])]
}
