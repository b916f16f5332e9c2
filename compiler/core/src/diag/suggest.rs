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

/// The known name that `word` surely is a slip of, so that a repair may write it: one that differs in letter case and
/// punctuation alone ([`restyled`]), or else one edit away. Then both have four letters at least, the edit touches no digit
/// (`p95` is no slip of `p99`), and no other name is as near.
pub fn slip<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(name) = restyled(word, known.iter().copied()) {
        return Some(name);
    }
    let folded: Vec<char> = word.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect();
    if !(SHORTEST_SLIP..=LONGEST).contains(&folded.len()) {
        return None;
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let near = |name: &&&str| {
        let other: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
        other.len() >= SHORTEST_SLIP
            && other.len().abs_diff(folded.len()) <= 1
            && distance(&folded, &other) <= 1
    };
    let mut found = known.iter().filter(near);
    let first = found.next()?;
    let alone = found.all(|other| other == first);
    (alone && digits(first) == digits(word)).then_some(*first)
}

/// The only known name that has the same letters and digits as `word`, in whatever case and with whatever between them.
pub fn restyled<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let written = letters(word);
    let mut found = known.into_iter().filter(|name| !written.is_empty() && letters(name) == written);
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// Letters of the shortest word of which one letter may be wrong.
const SHORTEST_SLIP: usize = 4;

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
    #[test]
    fn sure_slips_are_near_and_alone() {
        let names = ["timeout", "perTryTimeout", "host", "hosts", "p95", "p99", "path", "min"];
        assert_eq!(slip("timeuot", names), Some("timeout"));
        assert_eq!(slip("per_try_timeout", names), Some("perTryTimeout"));
        assert_eq!(slip("HOST", names), Some("host"));
        // `host` and `hosts` are both one edit away.
        assert_eq!(slip("hostz", names), None);
        assert_eq!(slip("p98", names), None);
        assert_eq!(slip("mx", names), None);
        assert_eq!(slip("web-eu", ["web-us"]), None);
        assert_eq!(slip("v11x", ["v12x"]), None);
    }

    #[test]
    fn a_name_that_is_only_styled_otherwise_is_found_if_it_is_the_only_one() {
        assert_eq!(restyled("Order_API", ["order-api", "orders"]), Some("order-api"));
        assert_eq!(restyled("order_api", ["order-api", "orderapi"]), None);
        assert_eq!(restyled("web-eu", ["web-us"]), None);
        assert_eq!(restyled("--", ["-"]), None);
    }
}
