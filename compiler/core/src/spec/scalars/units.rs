//! Values with units.

use std::fmt;

use super::{scalar, viewed};
use crate::diag::Date;
use crate::numbers::{self, decimal};
use crate::spec::scalar::Scalar;
use crate::spec::view::{Data, FieldShape, Inherited, Shape, View};

/// A length of time in nanoseconds, at most about 285 years.
///
/// Written as one or more parts in falling order, each a whole number and a unit: `d` `h` `m` `s` (up to 5 digits),
/// `ms` `us` `ns` (up to 9 digits). The form is that of Gateway API (GEP-2257), with more units and with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

/// Unit, nanoseconds, digits.
const TIME: [(&str, u64, usize); 7] = [
    ("d", 86_400_000_000_000, 5),
    ("h", 3_600_000_000_000, 5),
    ("m", 60_000_000_000, 5),
    ("s", 1_000_000_000, 5),
    ("ms", 1_000_000, 9),
    ("us", 1_000, 9),
    ("ns", 1, 9),
];

impl Duration {
    /// So many milliseconds.
    pub const fn from_millis(millis: u32) -> Self {
        Self(millis as u64 * 1_000_000)
    }

    /// So many nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// So many times as long, at most what 64 bits hold.
    #[must_use]
    pub fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// The duration in nanoseconds.
    pub fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds, rounded up: what is not nothing stays so.
    pub fn as_millis_ceil(self) -> u64 {
        self.0.div_ceil(1_000_000)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        for (unit, nanos, _) in TIME {
            let count = rest / nanos;
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
            rest %= nanos;
        }
        if self.0 == 0 { f.write_str("0s") } else { Ok(()) }
    }
}

impl Scalar for Duration {
    const WHAT: &'static str = "a duration like `250ms` or `1m30s`";

    fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut total = 0u64;
        let mut units = TIME.iter();
        while !rest.is_empty() {
            let (number, tail) = digits(rest)?;
            let letters = tail.bytes().take_while(u8::is_ascii_lowercase).count();
            let (unit, tail) = tail.split_at_checked(letters)?;
            let (_, nanos, most) = units.find(|(name, _, _)| *name == unit)?;
            if number.len() > *most {
                return None;
            }
            total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*nanos)?)?;
            rest = tail;
        }
        (!text.is_empty()).then_some(Self(total))
    }

    fn repair(text: &str) -> Option<String> {
        let compact = compact(text);
        let (number, rest) = digits(&compact)?;
        let fraction = rest.strip_prefix('.').and_then(digits);
        let (fraction, unit) = fraction.map_or(("", rest), |(fraction, unit)| (fraction, unit));
        let unit = match unit {
            "sec" | "secs" | "second" | "seconds" => "s",
            "min" | "mins" | "minute" | "minutes" => "m",
            "hr" | "hrs" | "hour" | "hours" => "h",
            "day" | "days" => "d",
            "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => "ms",
            "µs" | "μs" => "us",
            _ if fraction.is_empty() => return Some(compact),
            other => other,
        };
        if fraction.is_empty() {
            return Some(format!("{number}{unit}"));
        }
        // 1.5s is 1s500ms: exact, if it is a whole number of nanoseconds.
        let (_, nanos, _) = TIME.iter().find(|(name, ..)| *name == unit)?;
        let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let all = format!("{number}{fraction}").parse::<u64>().ok()?.checked_mul(*nanos)?;
        all.is_multiple_of(scale).then(|| Self(all / scale).to_string())
    }

    fn suggest(text: &str) -> Option<String> {
        let number = text.strip_prefix('-').filter(|rest| !rest.is_empty())?;
        Some(format!("a duration is not negative: write `{number}`, or `0s`"))
    }

    fn with_units(number: &str) -> Vec<String> {
        // Seconds to some tools, milliseconds to others: nobody but the author knows.
        let guesses = ["s", "ms", "m"].map(|unit| format!("{number}{unit}"));
        guesses
            .into_iter()
            .filter_map(|guess| Self::repair(&guess).filter(|text| Self::parse(text).is_some()))
            .collect()
    }
}
scalar!(Duration, "A length of time such as `250ms`, `2s` or `1m30s`. Units in falling order: d, h, m, s (up to 5 digits each), ms, us, ns (up to 9).",
    pattern: "^(?:[0-9]{1,5}d)?(?:[0-9]{1,5}h)?(?:[0-9]{1,5}m)?(?:[0-9]{1,5}s)?(?:[0-9]{1,9}ms)?(?:[0-9]{1,9}us)?(?:[0-9]{1,9}ns)?$",
    length: 1..=60);
