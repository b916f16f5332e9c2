//! A time on the clocks and in the calendar of a place.

use mesh_bundle::calendar::{date_of_day, day_of_date};

use crate::cel::value::Fault;

/// One second in nanoseconds.
pub(super) const SECOND: i128 = 1_000_000_000;

/// One day in seconds.
pub(super) const DAY: i64 = 86_400;

/// A time as the clocks and calendars of one place show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) year: i64,
    /// 1 to 12
    pub(super) month: i64,
    /// 1 to 31
    pub(super) day: i64,
    /// 0 to 6, Sunday is 0
    pub(super) weekday: i64,
    /// 0 to 365
    pub(super) day_of_year: i64,
    /// Seconds since midnight.
    pub(super) seconds: i64,
    /// Nanoseconds of the second.
    pub(super) nanos: i64,
}

impl Local {
    /// `nanos` since 1970 in UTC, `offset` in seconds east of it.
    pub(super) fn new(nanos: i128, offset: i64) -> Result<Self, Fault> {
        let whole = i64::try_from(nanos.div_euclid(SECOND)).map_err(|_| Fault::Overflow)?;
        let fraction = i64::try_from(nanos.rem_euclid(SECOND)).map_err(|_| Fault::Overflow)?;
        let local = whole.checked_add(offset).ok_or(Fault::Overflow)?;
        let days = local.div_euclid(DAY);
        let (year, month, day) = date_of_day(days);
        Ok(Self {
            year,
            month,
            day,
            weekday: (days + 4).rem_euclid(7),
            day_of_year: days - day_of_date(year, 1, 1),
            seconds: local.rem_euclid(DAY),
            nanos: fraction,
        })
    }
}
