//! Sums of the ledger's rows by lane, by agent and by cell.

use crate::output::cost::{CostRow, CostView};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `lane`, `agent` or `cell`.
    pub by: &'static str,
    pub name: String,
    pub cost_micro_usd: i64,
    /// The part of it that lanes made up.
    pub made_up_micro_usd: i64,
}

/// All groups, each kind by falling cost; the sum of each kind is the total.
pub fn groups(view: &CostView) -> Vec<Group> {
    let mut out = Vec::new();
    for by in ["lane", "agent", "cell"] {
        let mut groups: Vec<Group> = Vec::new();
        for row in &view.rows {
            let name = name_of(row, by);
            let made_up = if row.made_up { row.cost_micro_usd } else { 0 };
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => {
                    group.cost_micro_usd += row.cost_micro_usd;
                    group.made_up_micro_usd += made_up;
                }
                None => groups.push(Group {
                    by,
                    name: name.to_owned(),
                    cost_micro_usd: row.cost_micro_usd,
                    made_up_micro_usd: made_up,
                }),
            }
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.cost_micro_usd));
        out.append(&mut groups);
    }
    out
}

fn name_of<'a>(row: &'a CostRow, by: &str) -> &'a str {
    let name = match by {
        "lane" => &row.lane,
        "agent" => &row.agent,
        _ => &row.cell,
    };
    if name.is_empty() { "(none)" } else { name }
}

#[cfg(test)]
mod tests {
    use super::groups;
    use crate::output::cost::{CostRow, CostView};

    #[test]
    fn every_kind_of_group_sums_to_the_total() {
        let row = |cell: &str, lane: &str, cost: i64| CostRow {
            cell: cell.into(),
            lane: lane.into(),
            cost_micro_usd: cost,
            made_up: lane == "echo",
            ..CostRow::default()
        };
        let rows = vec![row("1", "echo", 5), row("2", "echo", 7), row("2", "anthropic", 100)];
        let view = CostView { rows, ..CostView::default() };
        let groups = groups(&view);
        for by in ["lane", "agent", "cell"] {
            let of = groups.iter().filter(|group| group.by == by);
            assert_eq!(of.map(|group| group.cost_micro_usd).sum::<i64>(), view.total_micro_usd());
        }
        assert_eq!(groups[0].name, "anthropic");
        assert_eq!((groups[1].cost_micro_usd, groups[1].made_up_micro_usd), (12, 12));
    }
}
