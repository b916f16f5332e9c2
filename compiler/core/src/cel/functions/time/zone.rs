//! Time zones: names of the IANA database and fixed offsets.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;

use super::local::SECOND;
use super::text::pair;
use crate::cel::value::Fault;
use crate::diag::quoted;

/// The zones that are compiled in.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The largest offset in hours; the largest in use is 14 (cel-spec: `(+|-)(0[0-9]|1[0-4]):[0-5][0-9]`).
const HOURS: i64 = 14;

/// Seconds east of UTC in a zone at a time: `UTC`, `Europe/Berlin`, `+02:00`, `02:00`, `-02:30`.
///
/// # Errors
/// [`Fault::Invalid`] for other zones.
pub(super) fn offset(zone: &str, nanos: i128) -> Result<i64, Fault> {
    let wrong =
        || Fault::Invalid(format!("{} is not a time zone like `Europe/Berlin` or `+02:00`", quoted(zone)));
    if let Some((hours, minutes)) = zone.split_once(':') {
        let (east, hours) = match hours.strip_prefix('-') {
            Some(hours) => (-1, hours),
            None => (1, hours.strip_prefix('+').unwrap_or(hours)),
        };
        let (hours, minutes) = (pair(hours, HOURS).ok_or_else(wrong)?, pair(minutes, 59).ok_or_else(wrong)?);
        return Ok(east * (hours * 3600 + minutes * 60));
    }
    // Found whatever its case; written in the wrong case it would not be found elsewhere.
    let found = ZONES.get(zone).ok().filter(|found| found.iana_name() == Some(zone)).ok_or_else(wrong)?;
    // The first and last days of the range are beyond the library's; no zone changes there.
    let bounded = nanos.clamp(Timestamp::MIN.as_nanosecond(), Timestamp::MAX.as_nanosecond());
    let at = Timestamp::from_second(i64::try_from(bounded.div_euclid(SECOND)).map_err(|_| Fault::Overflow)?);
    Ok(i64::from(found.to_offset(at.map_err(|_| Fault::Overflow)?).seconds()))
}
