//! `Route`: where a request goes.

use super::shared::{FromItem, PathMatch, Retry, Sticky, ValueMatch};
use super::split::To;
use crate::diag::Span;
use crate::spec::context::Sp;
use crate::spec::decode::{Dict, List1, Rule as R};
use crate::spec::macros::{choice, either, object};
use crate::spec::scalars::*;

object! {
    /// Destinations of the requests of a service or gateway.
    pub struct Route, "a Route", kind "Route" {
        /// The name; the service's name unless said otherwise. Required for a gateway.
        name "name": Option<Sp<Name>>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// The service whose requests these are.
        service "service": Option<Sp<Name>>,
        /// The gateway whose requests these are.
        gateway "gateway": Option<Sp<Name>>,
        /// Hosts of the gateway, `"*"` for those that no other Route claims; all of them unless said otherwise.
        hosts "hosts": Option<List1<Sp<HostClaim>>>,
        /// The place among several Routes of one gateway host, in rising order.
        order "order": Option<Sp<Order>> = |_| Sp::unwritten(Order::clamped(0)),
        /// A fence: all rules lie inside these paths, and no later Route is asked inside them.
        paths "paths": Option<List1<Sp<PathText>>>,
        /// Key that keeps requests on one version.
        sticky "sticky": Option<Sticky>,
        /// The rules, in order; the first that matches wins.
        rules "rules": List1<Rule>,
    }
    rules [
        R::ExactlyOne(&["service", "gateway"]),
        R::Needs("gateway", "name"),
        R::Needs("hosts", "gateway"),
        R::Needs("order", "gateway"),
    ]
}

object! {
    /// One rule: what it matches and what happens then.
    pub struct Rule, "a rule" {
        /// The name, unique in the Route.
        name "name": Sp<Name>,
        /// Requests that the rule takes, by one match or by any of a list; everything unless said otherwise.
        match_ "match": Option<Matches>,
        /// Destination of the request.
        to "to": Option<To>,
        /// Changes of path and host on the way.
        rewrite "rewrite": Option<Rewrite>,
        /// The client is sent elsewhere.
        redirect "redirect": Option<Redirect>,
        /// The proxy answers itself.
        respond "respond": Option<Respond>,
        /// A copy goes there too; its answer is dropped.
        mirror "mirror": Option<Mirror>,
        /// Failures on purpose.
        fault "fault": Option<Fault>,
        /// Changes of header fields.
        headers "headers": Option<HeaderOps>,
        /// From request head to last response byte; `0s` is off.
        timeout "timeout": Option<Sp<Duration>> => |mesh| mesh.timeout.clone(),
        /// Of one try.
        per_try_timeout "perTryTimeout": Option<Sp<Duration>>,
        /// Without a byte, for streams and upgrades.
        idle_timeout "idleTimeout": Option<Sp<Duration>>,
        /// Whether and how a failed try is repeated.
        retry "retry": Option<Retry> => |mesh| mesh.retry.clone(),
        /// A second try before the first has failed.
        hedge "hedge": Option<Hedge>,
        /// Whether answers are compressed.
        compress "compress": Option<Compress> = |_| Compress::On(Sp::unwritten(false)),
        /// `false` takes the rule out.
        enabled "enabled": Option<Sp<bool>> = |_| Sp::unwritten(true),
    }
    rules [R::ExactlyOne(&["to", "redirect", "respond"])]
}

either! {
    /// Requests that a rule takes: one match, or a list of which any may hold.
    pub enum Matches {
        /// The only match.
        One(Box<Match>) as "one",
        /// The matches, of which any may hold.
        Any(List1<Match>) if Seq as "any",
    }
}

impl std::ops::Deref for Matches {
    type Target = [Match];
    fn deref(&self) -> &[Match] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Any(several) => several,
        }
    }
}

object! {
    /// Requests that a rule takes; all fields must hold.
    pub struct Match, "a match" {
        /// The normalised path.
        path "path": Option<PathMatch>,
        /// One of these methods.
        methods "methods": Option<List1<Sp<MethodToken>>>,
        /// Header fields, by name in lower case.
        headers "headers": Dict<HeaderName, ValueMatch>,
        /// Query parameters, by name.
        query "query": Dict<Prose, ValueMatch>,
        /// Cookies, by name.
        cookies "cookies": Dict<CookieName, ValueMatch>,
        /// One of these callers.
        callers "callers": Option<List1<FromItem>>,
        /// A CEL expression over `request` and the caller's own `source`.
        when "when": Option<Sp<CelText>>,
    }
}

impl Rule {
    /// The matches as written; none where the rule takes everything.
    #[must_use]
    pub fn matches(&self) -> &[Match] {
        match &self.match_ {
            Some(written) => written,
            None => &[],
        }
    }
}

impl Match {
    /// The place of its path, else of another field; `None` where only callers are written, or nothing.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let methods = || self.methods.as_ref().and_then(|methods| methods.first()).map(|method| method.span);
        let header = || self.headers.first().map(|(name, _)| name.span);
        let query = || self.query.first().map(|(name, _)| name.span);
        let cookie = || self.cookies.first().map(|(name, _)| name.span);
        let when = || self.when.as_ref().map(|when| when.span);
        let path = self.path.as_ref().and_then(PathMatch::span);
        path.or_else(methods).or_else(header).or_else(query).or_else(cookie).or_else(when)
    }
}

