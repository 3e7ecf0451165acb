//! Progress that is told at most ten times a second: a state between two looks is held back until the next, and the last
//! one is always told. Knows no clock: who asks says when it is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::output::ProgressView;

/// Between two states of one bar: an eye sees it move, a notebook is not flooded.
pub const GAP: Duration = Duration::from_millis(100);

#[derive(Default)]
pub struct Bars {
    bars: BTreeMap<String, Bar>,
}

struct Bar {
    told: Instant,
    held: Option<ProgressView>,
}

impl Bars {
    /// Takes a state; gives it back if it is to be told now.
    pub fn take(&mut self, view: ProgressView, now: Instant) -> Option<ProgressView> {
        if view.done >= view.total {
            // Full: nothing is expected after it.
            self.bars.remove(&view.id);
            return Some(view);
        }
        match self.bars.get_mut(&view.id) {
            Some(bar) if now < bar.told + GAP => {
                bar.held = Some(view);
                None
            }
            _ => {
                self.bars.insert(view.id.clone(), Bar { told: now, held: None });
                Some(view)
            }
        }
    }

    /// When a state that is held back is to be told, if one is.
    pub fn next_due(&self) -> Option<Instant> {
        self.bars.values().filter(|bar| bar.held.is_some()).map(|bar| bar.told + GAP).min()
    }

    /// The states that have been held back long enough.
    pub fn due(&mut self, now: Instant) -> Vec<ProgressView> {
        let ready = self.bars.values_mut().filter(|bar| bar.told + GAP <= now);
        let told = ready.filter_map(|bar| {
            let view = bar.held.take()?;
            bar.told = now;
            Some(view)
        });
        told.collect()
    }

    /// All states that are held back: the cell ends.
    pub fn drain(&mut self) -> Vec<ProgressView> {
        std::mem::take(&mut self.bars).into_values().filter_map(|bar| bar.held).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Bars, GAP};
    use crate::output::ProgressView;

    fn at(done: u64) -> ProgressView {
        ProgressView { id: "p".into(), label: String::new(), done, total: 10, update: done > 0 }
    }

    fn told(bars: &mut Bars, done: u64, now: Instant) -> Option<u64> {
        bars.take(at(done), now).map(|view| view.done)
    }

    #[test]
    fn between_two_looks_the_newest_state_waits() {
        let (mut bars, start) = (Bars::default(), Instant::now());
        assert_eq!(told(&mut bars, 0, start), Some(0));
        assert_eq!(told(&mut bars, 1, start), None);
        assert_eq!(told(&mut bars, 2, start), None);
        assert_eq!(bars.next_due(), Some(start + GAP));
        assert_eq!(bars.due(start), []);
        assert_eq!(bars.due(start + GAP), [at(2)]);
        assert_eq!(bars.next_due(), None);
        assert_eq!(told(&mut bars, 3, start + GAP), None);
        assert_eq!(told(&mut bars, 4, start + 2 * GAP), Some(4));
    }

    #[test]
    fn the_last_state_is_always_told() {
        let (mut bars, start) = (Bars::default(), Instant::now());
        assert_eq!(told(&mut bars, 0, start), Some(0));
        assert_eq!(told(&mut bars, 9, start), None);
        assert_eq!(told(&mut bars, 10, start), Some(10));
        assert_eq!(bars.drain(), []);
        assert_eq!(told(&mut bars, 0, start), Some(0));
        assert_eq!(told(&mut bars, 5, start), None);
        assert_eq!(bars.drain(), [at(5)]);
    }
}
