//! Numbers in words for people.

/// Basis points as a percentage: `25%`, `0.5%`.
pub(crate) fn share(weight: u32) -> String {
    let (whole, rest) = (weight / 100, weight % 100);
    if rest == 0 { format!("{whole}%") } else { format!("{whole}.{rest:02}%").replace("0%", "%") }
}
