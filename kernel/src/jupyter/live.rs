//! The comm target `ag.live`: agents, ledger and trace as JSON for live panels (docs/live.md).
//!
//! Messages are taken in the order they came. What changed is pushed at most every [`EVERY`], from the editors' thread;
//! while no comm is open nothing is computed. Data of a shape it does not know is read as if it were absent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::jupyter::Kernel;
use crate::jupyter::wire::Request;
use crate::render;
use crate::session::seat::{Beside, Topic};

pub const TARGET: &str = "ag.live";
/// Below what an eye follows, above what a browser can draw.
const EVERY: Duration = Duration::from_millis(250);
/// A panel needs one; a client that leaks them stops here.
const MOST: usize = 64;

#[derive(Default)]
pub struct Live {
    comms: Mutex<BTreeMap<String, Panel>>,
    /// Whether somebody pushes. Changed under the lock of the comms.
    is_pushing: AtomicBool,
}

/// One open comm.
struct Panel {
    /// What opened it: its messages name it as their parent.
    opened_by: Arc<Request>,
    topics: Vec<Topic>,
    /// What it was told last.
    told: BTreeMap<Topic, Value>,
}

impl Live {
    /// The content of `comm_info_reply`.
    pub fn info(&self, target: Option<&str>) -> Value {
        let comms = self.comms.lock();
        let is_wanted = target.is_none_or(|target| target == TARGET);
        let ids = comms.keys().filter(|_| is_wanted);
        let comms: Map<String, Value> =
            ids.map(|id| (id.clone(), json!({ "target_name": TARGET }))).collect();
        json!({ "status": "ok", "comms": comms })
    }

    pub async fn open(&self, kernel: &Arc<Kernel>, request: &Arc<Request>) {
        let id = request.text("comm_id");
        let is_known = request.text("target_name") == TARGET && !id.is_empty();
        if !is_known || self.comms.lock().len() >= MOST {
            // The protocol wants an unknown target closed at once.
            let content = json!({ "comm_id": id, "data": {} });
            return kernel.iopub.publish("comm_close", Some(request), &content);
        }
        let topics = topics(request, "topics").unwrap_or(Topic::ALL.to_vec());
        let panel = Panel { opened_by: Arc::clone(request), topics, told: BTreeMap::new() };
        let is_pushing = {
            let mut comms = self.comms.lock();
            comms.insert(id.to_owned(), panel);
            self.is_pushing.swap(true, Ordering::SeqCst)
        };
        self.tell(kernel, Some(id), None).await;
        if !is_pushing {
            tokio::spawn(push(Arc::downgrade(kernel)));
        }
    }

    /// `{"get": [..]}` is answered whether anything changed or not; everything else is ignored.
    pub async fn message(&self, kernel: &Arc<Kernel>, request: &Arc<Request>) {
        let id = request.text("comm_id");
        let is_open = self.comms.lock().contains_key(id);
        if let Some(wanted) = topics(request, "get").filter(|_| is_open) {
            self.tell(kernel, Some(id), Some((wanted, request))).await;
        }
    }

    pub fn close(&self, request: &Request) {
        self.comms.lock().remove(request.text("comm_id"));
    }

    /// Sends what changed to one comm, or to all; or what was asked for.
    async fn tell(
        &self,
        kernel: &Arc<Kernel>,
        only: Option<&str>,
        asked: Option<(Vec<Topic>, &Arc<Request>)>,
    ) {
        let is_meant = |id: &str| only.is_none_or(|only| only == id);
        let mut wanted: Vec<Topic> = match &asked {
            Some((topics, _)) => topics.clone(),
            None => {
                let comms = self.comms.lock();
                let meant = comms.iter().filter(|(id, _)| is_meant(id));
                meant.flat_map(|(_, panel)| panel.topics.clone()).collect()
            }
        };
        wanted.sort();
        wanted.dedup();
        let told = Arc::clone(&kernel.told);
        let job = move |_: &mut ()| match told.wait() {
            Ok(session) => facts(session, &wanted),
            Err(_) => Vec::new(),
        };
        let now = kernel.editor.run(job).await.unwrap_or_default();
        let mut comms = self.comms.lock();
        for (id, panel) in comms.iter_mut().filter(|(id, _)| is_meant(id)) {
            let changed = now.iter().filter(|(topic, facts)| {
                let is_new =
                    || panel.topics.contains(topic) && panel.told.get(topic) != Some(facts);
                asked.is_some() || is_new()
            });
            let changed: Vec<&(Topic, Value)> = changed.collect();
            if changed.is_empty() {
                continue;
            }
            let data: Map<String, Value> = changed
                .iter()
                .map(|(topic, facts)| (topic.name().to_owned(), facts.clone()))
                .collect();
            let parent = asked.as_ref().map_or(&panel.opened_by, |(_, request)| request);
            let content = json!({ "comm_id": id, "data": data });
            kernel.iopub.publish("comm_msg", Some(parent), &content);
            panel.told.extend(changed.into_iter().cloned());
        }
    }
}

fn facts(session: &Beside, wanted: &[Topic]) -> Vec<(Topic, Value)> {
    let one = |topic: &Topic| Some((*topic, render::facts(&session.live(*topic)?)?));
    wanted.iter().filter_map(one).collect()
}

/// Pushes until the last comm is closed.
async fn push(kernel: std::sync::Weak<Kernel>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(kernel) = kernel.upgrade() else { return };
        {
            // Under the lock: who opens one meanwhile starts the next push.
            let comms = kernel.live.comms.lock();
            if comms.is_empty() {
                kernel.live.is_pushing.store(false, Ordering::SeqCst);
                return;
            }
        }
        kernel.live.tell(&kernel, None, None).await;
    }
}

/// The topics a message names under a key; none if it names no list.
fn topics(request: &Request, key: &str) -> Option<Vec<Topic>> {
    let named = request.content.get("data")?.get(key)?.as_array()?;
    let is_named = |topic: &Topic| named.iter().any(|name| name.as_str() == Some(topic.name()));
    Some(Topic::ALL.into_iter().filter(is_named).collect())
}
