//! Times for people and machines: RFC 3339 in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mesh_bundle::calendar::date_of_day;
use mesh_bundle::expr::Instant;

/// A time of day as rules see it. One outside of the years 1970 to 9999 reads 1970.
#[must_use]
pub fn instant(time: SystemTime) -> Instant {
    let since = time.duration_since(UNIX_EPOCH).ok();
    let seconds = since.and_then(|since| Some((i64::try_from(since.as_secs()).ok()?, since.subsec_nanos())));
    seconds.and_then(|(seconds, nanos)| Instant::new(seconds, nanos)).unwrap_or_default()
}

/// `2026-11-21T08:30:00.123Z`; a time before 1970 is shown as its beginning.
#[must_use]
pub fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, rest) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date_of_day(days.cast_signed());
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", since.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_across_leap_days_and_2038() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_330_473_599, "2012-02-28T23:59:59.000Z"),
            (2_147_483_648, "2038-01-19T03:14:08.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }
}
