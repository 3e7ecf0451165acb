//! Progress for what cannot be redrawn: a line at each milestone, and the last state of what never got full.

use std::collections::BTreeMap;

use ag_kernel::output::ProgressView;

pub struct Milestones {
    steps: u64,
    bars: BTreeMap<String, Bar>,
}

struct Bar {
    step: u64,
    held: Option<ProgressView>,
}

impl Milestones {
    /// So many lines from empty to full.
    pub fn new(steps: u64) -> Milestones {
        Milestones { steps, bars: BTreeMap::new() }
    }

    /// The state, if it passed a milestone.
    pub fn take(&mut self, view: ProgressView) -> Option<ProgressView> {
        if view.done >= view.total {
            self.bars.remove(&view.id);
            return Some(view);
        }
        let step = u128::from(view.done) * u128::from(self.steps) / u128::from(view.total.max(1));
        let step = u64::try_from(step).unwrap_or(self.steps);
        match self.bars.get_mut(&view.id) {
            Some(bar) if step <= bar.step => {
                bar.held = Some(view);
                None
            }
            _ => {
                self.bars.insert(view.id.clone(), Bar { step, held: None });
                Some(view)
            }
        }
    }

    /// The cell ended: where its bars stopped between two milestones.
    pub fn drain(&mut self) -> Vec<ProgressView> {
        std::mem::take(&mut self.bars).into_values().filter_map(|bar| bar.held).collect()
    }
}

#[cfg(test)]
mod tests {
    use ag_kernel::output::ProgressView;

    use super::Milestones;

    #[test]
    fn a_long_way_is_a_few_lines() {
        let mut milestones = Milestones::new(4);
        let view = |done| ProgressView {
            id: "p".into(),
            label: String::new(),
            done,
            total: 1000,
            update: done > 0,
        };
        let mut told: Vec<u64> =
            (0..=1000).filter_map(|done| milestones.take(view(done))).map(|v| v.done).collect();
        assert_eq!(told, [0, 250, 500, 750, 1000]);
        told = (0..=300).filter_map(|done| milestones.take(view(done))).map(|v| v.done).collect();
        assert_eq!(told, [0, 250]);
        assert_eq!(milestones.drain(), [view(300)]);
        assert_eq!(milestones.drain(), []);
    }
}