viewed!(Duration: Duration, |time| Data::Duration(i128::from(time.0)));

/// A share from 0 % to 100 %, in basis points (hundredths of a percent): up to two decimals are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u16);

impl Percent {
    /// So many whole percent, at most 100.
    pub const fn whole(percent: u8) -> Self {
        Self(if percent > 100 { 10_000 } else { percent as u16 * 100 })
    }

    /// Basis points, 0 to 10,000.
    pub fn basis_points(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&numbers::percent(self.0.into()))
    }
}

impl Scalar for Percent {
    const WHAT: &'static str = "a percentage like `5%` or `0.5%`";
    fn parse(text: &str) -> Option<Self> {
        percent(text, 2).and_then(|points| u16::try_from(points).ok()).map(Self)
    }
    fn repair(text: &str) -> Option<String> {
        Some(text.split_whitespace().collect())
    }
    fn suggest(text: &str) -> Option<String> {
        percent_suggestion(text, |text| Self::parse(text).is_some())
    }
    fn with_unit(number: &str) -> Option<String> {
        percent_of(number)
    }
    fn with_units(number: &str) -> Vec<String> {
        let guesses = [share_of_one(number), Some(format!("{number}%"))];
        guesses.into_iter().flatten().filter(|guess| Self::parse(guess).is_some()).collect()
    }
}
scalar!(Percent, "A share from `0%` to `100%`, with up to two decimals.",
    pattern: r"^(?:100(?:\.0{1,2})?|[0-9]{1,2}(?:\.[0-9]{1,2})?)%$", length: 2..=7);
viewed!(Percent: Percent, |share| Data::Percent(i128::from(share.0) * 10_000));

/// A share from 0 % to 100 % in millionths, for objectives such as `99.995%`: up to four decimals are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FinePercent(u32);

impl FinePercent {
    /// Millionths, 0 to 1,000,000.
    pub fn millionths(self) -> u32 {
        self.0
    }
}

impl fmt::Display for FinePercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", decimal(self.0.into(), 4))
    }
}

impl Scalar for FinePercent {
    const WHAT: &'static str = "a percentage like `99.95%`";
    fn parse(text: &str) -> Option<Self> {
        percent(text, 4).map(Self)
    }
    fn repair(text: &str) -> Option<String> {
        Some(text.split_whitespace().collect())
    }
    fn suggest(text: &str) -> Option<String> {
        percent_suggestion(text, |text| Self::parse(text).is_some())
    }
    fn with_unit(number: &str) -> Option<String> {
        percent_of(number)
    }
    fn with_units(number: &str) -> Vec<String> {
        let guesses = [share_of_one(number), Some(format!("{number}%"))];
        guesses.into_iter().flatten().filter(|guess| Self::parse(guess).is_some()).collect()
    }
}
scalar!(FinePercent, "A share from `0%` to `100%`, with up to four decimals.",
    pattern: r"^(?:100(?:\.0{1,4})?|[0-9]{1,2}(?:\.[0-9]{1,4})?)%$", length: 2..=9);
viewed!(FinePercent: Percent, |share| Data::Percent(i128::from(share.0) * 100));

/// A number of events in a time: `50/s`, `3000/m`, `100/h`; 1 to 999,999,999 of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u32,
    seconds: u32,
}

impl Rate {
    /// Events, 1 to 999,999,999.
    pub fn count(self) -> u32 {
        self.count
    }

