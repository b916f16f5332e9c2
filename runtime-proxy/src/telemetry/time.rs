//! Times for people and machines: RFC 3339 in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", since.subsec_millis())
}

/// The date of a day since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
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