object! {
    /// Changes of path and host before a request is sent on.
    pub struct Rewrite, "a rewrite" {
        /// Replaces the literal part of the path before `/*`, or the text of `{prefix: ...}`.
        prefix "prefix": Option<Sp<PathLiteral>>,
        /// Replaces the whole path.
        path "path": Option<Sp<PathLiteral>>,
        /// Replaces the host.
        host "host": Option<Sp<ExactHost>>,
    }
    rules [R::AtLeastOne(&["prefix", "path", "host"]), R::AtMostOne(&["prefix", "path"])]
}

choice! {
    /// The scheme of a URL.
    pub enum Scheme, "a scheme" {
        /// HTTP in plain text.
        Http = "http",
        /// HTTP over TLS.
        Https = "https",
    }
}

object! {
    /// The client is sent elsewhere; what is not said stays as it was.
    pub struct Redirect, "a redirect" {
        /// Scheme of the new URL.
        scheme "scheme": Option<Sp<Scheme>>,
        /// Host of the new URL.
        host "host": Option<Sp<ExactHost>>,
        /// Port of the new URL.
        port "port": Option<Sp<Port>>,
        /// The whole path.
        path "path": Option<Sp<PathLiteral>>,
        /// The literal part of the path before `/*`, or the text of `{prefix: ...}`.
        prefix "prefix": Option<Sp<PathLiteral>>,
        /// 301, 302, 303, 307 or 308; 302 unless said otherwise.
        status "status": Option<Sp<RedirectStatus>> = |_| Sp::unwritten(RedirectStatus::FOUND),
    }
    rules [R::AtLeastOne(&["scheme", "host", "port", "path", "prefix"]), R::AtMostOne(&["path", "prefix"])]
}

object! {
    /// The proxy answers itself.
    pub struct Respond, "an answer" {
        /// Status of the answer.
        status "status": Sp<AnswerStatus>,
        /// Body of the answer; empty unless said otherwise.
        body "body": Option<Sp<AnyText>> = |_| Sp::unwritten(AnyText::empty()),
        /// Header fields of the answer.
        headers "headers": Dict<HeaderName, Sp<HeaderValue>>,
    }
}

object! {
    /// A copy of requests goes elsewhere too.
    pub struct Mirror, "a mirror" {
        /// Destination of the copies.
        to "to": Sp<Destination>,
        /// Share of requests that are copied; all unless said otherwise.
        percent "percent": Option<Sp<Percent>> = |_| Sp::unwritten(Percent::whole(100)),
    }
}

object! {
    /// Failures on purpose.
    pub struct Fault, "a fault" {
        /// Delay before requests are sent on.
        delay "delay": Option<Delay>,
        /// Requests are answered with an error.
        abort "abort": Option<Abort>,
        /// The last day of it.
        until "until": Option<Sp<crate::diag::Date>>,
    }
    rules [R::AtLeastOne(&["delay", "abort"])]
}

object! {
    /// Delay before requests are sent on.
    pub struct Delay, "a delay" {
        /// Share of requests that are delayed.
        percent "percent": Sp<Percent>,
        /// Duration of the delay.
        for_ "for": Sp<Duration>,
    }
}

object! {
    /// Requests are answered with an error.
    pub struct Abort, "an abort" {
        /// Share of requests that are aborted.
        percent "percent": Sp<Percent>,
        /// The status of the answer.
        status "status": Sp<AnswerStatus>,
    }
}

object! {
    /// Changes of header fields.
    pub struct HeaderOps, "header operations" {
        /// Before the request is sent on.
        request "request": Option<HeaderEdit>,
        /// Before the response is sent back.
        response "response": Option<HeaderEdit>,
    }
    rules [R::AtLeastOne(&["request", "response"])]
}

object! {
    /// Changes of header fields, done in the order remove, set, add.
    pub struct HeaderEdit, "changes of header fields" {
        /// Fields that have this value, whatever they had.
        set "set": Dict<HeaderName, Sp<HeaderValue>>,
        /// Fields that get one more value.
        add "add": Dict<HeaderName, Sp<HeaderValue>>,
        /// Fields that go.
        remove "remove": Vec<Sp<HeaderName>>,
    }
    rules [R::AtLeastOne(&["set", "add", "remove"])]
}

object! {
    /// A second try before the first has failed; the first answer wins.
    pub struct Hedge, "a hedge" {
        /// Time that the first try has before the second begins.
        after "after": Sp<Duration>,
        /// More tries at most; 1 unless said otherwise.
        attempts "attempts": Option<Sp<Attempts>> = |_| Sp::unwritten(Attempts::clamped(1)),
    }
}

choice! {
    /// A content coding.
    pub enum Coding, "a content coding" {
        /// gzip (RFC 1952).
        Gzip = "gzip",
        /// Brotli (RFC 7932).
        Br = "br",
        /// Zstandard (RFC 8878).
        Zstd = "zstd",
    }
}

object! {
    /// Compression of answers, with details.
    pub struct CompressForm, "a compression" {
        /// Codings, best first.
        codings "codings": Option<List1<Sp<Coding>>>,
        /// Smaller answers stay as they are.
        min_size "minSize": Option<Sp<ByteSize>>,
        /// Media types such as `application/json`.
        types "types": Option<List1<Sp<Prose>>>,
    }
    rules [R::AtLeastOne(&["codings", "minSize", "types"])]
}

either! {
    /// Whether and how answers are compressed.
    pub enum Compress {
        /// Whether answers are compressed.
        On(Sp<bool>) as "on",
        /// Compression with its details.
        Form(CompressForm) if Map,
    }
}
