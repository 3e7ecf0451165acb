//! The configuration an agent's sections give (L-79), read from JSON.
//!
//! Never: checks keys (the type checker did) or keeps money: it makes the limit nodes that the ledger fills.

use crate::ledger::money::MicroUsd;
use crate::ledger::quota::{LimitContext, Quota, QuotaAction, for_message};
use serde_json::Value;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub struct AgentConfig {
    /// The agent's type: the name its quota goes by.
    pub name: Arc<str>,
    /// The `memory` section as JSON, null if there is none.
    pub memory: Value,
    /// The `cost_policy` section as JSON, null if there is none.
    pub cost_policy: Value,
    pub max_cost_per_decision: Option<MicroUsd>,
    pub quota: Quota,
}

impl AgentConfig {
    #[must_use]
    pub fn read(name: &Arc<str>, json: &Value) -> Self {
        let section = |key: &str| json.get(key).cloned().unwrap_or(Value::Null);
        let cost_policy = section("cost_policy");
        let amount = |section: &Value, key: &str| MicroUsd::from_json(section.get(key)?);
        let quota = cost_policy.get("quota").unwrap_or(&Value::Null);
        Self {
            name: Arc::clone(name),
            memory: section("memory"),
            max_cost_per_decision: amount(&cost_policy, "max_cost_per_decision"),
            quota: Quota {
                hourly: amount(quota, "hourly"),
                daily: amount(quota, "daily"),
                total: amount(quota, "total"),
                on_exceed: read_action(quota.get("on_exceed").unwrap_or(&Value::Null)),
            },
            cost_policy,
        }
    }

    /// The limits of one message: what the request carries, the agent's quotas, the decision. What to do when a quota is
    /// passed is the quota's; the bound of a decision stops.
    #[must_use]
    pub fn limits(&self, carried: LimitContext, behavior: &str) -> LimitContext {
        Some(for_message(carried, &self.name, behavior, &self.quota, self.max_cost_per_decision))
    }
}

/// A variant of `QuotaAction` as L-121 writes it: its name, or an object with `kind` and the payload.
#[must_use]
pub fn read_action(json: &Value) -> QuotaAction {
    let kind = json.as_str().or_else(|| json.get("kind")?.as_str()).unwrap_or("Stop");
    let payload = || json.get("value").and_then(Value::as_str).unwrap_or_default().into();
    match kind {
        "Ask" => QuotaAction::Ask,
        "Alert" => QuotaAction::Alert(payload()),
        "Degrade" => QuotaAction::Degrade(payload()),
        _ => QuotaAction::Stop,
    }
}

#[cfg(test)]
mod tests {
    use super::AgentConfig;
    use crate::ledger::money::MicroUsd;
    use crate::ledger::quota::{LimitKind, QuotaAction, Window};
    use serde_json::json;

    #[test]
    fn the_sections_of_an_agent_become_limits() {
        let json = json!({
            "memory": { "short_term": { "kind": "FIFO", "capacity": 50 } },
            "cost_policy": {
                "max_cost_per_decision": 0.1,
                "quota": { "daily": 5, "on_exceed": { "kind": "Alert", "value": "enough" } },
            },
        });
        let config = AgentConfig::read(&"Trader".into(), &json);
        assert_eq!(config.quota.daily, Some(MicroUsd(5_000_000)));
        assert_eq!(config.quota.on_exceed, QuotaAction::Alert("enough".into()));
        let decision = config.limits(None, "decide").unwrap();
        assert_eq!(decision.kind(), &LimitKind::Decision("Trader.decide".into()));
        assert_eq!(decision.limit(), Some(MicroUsd(100_000)));
        assert_eq!(decision.on_exceed(), QuotaAction::Stop);
        let quota = decision.parent().as_ref().unwrap();
        assert_eq!(quota.kind(), &LimitKind::AgentQuota("Trader".into(), Window::Day));
        assert!(quota.parent().is_none());
    }

    #[test]
    fn without_sections_a_decision_only_counts() {
        let limits = AgentConfig::read(&"A".into(), &json!({})).limits(None, "b").unwrap();
        assert_eq!((limits.limit(), limits.parent().is_none()), (None, true));
    }
}
