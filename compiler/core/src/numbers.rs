//! Numbers as text.

/// A number in parts of ten to the power of `-places`, in its fewest digits: 50 with two places is `0.5`.
#[must_use]
pub fn decimal(parts: i128, places: u32) -> String {
    let sign = if parts < 0 { "-" } else { "" };
    let parts = parts.unsigned_abs();
    // Ten to the power of 38 is the last that 128 bits hold.
    let unit = 10_u128.pow(places.min(38));
    let fraction = format!("{:0width$}", parts % unit, width = places as usize);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{}", parts / unit),
        fraction => format!("{sign}{}.{fraction}", parts / unit),
    }
}

/// Basis points as a percentage: `25%`, `0.5%`.
#[must_use]
pub fn percent(basis_points: u32) -> String {
    format!("{}%", decimal(basis_points.into(), 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewest_digits() {
        let shown = [0, 5, 50, 100, 1_050, 2_500, 9_999, 10_000].map(percent);
        assert_eq!(shown, ["0%", "0.05%", "0.5%", "1%", "10.5%", "25%", "99.99%", "100%"]);
        assert_eq!((decimal(-1_500_000, 6).as_str(), decimal(7, 0).as_str()), ("-1.5", "7"));
        assert_eq!(decimal(i128::MIN, 38), "-1.70141183460469231731687303715884105728");
    }
}