    /// The time in seconds: 1, 60 or 3600.
    pub fn per_seconds(self) -> u32 {
        self.seconds
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.seconds {
            60 => "m",
            3600 => "h",
            _ => "s",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

impl Scalar for Rate {
    const WHAT: &'static str = "a rate like `50/s` or `3000/m`";
    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = digits(text)?;
        let seconds = match unit {
            "/s" => 1,
            "/m" => 60,
            "/h" => 3600,
            _ => return None,
        };
        let count = number.parse().ok().filter(|_| number.len() <= 9 && !number.starts_with('0'))?;
        Some(Self { count, seconds })
    }
    fn repair(text: &str) -> Option<String> {
        let compact = compact(text);
        let (number, unit) = digits(&compact)?;
        let unit = match unit {
            "/sec" | "/second" | "persecond" | "persec" | "asecond" | "rps" | "r/s" | "ps" | "req/s"
            | "/1s" => "/s",
            "/min" | "/minute" | "perminute" | "permin" | "aminute" | "rpm" | "r/m" | "req/m" | "/1m" => "/m",
            "/hour" | "perhour" | "anhour" | "rph" | "r/h" | "/1h" => "/h",
            other => other,
        };
        Some(format!("{number}{unit}"))
    }
    fn with_units(number: &str) -> Vec<String> {
        let guesses = ["s", "m", "h"].map(|unit| format!("{number}/{unit}"));
        guesses.into_iter().filter(|guess| Self::parse(guess).is_some()).collect()
    }
}
scalar!(Rate, "A number of events in a second, minute or hour: `50/s`, `3000/m`, `100/h`.",
    pattern: "^[1-9][0-9]{0,8}/[smh]$", length: 3..=11);
viewed!(Rate: Rate, |rate| Data::Rate(i128::from(rate.count) * i128::from(3600 / rate.seconds.max(1)) * 1_000_000));

/// A size in bytes: `512B`, `64KiB`, `1MiB`, `2GiB`; up to 9 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

impl ByteSize {
    /// Bytes, below 2^60.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) =
            SIZES.iter().rev().find(|(_, size)| self.0.is_multiple_of(*size)).copied().unwrap_or(("B", 1));
        if self.0 == 0 { f.write_str("0B") } else { write!(f, "{}{unit}", self.0 / size) }
    }
}

const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl Scalar for ByteSize {
    const WHAT: &'static str = "a size like `64KiB` or `1MiB`";
    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = digits(text)?;
        let (_, size) = SIZES.iter().find(|(name, _)| *name == unit)?;
        let count: u64 = number.parse().ok().filter(|_| number.len() <= 9)?;
        count.checked_mul(*size).map(Self)
    }
    fn repair(text: &str) -> Option<String> {
        let compact = compact(text);
        let (number, unit) = digits(&compact)?;
        let unit = match unit {
            "ki" | "kib" => "KiB",
            "mi" | "mib" => "MiB",
            "gi" | "gib" => "GiB",
            "b" | "byte" | "bytes" => "B",
            _ => return None,
        };
        Some(format!("{number}{unit}"))
    }
    fn suggest(text: &str) -> Option<String> {
        // 1 MB is a million bytes to some, 1 MiB to others.
        let compact = compact(text);
        let (number, unit) = digits(&compact)?;
        let (unit, zeros) = match unit {
            "k" | "kb" => ("KiB", "000"),
            "m" | "mb" => ("MiB", "000000"),
            "g" | "gb" => ("GiB", "000000000"),
            _ => return None,
        };
        let guesses = [format!("{number}{unit}"), format!("{number}{zeros}B")];
        let guesses: Vec<String> =
            guesses.iter().filter(|g| Self::parse(g).is_some()).map(|g| format!("`{g}`")).collect();
        (!guesses.is_empty()).then(|| format!("write {}", guesses.join(" or ")))
    }
    fn with_units(number: &str) -> Vec<String> {
        let guesses = ["B", "KiB", "MiB"].map(|unit| format!("{number}{unit}"));
        guesses.into_iter().filter(|guess| Self::parse(guess).is_some()).collect()
    }
}
scalar!(ByteSize, "A size in bytes: `512B`, `64KiB`, `1MiB`, `2GiB`.",
    pattern: "^[0-9]{1,9}(?:B|KiB|MiB|GiB)$", length: 2..=12);
viewed!(ByteSize: ByteSize, |size| Data::ByteSize(i128::from(size.0)));

impl Scalar for Date {
    const WHAT: &'static str = "a date like `2026-12-31`";
    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}
