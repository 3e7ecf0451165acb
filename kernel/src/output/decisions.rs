//! What orchestrations decided (`:decisions`), as plain data.

use ag_runtime::coord::decision::{Decision, DecisionLog, Vote};
use ag_runtime::ledger::money::MicroUsd;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DecisionsView {
    /// Oldest first.
    pub decisions: Vec<DecisionRow>,
    /// Earlier ones that are no longer kept.
    pub hidden: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DecisionRow {
    pub number: u64,
    pub cell: u32,
    /// `MarketMonitoring#3`.
    pub agent: String,
    pub decision: String,
    /// `trade: Trade { .. }`, one for each parameter.
    pub input: Vec<String>,
    pub result: Said,
    pub votes: Vec<VoteRow>,
    /// As money is written: `$0.00001`.
    pub cost: String,
    pub recalled: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VoteRow {
    pub by: String,
    pub said: Said,
}

/// A value, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Said {
    pub text: String,
    pub is_fault: bool,
}

impl DecisionsView {
    pub fn of(log: &DecisionLog) -> DecisionsView {
        let decisions: Vec<DecisionRow> = log.all().iter().map(row).collect();
        let hidden = log.count().saturating_sub(decisions.len() as u64);
        DecisionsView { decisions, hidden }
    }
}

impl DecisionRow {
    /// How many votes said the same: the commonest first, then in order of appearance.
    pub fn tally(&self) -> Vec<(&Said, usize)> {
        let mut tally: Vec<(&Said, usize)> = Vec::new();
        for vote in &self.votes {
            match tally.iter_mut().find(|(said, _)| **said == vote.said) {
                Some((_, count)) => *count += 1,
                None => tally.push((&vote.said, 1)),
            }
        }
        tally.sort_by_key(|(said, count)| (said.is_fault, std::cmp::Reverse(*count)));
        tally
    }
}

fn row(decision: &Decision) -> DecisionRow {
    let vote = |vote: &Vote| VoteRow { by: vote.by.clone(), said: said(&vote.said) };
    DecisionRow {
        number: decision.number,
        cell: decision.cell,
        agent: decision.agent.clone(),
        decision: decision.name.to_string(),
        input: decision.input.iter().map(|(name, text)| format!("{name}: {text}")).collect(),
        result: said(&decision.result),
        votes: decision.votes.iter().map(vote).collect(),
        cost: MicroUsd::to_string(&decision.cost),
        recalled: decision.recalled.clone(),
    }
}

fn said(said: &Result<String, String>) -> Said {
    match said {
        Ok(text) => Said { text: text.clone(), is_fault: false },
        Err(fault) => Said { text: fault.clone(), is_fault: true },
    }
}

#[cfg(test)]
mod tests {
    use super::{DecisionRow, Said, VoteRow};

    #[test]
    fn votes_are_counted_by_what_they_said_faults_last() {
        let vote = |by: &str, text: &str, is_fault| VoteRow {
            by: by.into(),
            said: Said { text: text.into(), is_fault },
        };
        let votes = vec![
            vote("a", "R0401", true),
            vote("b", "no", false),
            vote("c", "yes", false),
            vote("d", "R0401", true),
            vote("e", "yes", false),
        ];
        let row = DecisionRow { votes, ..DecisionRow::default() };
        let tally: Vec<_> = row.tally().iter().map(|(said, n)| (said.text.clone(), *n)).collect();
        assert_eq!(tally, [("yes".into(), 2), ("no".into(), 1), ("R0401".into(), 2)]);
    }
}
