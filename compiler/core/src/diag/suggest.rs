//! "Did you mean": the nearest known name.

/// Names longer than this are not compared; names are DNS labels (63) or field names.
const LONGEST: usize = 64;

/// The known name nearest to `word`, if near enough to be a slip: at most one edit in three characters (at least one,
/// at most three), letter case ignored. Edits are insert, delete, replace and swap of neighbours. Equal distances are
/// decided by order of `known`.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect();
    if word.len() > LONGEST {
        return None;
    }
    let bound = (word.len() / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        if name.len() > LONGEST || name.len().abs_diff(word.len()) > bound {
            continue;
        }
        let other: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
        let distance = distance(&word, &other);
        if distance <= bound && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Optimal string alignment distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a: Option<char> = None;
    for (i, ca) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        let mut left = i + 1;
        let mut previous_b: Option<char> = None;
        for (j, cb) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (at(&last, j) + usize::from(ca != cb)).min(at(&last, j + 1) + 1).min(left + 1);
            if j > 0 && previous_a == Some(*cb) && previous_b == Some(*ca) {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            row.push(cost);
            left = cost;
            previous_b = Some(*cb);
        }
        before = std::mem::replace(&mut last, row);
        previous_a = Some(*ca);
    }
    last.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = ["catalog", "cart", "orders", "payments", "timeout", "perTryTimeout"];
        assert_eq!(nearest("catlog", names), Some("catalog"));
        assert_eq!(nearest("oders", names), Some("orders"));
        assert_eq!(nearest("odrers", names), Some("orders"));
        assert_eq!(nearest("timeOut", names), Some("timeout"));
        assert_eq!(nearest("warehouse", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest(&"x".repeat(100_000), names), None);
    }
}