scalar!(Date, "A day: `2026-12-31`.",
    pattern: "^(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)$",
    length: 10..=10);
viewed!(Date: Time, |date| Data::Time(i128::from(date.days()) * 86_400_000_000_000));

/// A share or a length of time, whichever the measure has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// A share, such as `1%`.
    Percent(Percent),
    /// A length of time.
    Duration(Duration),
}

impl Scalar for Quantity {
    const WHAT: &'static str = "a percentage like `1%` or a duration like `400ms`";
    fn parse(text: &str) -> Option<Self> {
        Percent::parse(text).map(Self::Percent).or_else(|| Duration::parse(text).map(Self::Duration))
    }
    fn repair(text: &str) -> Option<String> {
        if text.contains('%') { Percent::repair(text) } else { Duration::repair(text) }
    }
}
scalar!(Quantity, "A percentage such as `1%`, or a duration such as `400ms`.",
    pattern: r"^(?:(?:100(?:\.0{1,2})?|[0-9]{1,2}(?:\.[0-9]{1,2})?)%|(?:[0-9]{1,5}d)?(?:[0-9]{1,5}h)?(?:[0-9]{1,5}m)?(?:[0-9]{1,5}s)?(?:[0-9]{1,9}ms)?(?:[0-9]{1,9}us)?(?:[0-9]{1,9}ns)?)$",
    length: 1..=60);

/// A record with one field for each.
impl View for Quantity {
    fn shape() -> Shape {
        let field = |key, shape, doc| FieldShape { key, shape, optional: true, doc };
        let fields = vec![
            field("percent", Shape::Percent, "A share."),
            field("duration", Shape::Duration, "A length of time."),
        ];
        Shape::record("quantity", fields)
    }
    fn view(&self, mesh: &Inherited) -> Option<Data> {
        Some(Data::Record(vec![match self {
            Self::Percent(share) => ("percent", share.view(mesh)?),
            Self::Duration(time) => ("duration", time.view(mesh)?),
        }]))
    }
}

/// In lower case and without blanks.
fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase()
}

/// The percentage that a bare number can only mean: one above 1, which is no share of one.
fn percent_of(number: &str) -> Option<String> {
    let (whole, rest) = digits(number)?;
    let above = whole
        .parse::<u32>()
        .is_ok_and(|whole| whole > 1 || (whole == 1 && rest.contains(|c: char| ('1'..='9').contains(&c))));
    (above || rest.is_empty() && whole == "0").then(|| format!("{number}%"))
}

/// The percentage of a share of one: `5%` of `0.05`, `100%` of `1`.
fn share_of_one(number: &str) -> Option<String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if !matches!(whole, "0" | "1") || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{fraction:0<2}");
    let (percent, rest) = digits.split_at_checked(3)?;
    let percent = percent.trim_start_matches('0');
    let percent = if percent.is_empty() { "0" } else { percent };
    let rest = rest.trim_end_matches('0');
    Some(if rest.is_empty() { format!("{percent}%") } else { format!("{percent}.{rest}%") })
}

/// A decimal comma, a bare number in quotes, `percent` in words.
fn percent_suggestion(text: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
    let compact = compact(text).replace(',', ".");
    let number = compact.trim_end_matches('%').trim_end_matches("percent").trim_end_matches("pct");
    let guesses = [share_of_one(number).filter(|_| number == compact), Some(format!("{number}%"))];
    let guesses: Vec<String> =
        guesses.into_iter().flatten().filter(|guess| fits(guess)).map(|guess| format!("`{guess}`")).collect();
    (!guesses.is_empty()).then(|| format!("write {}", guesses.join(" or ")))
}

/// Leading digits (at least one) and what follows them.
fn digits(text: &str) -> Option<(&str, &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(count).filter(|_| count > 0)
}

