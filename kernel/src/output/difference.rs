//! Where two texts differ, in as many lines as a person reads: what an assertion that compared them shows.

/// Texts up to this many characters are compared by looking.
const SHORT: usize = 40;
/// Lines of the difference at most.
const LINES: usize = 24;
/// Equal lines shown before and after different ones.
const AROUND: usize = 2;
/// Characters shown before and after the first different one.
const WINDOW: usize = 30;
/// Tables of lines beyond this are not filled: the lines from the first to the last difference are shown as they are.
const CELLS: usize = 1_000_000;

/// Nothing if both are short or equal. Lines start with `- ` (only left), `+ ` (only right) or two blanks.
pub fn difference(left: &str, right: &str) -> Vec<String> {
    let is_short = |text: &str| text.chars().count() <= SHORT && !text.contains('\n');
    if left == right || (is_short(left) && is_short(right)) {
        return Vec::new();
    }
    if !left.contains('\n') && !right.contains('\n') {
        return within_line(left, right);
    }
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    folded(&by_line(&left, &right))
}

fn within_line(left: &str, right: &str) -> Vec<String> {
    let same = left.chars().zip(right.chars()).take_while(|(a, b)| a == b).count();
    let start = same.saturating_sub(WINDOW);
    let part = |text: &str| {
        let shown: String = text.chars().skip(start).take(2 * WINDOW).collect();
        let before = if start > 0 { "…" } else { "" };
        let after = if text.chars().count() > start + 2 * WINDOW { "…" } else { "" };
        format!("{before}{shown}{after}")
    };
    let mark = " ".repeat(same - start + usize::from(start > 0));
    vec![
        format!("- {}", part(left)),
        format!("+ {}", part(right)),
        format!("  {mark}^ character {}", same + 1),
    ]
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Left,
    Right,
}

type Row<'t> = (Side, &'t str);

fn by_line<'t>(left: &[&'t str], right: &[&'t str]) -> Vec<Row<'t>> {
    let head = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let (rest_left, rest_right) =
        (left.get(head..).unwrap_or(&[]), right.get(head..).unwrap_or(&[]));
    let tail = rest_left.iter().rev().zip(rest_right.iter().rev()).take_while(|(a, b)| a == b);
    let tail = tail.count();
    let middle = |rest: &[&'t str]| rest.get(..rest.len() - tail).unwrap_or(&[]).to_vec();
    let end = rest_left.get(rest_left.len() - tail..).unwrap_or(&[]);
    let both = |lines: &[&'t str]| -> Vec<Row<'t>> {
        lines.iter().map(|line| (Side::Both, *line)).collect()
    };
    let mut rows = both(left.get(..head).unwrap_or(&[]));
    rows.extend(changed(&middle(rest_left), &middle(rest_right)));
    rows.extend(both(end));
    rows
}

/// The longest common subsequence, by the table that everybody knows.
fn changed<'t>(left: &[&'t str], right: &[&'t str]) -> Vec<Row<'t>> {
    let only = |side: Side, lines: &[&'t str]| -> Vec<Row<'t>> {
        lines.iter().map(|line| (side, *line)).collect()
    };
    let width = right.len() + 1;
    if left.len().saturating_mul(width) > CELLS {
        let mut rows = only(Side::Left, left);
        rows.extend(only(Side::Right, right));
        return rows;
    }
    let mut common = vec![0u32; (left.len() + 1) * width];
    let at = |common: &[u32], i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            let best = match left.get(i) == right.get(j) {
                true => at(&common, i + 1, j + 1) + 1,
                false => at(&common, i + 1, j).max(at(&common, i, j + 1)),
            };
            if let Some(cell) = common.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j, mut rows) = (0, 0, Vec::new());
    while let (Some(a), Some(b)) = (left.get(i), right.get(j)) {
        if a == b {
            rows.push((Side::Both, *a));
            (i, j) = (i + 1, j + 1);
        } else if at(&common, i + 1, j) >= at(&common, i, j + 1) {
            rows.push((Side::Left, *a));
            i += 1;
        } else {
            rows.push((Side::Right, *b));
            j += 1;
        }
    }
    rows.extend(only(Side::Left, left.get(i..).unwrap_or(&[])));
    rows.extend(only(Side::Right, right.get(j..).unwrap_or(&[])));
    rows
}

/// Equal lines far from a difference are left out, and so is what is too long.
fn folded(rows: &[Row<'_>]) -> Vec<String> {
    let is_near = |at: usize| {
        let near = at.saturating_sub(AROUND)..(at + AROUND + 1).min(rows.len());
        rows.get(near).unwrap_or(&[]).iter().any(|(side, _)| *side != Side::Both)
    };
    let mut out: Vec<String> = Vec::new();
    let mut has_gap = false;
    for (at, (side, line)) in rows.iter().enumerate() {
        if !is_near(at) {
            if !std::mem::replace(&mut has_gap, true) {
                out.push("  …".to_owned());
            }
            continue;
        }
        has_gap = false;
        let sign = match side {
            Side::Both => "  ",
            Side::Left => "- ",
            Side::Right => "+ ",
        };
        out.push(format!("{sign}{line}"));
    }
    if out.len() > LINES {
        let more = out.len() - LINES;
        out.truncate(LINES);
        out.push(format!("  … {more} more lines"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn short_and_equal_texts_need_none() {
        assert!(difference("a", "b").is_empty());
        assert!(difference(&"a\n".repeat(9), &"a\n".repeat(9)).is_empty());
    }

    #[test]
    fn lines_that_differ_stand_among_their_neighbours() {
        let left = "1\n2\n3\n4\n5\n6\n7\n8";
        let right = "1\n2\n3\n4\nfive\n6\n7\n8\n9";
        let found = difference(left, right);
        assert_eq!(found, ["  …", "  3", "  4", "- 5", "+ five", "  6", "  7", "  8", "+ 9"]);
    }

    #[test]
    fn a_long_line_shows_the_first_different_character() {
        let left = format!("{} lazy dog", "x".repeat(50));
        let right = format!("{} lazy cat", "x".repeat(50));
        let found = difference(&left, &right);
        assert_eq!(found.len(), 3);
        assert!(found[2].ends_with("^ character 57"), "{found:?}");
        let column = |line: &str, c: char| line.chars().position(|other| other == c);
        assert_eq!(column(&found[2], '^'), column(&found[0], 'd'), "{found:?}");
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let left: String = (0..100).map(|n| format!("a{n}\n")).collect();
        let right: String = (0..100).map(|n| format!("b{n}\n")).collect();
        let found = difference(&left, &right);
        assert_eq!(found.len(), 25);
        assert!(found[24].contains("176 more"), "{found:?}");
    }
}
