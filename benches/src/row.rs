//! A result: one JSON line, with everything needed to judge it years later.

use serde::{Deserialize, Serialize};

use crate::targets::{GoalKind, Target};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub category: String,
    pub bench: String,
    /// How the samples became the value: `median`, `p95`, `max`.
    pub metric: String,
    pub value: Option<f64>,
    pub unit: String,
    pub better: String,
    pub peer: Option<String>,
    pub peer_version: Option<String>,
    pub peer_value: Option<f64>,
    /// Ours / the peer's, always.
    pub ratio: Option<f64>,
    pub goal: f64,
    pub met: bool,
    /// Run-level: one a process.
    pub samples: Vec<f64>,
    pub load: f64,
    pub commit: String,
    pub skipped_why: Option<String>,
}

/// What a benchmark gives: its own samples and those of the peers it found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    pub metric: &'static str,
    pub samples: Vec<f64>,
    pub peers: Vec<PeerMeasured>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct PeerMeasured {
    pub name: String,
    pub version: String,
    pub samples: Vec<f64>,
}

/// The machine and the tree at the time of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Circumstances {
    pub load: f64,
    pub commit: String,
}

/// Judges a measurement by one target. Whatever is missing is not met, and the row says what it was.
pub fn judge(target: &Target, measured: &Result<Measured, String>, at: &Circumstances) -> Row {
    let mut row = Row {
        category: target.category.clone(),
        bench: target.bench.clone(),
        metric: String::new(),
        value: None,
        unit: target.unit.clone(),
        better: target.better.word().to_owned(),
        peer: target.peer.clone(),
        peer_version: None,
        peer_value: None,
        ratio: None,
        goal: target.goal,
        met: false,
        samples: Vec::new(),
        load: at.load,
        commit: at.commit.clone(),
        skipped_why: None,
    };
    let measured = match measured {
        Ok(measured) => measured,
        Err(why) => return Row { skipped_why: Some(why.clone()), ..row },
    };
    measured.metric.clone_into(&mut row.metric);
    row.samples.clone_from(&measured.samples);
    row.value = median(&measured.samples);
    if let Some(name) = &target.peer {
        match measured.peers.iter().find(|peer| peer.name == *name) {
            Some(peer) => {
                row.peer_version = Some(peer.version.clone());
                row.peer_value = median(&peer.samples);
            }
            None => {
                row.skipped_why =
                    Some(format!("{name} was not measured (make bench-setup installs peers)"))
            }
        }
    }
    row.ratio = row
        .value
        .zip(row.peer_value)
        .filter(|(_, peer)| *peer > 0.0)
        .map(|(ours, peer)| ours / peer);
    let judged = match target.kind {
        GoalKind::Ratio => row.ratio,
        GoalKind::Value => row.value,
    };
    row.met = judged.is_some_and(|value| target.better.reaches(value, target.goal));
    row
}

pub fn median(samples: &[f64]) -> Option<f64> {
    quantile(samples, 0.5)
}

/// The nearest-rank quantile: a value that was really measured.
pub fn quantile(samples: &[f64], share: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::{Circumstances, Measured, PeerMeasured, judge, quantile};
    use crate::targets::{Better, GoalKind, Target};

    fn target(kind: GoalKind, goal: f64) -> Target {
        let peer = (kind == GoalKind::Ratio).then(|| "peer".to_owned());
        let (category, bench, unit) = ("c".to_owned(), "b".to_owned(), "us".to_owned());
        Target { category, bench, unit, better: Better::Lower, peer, goal, kind }
    }

    fn at() -> Circumstances {
        Circumstances { load: 0.0, commit: "abc".to_owned() }
    }

    fn ours(samples: &[f64], peer: Option<&[f64]>) -> Result<Measured, String> {
        let of = |samples: &[f64]| PeerMeasured {
            name: "peer".into(),
            version: "1".into(),
            samples: samples.to_vec(),
        };
        let peers = peer.map(of).into_iter().collect();
        Ok(Measured { metric: "median", samples: samples.to_vec(), peers })
    }

    #[test]
    fn a_ratio_is_ours_by_the_peers() {
        let row =
            judge(&target(GoalKind::Ratio, 0.5), &ours(&[1.0, 2.0, 3.0], Some(&[8.0])), &at());
        assert_eq!((row.value, row.ratio, row.met), (Some(2.0), Some(0.25), true));
        assert_eq!(row.peer_version.as_deref(), Some("1"));
    }

    #[test]
    fn a_lost_peer_is_never_a_win() {
        for peer in [None, Some(&[][..]), Some(&[0.0][..])] {
            let row = judge(&target(GoalKind::Ratio, 0.5), &ours(&[1.0], peer), &at());
            assert!(!row.met && row.ratio.is_none(), "{row:?}");
        }
    }

    #[test]
    fn what_was_not_measured_says_why() {
        let row = judge(&target(GoalKind::Value, 1.0), &Err("no engine".to_owned()), &at());
        assert_eq!((row.met, row.skipped_why.as_deref()), (false, Some("no engine")));
        assert!(!judge(&target(GoalKind::Value, 1.0), &ours(&[], None), &at()).met);
        assert!(judge(&target(GoalKind::Value, 1.0), &ours(&[1.0], None), &at()).met);
    }

    #[test]
    fn quantiles_are_measured_values() {
        let samples = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&samples, 0.5), Some(2.0));
        assert_eq!(quantile(&samples, 0.95), Some(4.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
