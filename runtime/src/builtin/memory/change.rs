//! `@update` and `@forget`: what becomes of an episode. Both return when it is on disk.
//!
//! An id is all that is needed: whoever was given one may say how that episode ended. Never: changes what was remembered.

use super::{asker, fail, memory_of, refuse};
use crate::builtin::declare::{Outcome, Word};
use crate::context::Cx;
use crate::context::door::Begun;
use crate::fault::{Faulted, code};
use crate::journal::effect::Payload;
use crate::journal::fingerprint::Fingerprint;
use crate::memory::agent::{AgentMemory, Asker};
use crate::memory::episode::{EpisodeId, Outcome as Ending};
use crate::memory::store::Change;
use crate::telemetry::event::Kind;
use crate::value::json::to_json;
use crate::value::prelude::{episode_id, outcome as outcome_shape};
use serde_json::{Value, json};
use std::sync::Arc;

pub fn conclude(cx: &mut Cx, id: Word, outcome: Word) -> Outcome<()> {
    let outcome = to_json(outcome.0, outcome_shape()).unwrap_or_default();
    let known = outcome.get("value").and_then(Value::as_str);
    let ending = known.map_or(Ending::Pending, |text| Ending::Known(text.into()));
    change(cx, id, Change::Concluded(ending))
}

pub fn forget(cx: &mut Cx, id: Word) -> Outcome<()> {
    change(cx, id, Change::Forgotten)
}

fn change(cx: &mut Cx, id: Word, change: Change) -> Outcome<()> {
    let memory = memory_of(cx)?;
    let text = to_json(id.0, episode_id()).unwrap_or_default();
    let Some(id) = text.as_str().and_then(EpisodeId::parse) else {
        return fail(cx, code::KEY, &format!("no memory has the episode {text}"));
    };
    let print = Fingerprint::of_json(&json!({
        "id": id.to_string(),
        "outcome": match &change {
            Change::Concluded(ending) => ending.text(),
            Change::Forgotten => "forgotten",
        },
    }));
    let asker = asker(cx);
    let changing = Changing { memory, id, change, print, asker };
    if cx.is_holding() {
        cx.hold_back(Box::new(move |cx| changing.run(cx)));
        return Ok(());
    }
    changing.run(cx)
}

/// A change on its way to the store.
struct Changing {
    memory: Arc<AgentMemory>,
    id: EpisodeId,
    change: Change,
    print: Fingerprint,
    asker: Asker,
}

impl Changing {
    fn run(self, cx: &mut Cx) -> Outcome<()> {
        let Self { memory, id, change, print, asker } = self;
        cx.record(Kind::MemoryWrite);
        let pending = match cx.begin("memory.write", print)? {
            Begun::Live(pending) => pending,
            Begun::Given(line) => return cx.given(*line).map(drop),
        };
        let result = cx.wait_briefly(move |completer| {
            let done = Box::new(move |result| completer.complete(result));
            memory.change(id, change, &asker, done);
        });
        match result {
            Ok(Ok(_)) => {
                pending.done(Payload::free(Value::Null));
                Ok(())
            }
            Ok(Err(error)) => {
                pending.failed(&format!("{}: {error}", error.code()));
                refuse(cx, &error)
            }
            Err(Faulted) => {
                pending.failed(&"cancelled");
                Err(Faulted)
            }
        }
    }
}
