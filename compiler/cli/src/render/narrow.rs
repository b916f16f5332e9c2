//! Long lines in a narrow terminal: cut around the words that a finding is about.

/// What stands in place of what was cut.
const GAP: &str = "...";

/// A text in which long lines are cut.
#[derive(Debug)]
pub(super) struct Narrowed {
    pub(super) text: String,
    /// Ranges that were cut, in order; each became [`GAP`].
    cuts: Vec<(usize, usize)>,
}

/// Cuts the lines around `places` (the first is the one that matters most) to `width` characters, so that the words at the
/// places stay as far as they fit.
pub(super) fn narrowed(text: &str, places: &[(usize, usize)], width: usize) -> Narrowed {
    let mut cuts = Vec::new();
    let mut start = 0;
    let lines: Vec<(usize, &str)> = text
        .split_inclusive('\n')
        .map(|line| {
            start += line.len();
            (start - line.len(), line.trim_end_matches(['\n', '\r']))
        })
        .collect();
    let on = |at: usize| lines.partition_point(|(start, _)| *start <= at).saturating_sub(1);
    for (number, (start, line)) in lines.iter().enumerate() {
        let near = places.iter().any(|(at, _)| on(*at).abs_diff(number) <= 1);
        if !near || line.chars().count() <= width {
            continue;
        }
        let here = places.iter().find(|(at, _)| on(*at) == number);
        let (from, to) =
            here.map_or((0, 0), |(from, to)| (from - start, (*to).min(start + line.len()) - start));
        cuts.extend(window(line, from, to, width).into_iter().map(|(a, b)| (start + a, start + b)));
    }
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (a, b) in &cuts {
        out.push_str(text.get(end..*a).unwrap_or_default());
        out.push_str(GAP);
        end = *b;
    }
    out.push_str(text.get(end..).unwrap_or_default());
    Narrowed { text: out, cuts }
}

/// The ranges of a line that are cut so that `from..to` stays and `width` characters are left.
fn window(line: &str, from: usize, to: usize, width: usize) -> Vec<(usize, usize)> {
    let offsets: Vec<usize> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
    let column = |at: usize| offsets.partition_point(|offset| *offset < at);
    let at = |column: usize| offsets.get(column).copied().unwrap_or(line.len());
    let all = offsets.len() - 1;
    let room = width.saturating_sub(2 * GAP.len()).max(1);
    let words = column(to).saturating_sub(column(from)).min(room);
    // The words a third of the way in, more of what stands before them where nothing follows.
    let first = column(from).saturating_sub((room - words) / 3).min(all.saturating_sub(room));
    let last = (first + room).min(all);
    let mut cuts = Vec::new();
    if first > GAP.len() {
        cuts.push((0, at(first)));
    }
    if all - last > GAP.len() {
        cuts.push((at(last), line.len()));
    }
    cuts
}

impl Narrowed {
    /// Where a byte of the whole text stands now; of what was cut, the gap.
    pub(super) fn offset(&self, at: usize) -> usize {
        let mut moved = at;
        for (a, b) in &self.cuts {
            if at >= *b {
                moved = moved + GAP.len() - (b - a);
            } else if at > *a {
                moved -= at - a;
            }
        }
        moved
    }

    /// Where a byte of this text stood.
    pub(super) fn original(&self, at: usize) -> usize {
        let mut original = at;
        for (a, b) in &self.cuts {
            if original >= a + GAP.len() {
                original = original - GAP.len() + (b - a);
            }
        }
        original
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_stay_and_places_move() {
        let line = format!("{}words{}\n", "a".repeat(60), "b".repeat(60));
        let text = format!("short\n{line}short\n");
        let at = 66;
        let narrow = narrowed(&text, &[(at, at + 5)], 40);
        let shown: Vec<&str> = narrow.text.lines().collect();
        assert_eq!(shown.first().zip(shown.last()), Some((&"short", &"short")));
        assert_eq!(shown.get(1).map(|line| line.len()), Some(40));
        let moved = narrow.offset(at);
        assert_eq!(narrow.text.get(moved..moved + 5), Some("words"));
        assert_eq!(narrow.original(moved), at);
        assert_eq!(narrow.offset(text.len()), narrow.text.len());
    }

    #[test]
    fn what_fits_is_left_alone() {
        let text = "a: b\nc: d\n";
        assert_eq!(narrowed(text, &[(0, 1)], 40).text, text);
    }
}
