//! Parallel moves: many registers to many registers as if at once.
//!
//! Never: needs more than one scratch register.

/// One at a time, so that no source is overwritten before it is read.
pub fn in_sequence(moves: &[(u16, u16)], scratch: u16) -> Vec<(u16, u16)> {
    let mut open: Vec<(u16, u16)> = moves.iter().copied().filter(|(to, from)| to != from).collect();
    let mut done = Vec::with_capacity(open.len() + 1);
    while !open.is_empty() {
        let ready = open.iter().position(|(to, _)| open.iter().all(|(_, from)| from != to));
        match ready {
            Some(at) => done.push(open.swap_remove(at)),
            None => break_cycle(&mut open, &mut done, scratch),
        }
    }
    done
}

/// Every target is still to be read: one source goes to the scratch register first.
fn break_cycle(open: &mut [(u16, u16)], done: &mut Vec<(u16, u16)>, scratch: u16) {
    let Some(source) = open.first().map(|(_, from)| *from) else { return };
    done.push((scratch, source));
    for (_, from) in open.iter_mut() {
        if *from == source {
            *from = scratch;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::in_sequence;
    use proptest::collection::vec;
    use proptest::{prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn a_sequence_does_what_the_moves_do_at_once(sources in vec(0u16..8, 0..8)) {
            let moves: Vec<(u16, u16)> =
                sources.iter().enumerate().map(|(to, from)| (to as u16, *from)).collect();
            let before: Vec<u16> = (100..110).collect();
            let mut want = before.clone();
            for (to, from) in &moves {
                want[usize::from(*to)] = before[usize::from(*from)];
            }
            let mut got = before;
            for (to, from) in in_sequence(&moves, 9) {
                got[usize::from(to)] = got[usize::from(from)];
            }
            prop_assert_eq!(&got[..8], &want[..8]);
        }
    }
}
