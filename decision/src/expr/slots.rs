//! Access to the slots of a request.

use mesh_bundle::Owner;
use mesh_bundle::expr::Slot;
use mesh_bundle::program::Service;

use super::context::Context;
use crate::path;
use crate::request::Sole;
use crate::text::Text;
use crate::values;

/// The result of reading a slot of type text.
pub(super) enum Read<'a> {
    Absent,
    One(Text<'a>),
    /// There is more than one value, or one that is not text.
    Unreadable,
}

/// The text of a slot that every request has; `None` for all others.
#[inline(always)]
pub(super) fn plain<'a>(slot: &Slot, context: &Context<'a>) -> Option<&'a str> {
    let request = context.request;
    Some(match slot {
        Slot::Method => request.method,
        Slot::Path => request.path,
        Slot::Host => request.host,
        Slot::Scheme => request.scheme,
        Slot::Principal => request.source.principal,
        Slot::TrustDomain => request.source.trust_domain(),
        Slot::Service => match request.source.owner {
            Some(Owner::Service(name)) => name.as_str(),
            Some(Owner::Gateway(_)) | None => "",
        },
        Slot::Ip => request.source.ip,
        Slot::DestinationService => context.destination.map_or("", |d| d.name),
        Slot::DestinationVersion => context.destination.map_or("", |d| d.version),
        Slot::TlsVersion => request.connection.tls_version,
        Slot::Sni => request.connection.sni,
        _ => return None,
    })
}

/// Reads the text in a slot; slots of other types are read where they are used.
pub(super) fn read<'a>(slot: &Slot, context: &Context<'a>) -> Read<'a> {
    let request = context.request;
    let one = |text: &'a str| Read::One(Text::plain(text));
    let label = |service: Option<&'a Service>, name: &str| {
        service.and_then(|s| s.labels.get(name)).map_or(Read::Absent, |value| one(value))
    };
    match slot {
        Slot::Header(name) => match request.headers.sole(name) {
            Sole::Absent => Read::Absent,
            Sole::One(value) => std::str::from_utf8(value).map_or(Read::Unreadable, one),
            Sole::Several => Read::Unreadable,
        },
        Slot::Query(name) => {
            let mut values = values::query_values(request.query, name);
            match (values.next(), values.next()) {
                (None, _) => Read::Absent,
                (Some(value), None) => Text::decoding(value).map_or(Read::Unreadable, Read::One),
                (Some(_), Some(_)) => Read::Unreadable,
            }
        }
        Slot::Cookie(name) => {
            let mut found = Read::Absent;
            values::each_cookie(request.headers, name, &mut |value| match found {
                Read::Absent => {
                    found = one(value);
                    true
                }
                _ => {
                    found = Read::Unreadable;
                    false
                }
            });
            found
        }
        Slot::Param(name) => {
            context.pattern.and_then(|p| path::param(p, request.path, name)).map_or(Read::Absent, one)
        }
        Slot::SourceLabel(name) => label(context.source, name),
        Slot::DestinationLabel(name) => label(context.destination.map(|d| d.service), name),
        other => plain(other, context).map_or(Read::Absent, one),
    }
}

/// True if the slot is present, at least once.
pub(super) fn has(slot: &Slot, context: &Context<'_>) -> bool {
    let request = context.request;
    match slot {
        Slot::Header(name) => values::has_header(request.headers, name),
        Slot::Query(name) => values::has_query(request.query, name),
        Slot::Cookie(name) => values::has_cookie(request.headers, name),
        other => !matches!(read(other, context), Read::Absent),
    }
}

/// Calls `visit` with every value of a header, query parameter or cookie until it says false; `None` for one that
/// is no text.
pub(super) fn each<'a>(slot: &Slot, context: &Context<'a>, visit: &mut dyn FnMut(Option<Text<'a>>) -> bool) {
    let request = context.request;
    match slot {
        Slot::Header(name) => {
            request.headers.every(name, &mut |value| visit(std::str::from_utf8(value).ok().map(Text::plain)));
        }
        Slot::Query(name) => {
            values::query_values(request.query, name).all(|value| visit(Text::decoding(value)));
        }
        Slot::Cookie(name) => {
            values::each_cookie(request.headers, name, &mut |value| visit(Some(Text::plain(value))));
        }
        _ => {}
    }
}
