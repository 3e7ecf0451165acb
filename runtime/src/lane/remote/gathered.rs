//! What has come of an answer, whole or piece by piece.

use crate::lane::request::{Reply, ToolCall, Usage};
use crate::ledger::money::MicroUsd;
use std::sync::Arc;

#[derive(Default)]
pub struct Gathered {
    pub text: String,
    pub calls: Vec<Asked>,
    pub usage: Option<Usage>,
    /// US dollars, as the provider says.
    pub cost: Option<f64>,
    pub model: Option<Arc<str>>,
    pub id: Option<String>,
    /// The provider said that this is all.
    pub is_over: bool,
    /// It broke off and says why.
    pub error: Option<String>,
}

/// A tool that is asked for, perhaps in pieces.
#[derive(Default)]
pub struct Asked {
    /// Where the protocol counts it.
    pub index: u64,
    pub id: String,
    pub name: String,
    pub arguments: String,
}

impl Gathered {
    /// The tool call of that place, begun if it is new.
    pub fn call(&mut self, index: u64) -> Option<&mut Asked> {
        if !self.calls.iter().any(|call| call.index == index) {
            self.calls.push(Asked { index, ..Asked::default() });
        }
        self.calls.iter_mut().find(|call| call.index == index)
    }

    /// `tokens_in`: what is charged if the provider does not say what it read.
    pub fn into_reply(self, model: &Arc<str>, tokens_in: u64, is_free: bool) -> Reply {
        let calls = self.calls.into_iter().enumerate().map(|(at, call)| ToolCall {
            id: if call.id.is_empty() { format!("call_{at}").into() } else { call.id.into() },
            name: call.name.into(),
            arguments: call.arguments,
        });
        let calls: Vec<ToolCall> = calls.collect();
        let written = self.text.len() + calls.iter().map(|c| c.arguments.len()).sum::<usize>();
        let unknown = Usage { input: tokens_in, output: written as u64, ..Usage::default() };
        Reply {
            text: self.text,
            calls,
            model: self.model.unwrap_or_else(|| Arc::clone(model)),
            usage: self.usage.unwrap_or(unknown),
            // A price of nothing is believed of a lane that has none.
            billed: self.cost.filter(|cost| *cost > 0.0 || is_free).and_then(micro_usd),
            latency_ns: None,
            request_id: self.id,
        }
    }
}

/// Rounded up to a micro-dollar; the tail of a binary fraction is no money.
fn micro_usd(dollars: f64) -> Option<MicroUsd> {
    let micros = (dollars * 1e6 - 1e-6).ceil().max(0.0);
    (micros < 9e15).then_some(MicroUsd(micros as i64))
}

#[cfg(test)]
mod tests {
    use super::micro_usd;
    use crate::ledger::money::MicroUsd;

    #[test]
    fn what_a_provider_bills_is_exact_to_the_micro_dollar() {
        assert_eq!(micro_usd(0.000_123), Some(MicroUsd(123)));
        assert_eq!(micro_usd(0.000_123_4), Some(MicroUsd(124)));
        assert_eq!(micro_usd(0.0), Some(MicroUsd(0)));
        assert_eq!(micro_usd(f64::NAN), Some(MicroUsd(0)));
        assert_eq!(micro_usd(f64::INFINITY), None);
    }
}
