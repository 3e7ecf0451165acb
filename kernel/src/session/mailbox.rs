//! What `:mailbox` shows: one agent's mailbox at this moment.

use std::sync::Arc;

use ag_runtime::actor::kind::Priority;
use ag_runtime::actor::peek::{Peeked, Waiting};
use ag_runtime::actor::queues::Rank;
use ag_runtime::actor::reference::AgentRef;
use ag_runtime::actor::slab::About;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::shape::{Shape, shape};
use ag_runtime::world::World;

use crate::output::table::{Column, TableView};
use crate::render::number::duration;

/// Messages that are listed; the count tells of more.
const LISTED: usize = 100;

/// The mailbox of `wanted`: `Worker#3`, `#3`, or the name of the only agent of its kind.
pub fn named(world: &Arc<World>, wanted: &str) -> Option<TableView> {
    let agents: Vec<About> = world.agents().tenants().map(|(about, _)| about).collect();
    let is_numbered = |about: &&About| name(about) == wanted || number(about) == wanted;
    let mut of_kind = agents.iter().filter(|about| *about.kind.name == *wanted);
    let found =
        agents.iter().find(is_numbered).or_else(|| match (of_kind.next(), of_kind.next()) {
            (only, None) => only,
            _ => None,
        });
    of(world, found?.reference)
}

/// The mailbox of the agent that a value refers to.
pub fn referred(world: &Arc<World>, value: &Owned) -> Option<TableView> {
    match shape(value.shape()) {
        Shape::AgentRef(_) => of(world, AgentRef::unpack(value.value())?),
        _ => None,
    }
}

fn of(world: &Arc<World>, agent: AgentRef) -> Option<TableView> {
    let slot = world.agents().slot(agent.slot)?;
    let about = slot.about().filter(|about| about.reference == agent)?;
    let peeked = slot.mailbox.peek(agent.generation, LISTED)?;
    let mut table = TableView::new(vec![
        Column::right(""),
        Column::left("behavior"),
        Column::left("arguments"),
        Column::left("from"),
        Column::left("kind"),
        Column::right("waits"),
    ]);
    table.title = Some(title(&about, &peeked));
    let now = world.clock().monotonic_ns();
    for (at, waiting) in peeked.waiting.iter().enumerate() {
        table.push(vec![
            (at + 1).to_string().into(),
            waiting.behavior.to_string().into(),
            waiting.payload.clone().into(),
            sender(world, waiting).into(),
            kind(waiting).into(),
            duration(now.saturating_sub(waiting.sent_ns)).into(),
        ]);
    }
    table.total_rows = peeked.counts.waiting as usize;
    Some(table)
}

fn title(about: &About, peeked: &Peeked) -> String {
    let Peeked { marks, counts, .. } = peeked;
    let (name, room) = (name(about), marks.capacity);
    format!("{name}: {} waiting, room for {room}; {} handled", counts.waiting, counts.handled)
}

fn name(about: &About) -> String {
    format!("{}{}", about.kind.name, number(about))
}

fn number(about: &About) -> String {
    format!("#{}", about.actor.number())
}

fn sender(world: &Arc<World>, waiting: &Waiting) -> String {
    let Some(sender) = waiting.sender else { return "the session".to_owned() };
    let about = world.agents().slot(sender.slot).and_then(|slot| slot.about());
    let about = about.filter(|about| about.reference == sender);
    about.map_or_else(|| "an agent that stopped".to_owned(), |about| name(&about))
}

fn kind(waiting: &Waiting) -> String {
    let what = if waiting.is_request { "request" } else { "signal" };
    let level = match waiting.rank {
        Rank::Alert => ", alert",
        Rank::Level(Priority::High) => ", high",
        Rank::Level(Priority::Normal) => "",
        Rank::Level(Priority::Low) => ", low",
    };
    format!("{what}{level}")
}
