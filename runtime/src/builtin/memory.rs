//! Memory: the rows of section 11 whose bodies read and write episodes.

use crate::builtin::declare::{Word, absent, builtins};
use crate::value::shape::ShapeId;

builtins! {
    /// Searches short-term and long-term memory; each Recollection explains its score.
    call "recall" "(query: Text, limit: Int = 10, min_score: Float = 0.0, filter: Dyn = {}) -> List<Recollection>"
        example "@recall(\"similar market patterns\", limit: 5)" => ""
        effects ["memory.read", "suspend"]
        = |cx, _query: Word, _limit: i64, _min_score: f64, _filter: Word| absent(cx, "recall");
    /// Stores an episode, durably when it returns, linked to what this message recalled.
    call "remember" "<C: Json, A: Json>(e: Episode<C, A>, links: List<EpisodeId> = []) -> EpisodeId"
        example "@remember(Episode { context: signal, action: decision, outcome: pending })" => ""
        effects ["memory.write", "suspend"]
        = |cx, _e: Word, _links: Word, _c: ShapeId, _a: ShapeId| absent(cx, "remember");
    /// Records how an episode ended.
    call "update" "(id: EpisodeId, outcome: Outcome) -> Unit"
        example "@update(id, outcome: known(\"profit\"))" => ""
        effects ["memory.write", "suspend"] missing yes
        = |cx, _id: Word, _outcome: Word| absent(cx, "update");
    /// Removes an episode.
    call "forget" "(id: EpisodeId) -> Unit"
        example "@forget(id)" => ""
        effects ["memory.write", "suspend"] missing yes
        = |cx, _id: Word| absent(cx, "forget");
}
