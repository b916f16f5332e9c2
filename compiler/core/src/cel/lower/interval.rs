//! Bounds of integers and times, so that arithmetic on requests is accepted only where it cannot leave its range.

use mesh_bundle::expr::Slot;
use mesh_bundle::limits;

use crate::cel::request::{Place, place};
use crate::cel::typed::{Kind, Typed};
use crate::cel::types::Type;
use crate::cel::value::{TIMESTAMPS, Value};

/// The largest integer that a proxy takes from a request: 2^53-1 (RFC 8785, I-JSON).
const LARGEST_SIZE: i128 = (1 << 53) - 1;

/// The clock of a proxy, in nanoseconds since 1970: until the year 3000.
const CLOCK: (i128, i128) = (0, 32_503_680_000_000_000_000);

/// Lengths of time that proxies know, in nanoseconds: 10,000 years either way.
const LONGEST: i128 = 315_576_000_000_000_000_000;

/// The least and the most that an int, a timestamp or a duration (in nanoseconds) can be; `None` where the operation
/// may leave the range of its type, or is none that proxies evaluate.
pub(super) fn interval(typed: &Typed) -> Option<(i128, i128)> {
    let bounds = bounds(typed)?;
    let (low, high) = match typed.ty {
        Type::Int => (i128::from(i64::MIN), i128::from(i64::MAX)),
        Type::Timestamp => (*TIMESTAMPS.start(), *TIMESTAMPS.end()),
        Type::Duration => (-LONGEST, LONGEST),
        _ => return None,
    };
    (bounds.0 >= low && bounds.1 <= high).then_some(bounds)
}

fn bounds(typed: &Typed) -> Option<(i128, i128)> {
    match &typed.kind {
        Kind::Constant(Value::Int(value)) => Some((i128::from(*value), i128::from(*value))),
        Kind::Constant(Value::Timestamp(nanos) | Value::Duration(nanos)) => Some((*nanos, *nanos)),
        Kind::Variable(_) | Kind::Field(..) | Kind::Index(..) => match place(typed)? {
            Place::Slot(Slot::Size) => Some((0, LARGEST_SIZE)),
            Place::Slot(Slot::DestinationPort) => Some((0, 65_535)),
            Place::Slot(Slot::Now) => Some(CLOCK),
            _ => None,
        },
        Kind::If(parts) => {
            let [_, then, otherwise] = parts.as_ref();
            let (a, b) = (interval(then)?, interval(otherwise)?);
            Some((a.0.min(b.0), a.1.max(b.1)))
        }
        Kind::Call(call) => {
            let arguments = call.arguments.as_slice();
            match (call.function.name, arguments) {
                ("size", [of]) if of.ty == Type::String => Some((0, limits::HEAD_BYTES as i128)),
                ("size", [_]) => Some((0, limits::HEADER_LINES as i128)),
                ("family", [_]) => Some((4, 6)),
                ("-", [of]) => interval(of).map(|(low, high)| (-high, -low)),
                ("+", [a, b]) => both(a, b).map(|(a, b)| (a.0 + b.0, a.1 + b.1)),
                ("-", [a, b]) => both(a, b).map(|(a, b)| (a.0 - b.1, a.1 - b.0)),
                ("*", [a, b]) => {
                    let (a, b) = both(a, b)?;
                    let products = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
                    Some((products.iter().copied().min()?, products.iter().copied().max()?))
                }
                ("/", [a, b]) => {
                    let (a, b) = both(a, b)?;
                    (b.0 == b.1 && b.0 != 0).then(|| ((a.0 / b.0).min(a.1 / b.0), (a.0 / b.0).max(a.1 / b.0)))
                }
                ("%", [a, b]) => {
                    let (a, b) = both(a, b)?;
                    // The lowest int has no remainder by -1 that can be computed.
                    let most = (b.0.abs() - 1).max(0);
                    let fails = b.0 == -1 && a.0 <= i128::from(i64::MIN);
                    (b.0 == b.1 && b.0 != 0 && !fails)
                        .then_some((if a.0 < 0 { -most } else { 0 }, if a.1 > 0 { most } else { 0 }))
                }
                (name, [of, ..]) if name.starts_with("get") && of.ty == Type::Timestamp => Some((0, 9_999)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Both operands; their products stay far below 2^127.
fn both(a: &Typed, b: &Typed) -> Option<((i128, i128), (i128, i128))> {
    let (a, b) = (interval(a)?, interval(b)?);
    let small = |(low, high): (i128, i128)| low > -(1 << 100) && high < (1 << 100);
    (small(a) && small(b)).then_some((a, b))
}
