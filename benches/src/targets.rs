//! The closed list: `targets.toml`, which a test compares with docs/benchmarks.md.

/// One goal. A bench compared with two peers has two.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    pub category: String,
    pub bench: String,
    pub unit: String,
    pub better: Better,
    /// None: the goal is ours alone.
    pub peer: Option<String>,
    pub goal: f64,
    pub kind: GoalKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Lower,
    Higher,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoalKind {
    /// Ours divided by the peer's.
    Ratio,
    /// Ours, in the unit.
    Value,
}

impl Better {
    pub fn word(self) -> &'static str {
        match self {
            Better::Lower => "lower",
            Better::Higher => "higher",
        }
    }

    pub fn reaches(self, value: f64, goal: f64) -> bool {
        match self {
            Better::Lower => value <= goal,
            Better::Higher => value >= goal,
        }
    }
}

/// The list as it was when this program was built.
pub fn all() -> Result<Vec<Target>, String> {
    parse(include_str!("../targets.toml"))
}

/// Reads the part of TOML that the file uses: `[[target]]` and `key = value` lines.
pub fn parse(text: &str) -> Result<Vec<Target>, String> {
    let mut blocks: Vec<Vec<(&str, &str)>> = Vec::new();
    for line in
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        match (line, line.split_once(" = ")) {
            ("[[target]]", _) => blocks.push(Vec::new()),
            (_, Some((key, value))) => {
                blocks
                    .last_mut()
                    .ok_or("a key before the first [[target]]")?
                    .push((key, value.trim_matches('"')));
            }
            _ => return Err(format!("cannot read {line:?}")),
        }
    }
    blocks.iter().map(|block| target(block)).collect()
}

fn target(block: &[(&str, &str)]) -> Result<Target, String> {
    let get = |wanted: &str| {
        let found =
            block.iter().find(|(key, _)| *key == wanted).map(|(_, value)| (*value).to_owned());
        found.ok_or_else(|| format!("a target without {wanted}: {block:?}"))
    };
    let better = match get("better")?.as_str() {
        "lower" => Better::Lower,
        "higher" => Better::Higher,
        other => return Err(format!("better is lower or higher, not {other}")),
    };
    let kind = match get("kind")?.as_str() {
        "ratio" => GoalKind::Ratio,
        "value" => GoalKind::Value,
        other => return Err(format!("kind is ratio or value, not {other}")),
    };
    let goal = get("goal")?.parse().map_err(|error| format!("goal: {error}"))?;
    let peer = Some(get("peer")?).filter(|peer| peer != "-");
    Ok(Target {
        category: get("category")?,
        bench: get("bench")?,
        unit: get("unit")?,
        better,
        peer,
        goal,
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::{Better, GoalKind, all, parse};

    #[test]
    fn the_list_is_readable_and_each_ratio_has_a_peer() {
        let list = all().unwrap();
        assert!(list.len() > 70);
        for target in list {
            assert_eq!(target.kind == GoalKind::Ratio, target.peer.is_some(), "{target:?}");
        }
    }

    #[test]
    fn a_goal_is_reached_from_its_own_side() {
        assert!(Better::Lower.reaches(0.0, 0.0) && !Better::Lower.reaches(1.1, 1.0));
        assert!(Better::Higher.reaches(1.0, 0.9) && !Better::Higher.reaches(0.8, 0.9));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(parse("x = 1").is_err() && parse("[[target]]\ncategory = \"a\"").is_err());
    }
}
