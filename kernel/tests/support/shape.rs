//! Compares a text with a shape: in a block `output like`, `*` stands for any part of a line, and a line that is only `*`
//! for at least one line. For what differs from run to run and from machine to machine: times, addresses, instructions.

/// Whether the text has the shape.
pub fn matches(shape: &str, text: &str) -> bool {
    let shape: Vec<&str> = shape.lines().collect();
    let text: Vec<&str> = text.lines().collect();
    lines(&shape, &text)
}

fn lines(shape: &[&str], text: &[&str]) -> bool {
    match (shape.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some(_), None) => false,
        (Some((&"*", after)), Some((_, rest))) => lines(after, rest) || lines(shape, rest),
        (Some((wanted, after)), Some((line, rest))) => part(wanted, line) && lines(after, rest),
    }
}

fn part(wanted: &str, line: &str) -> bool {
    match wanted.split_once('*') {
        None => wanted == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            let mut starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            starts.any(|at| part(after, &rest[at..]))
        }),
    }
}
