//! Quantities with the units of specs, read as specs read them.

use super::{Fault, Function, Value, no_overload};
use crate::cel::types::Unit;
use crate::diag::quoted;
use crate::numbers::decimal;
use crate::spec::{ByteSize, FinePercent, Rate, Scalar};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "percent",
        signatures: &["percent(string) -> percent"],
        doc: "A share such as `5%` or `99.995%`, at most 100 % with four decimals. An error for other texts.",
        call: |arguments| {
            // Parts of 10,000 to a percent, where the value counts in millionths.
            read(Unit::Percent, arguments, |share: FinePercent| i128::from(share.millionths()) * 100)
        },
    },
    Function {
        name: "rate",
        signatures: &["rate(string) -> rate"],
        doc: "A number of events in a time: `50/s`, `3000/m`, `100/h`. An error for other texts.",
        call: |arguments| {
            read(Unit::Rate, arguments, |rate: Rate| {
                i128::from(rate.count()) * (HOUR / i128::from(rate.per_seconds())) * MILLION
            })
        },
    },
    Function {
        name: "bytesize",
        signatures: &["bytesize(string) -> bytesize"],
        doc: "A size in bytes: `512B`, `64KiB`, `1MiB`, `2GiB`. An error for other texts.",
        call: |arguments| read(Unit::ByteSize, arguments, |size: ByteSize| i128::from(size.bytes())),
    },
];

const HOUR: i128 = 3600;
const MILLION: i128 = 1_000_000;

/// Decimal places of a million parts.
const PLACES: u32 = 6;

fn read<L: Scalar>(unit: Unit, arguments: &[Value], amount: fn(L) -> i128) -> Result<Value, Fault> {
    match arguments {
        [Value::String(text)] => match L::parse(text) {
            Some(scalar) => Ok(Value::Quantity(unit, amount(scalar))),
            None => Err(Fault::Invalid(format!("{} is not {}", quoted(text), L::WHAT))),
        },
        _ => Err(no_overload(unit.name(), arguments)),
    }
}

/// A quantity as text, in the largest unit that says it with a whole number.
pub(super) fn text(unit: Unit, amount: i128) -> String {
    match unit {
        Unit::Percent => format!("{}%", decimal(amount, PLACES)),
        Unit::Rate => {
            let units = [("s", HOUR * MILLION), ("m", 60 * MILLION)];
            match units.iter().find(|(_, size)| amount % size == 0) {
                Some((name, size)) => format!("{}/{name}", amount / size),
                None => format!("{}/h", decimal(amount, PLACES)),
            }
        }
        Unit::ByteSize => {
            let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
            match units.iter().find(|(_, size)| amount % size == 0 && amount != 0) {
                Some((name, size)) => format!("{}{name}", amount / size),
                None => format!("{amount}B"),
            }
        }
    }
}
