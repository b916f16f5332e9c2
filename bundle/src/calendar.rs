//! The proleptic Gregorian calendar: days since 1970-01-01 to dates and back (Howard Hinnant, "chrono-Compatible
//! Low-Level Date Algorithms", `civil_from_days` and `days_from_civil`). Years begin in March here, so that the leap
//! day is the last of one.

/// Days of four hundred years, after which the calendar repeats.
const ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const MARCH: i64 = 719_468;

/// Year, month from 1 and day of the month from 1 of a day counted from 1970-01-01. Right for every day whose count is
/// further than [`i64::MAX`] / 2 from neither end.
#[must_use]
pub fn date_of_day(day: i64) -> (i64, i64, i64) {
    let since = day.saturating_add(MARCH);
    let (era, of_era) = (since.div_euclid(ERA), since.rem_euclid(ERA));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, date)
}

/// The day, counted from 1970-01-01, of a date that the calendar has.
#[must_use]
pub fn day_of_date(year: i64, month: i64, date: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * month + 2) / 5 + date - 1;
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - MARCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_ten_thousand_years_is_the_one_after_the_day_before() {
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let (mut year, mut month, mut date) = (1, 1, 1);
        for day in day_of_date(1, 1, 1)..=day_of_date(9999, 12, 31) {
            assert_eq!((date_of_day(day), day_of_date(year, month, date)), ((year, month, date), day));
            let last = match month {
                2 => 28 + i64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (year, month, date) = match (date == last, month) {
                (false, _) => (year, month, date + 1),
                (true, 12) => (year + 1, 1, 1),
                (true, _) => (year, month + 1, 1),
            };
        }
        assert_eq!((year, month, date), (10_000, 1, 1));
        assert_eq!(date_of_day(0), (1970, 1, 1));
    }
}