/// Parts of `10^-decimals` percent.
fn percent(text: &str, decimals: usize) -> Option<u32> {
    let (whole, rest) = digits(text.strip_suffix('%')?)?;
    let fraction = match rest.strip_prefix('.') {
        Some(fraction) if !fraction.is_empty() && fraction.len() <= decimals => fraction,
        None if rest.is_empty() => "",
        _ => return None,
    };
    let unit = 10u32.pow(u32::try_from(decimals).ok()?);
    let parts = whole.parse::<u32>().ok().filter(|_| whole.len() <= 3)? * unit;
    let small =
        if fraction.is_empty() { 0 } else { format!("{fraction:0<decimals$}").parse::<u32>().ok()? };
    let good = fraction.bytes().all(|b| b.is_ascii_digit()) && (whole.len() <= 2 || whole == "100");
    (good && parts + small <= 100 * unit).then_some(parts + small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let nanos = |text| Duration::parse(text).map(Duration::as_nanos);
        assert_eq!(nanos("250ms"), Some(250_000_000));
        assert_eq!(nanos("1m30s"), Some(90_000_000_000));
        assert_eq!(nanos("0s"), Some(0));
        // The largest of all fits.
        assert!(nanos("99999d99999h99999m99999s999999999ms999999999us999999999ns").is_some());
        for bad in ["", "5", "1.5s", "-1s", "1s1m", "1s1s", "100000s", "5 s", "s", "1w", "1S"] {
            assert_eq!(nanos(bad), None, "{bad}");
        }
        for text in ["250ms", "1m30s", "0s", "2d3h", "1s1ns"] {
            assert_eq!(Duration::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Duration::repair("5 seconds").as_deref(), Some("5s"));
        assert_eq!(Duration::repair("1.5s").as_deref(), Some("1s500ms"));
        assert_eq!(Duration::repair("0.5 Minutes").as_deref(), Some("30s"));
        // Nobody knows the unit.
        assert_eq!(Duration::with_unit("5"), None);
        assert_eq!(Duration::with_units("5"), ["5s", "5ms", "5m"]);
        assert_eq!(Duration::with_units("0.25"), ["250ms", "250us", "15s"]);
    }

    #[test]
    fn percentages_are_exact() {
        let points = |text| Percent::parse(text).map(Percent::basis_points);
        assert_eq!(points("5%"), Some(500));
        assert_eq!(points("0.5%"), Some(50));
        assert_eq!(points("99.99%"), Some(9999));
        assert_eq!(points("100.00%"), Some(10_000));
        for bad in ["5", "%", "100.01%", "101%", "0.001%", "1.%", ".5%", "-1%", "1 %", "050%", "1e1%"] {
            assert_eq!(points(bad), None, "{bad}");
        }
        assert_eq!(Percent::parse("0.50%").unwrap().to_string(), "0.5%");
        // Up to 1 it may be a share of one.
        assert_eq!(Percent::with_unit("5").as_deref(), Some("5%"));
        assert_eq!(Percent::with_unit("1.5").as_deref(), Some("1.5%"));
        for number in ["0.05", "1", "1.0", "-5"] {
            assert_eq!(Percent::with_unit(number), None, "{number}");
        }
        assert_eq!(Percent::with_units("0.05"), ["5%", "0.05%"]);
        assert_eq!(Percent::with_units("0.125"), ["12.5%"]);
        assert_eq!(Percent::with_units("1"), ["100%", "1%"]);
        assert_eq!(Percent::suggest("0,5 %").as_deref(), Some("write `0.5%`"));
        assert_eq!(FinePercent::parse("99.995%").map(FinePercent::millionths), Some(999_950));
    }

    #[test]
    fn rates_and_sizes() {
        let rate = Rate::parse("3000/m").unwrap();
        assert_eq!((rate.count(), rate.per_seconds(), rate.to_string().as_str()), (3000, 60, "3000/m"));
        for bad in ["50", "0/s", "50/d", "/s", "1.5/s", "9999999999/s", "050/s"] {
            assert_eq!(Rate::parse(bad), None, "{bad}");
        }
        assert_eq!(ByteSize::parse("1MiB").map(ByteSize::bytes), Some(1 << 20));
        assert_eq!(ByteSize::parse("1536KiB").unwrap().to_string(), "1536KiB");
        assert_eq!(ByteSize::parse("1MB"), None);
        assert_eq!(ByteSize::repair("1 mib").as_deref(), Some("1MiB"));
        assert_eq!(ByteSize::repair("1 MB"), None);
        assert_eq!(ByteSize::suggest("1 MB").as_deref(), Some("write `1MiB` or `1000000B`"));
    }
}
