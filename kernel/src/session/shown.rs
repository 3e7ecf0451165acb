//! Results that stand in a notebook and say there when they become stale (L-153).
//!
//! Only where the front end names its cells: the name is the identity under which a result is shown and later marked. It
//! keeps what was shown, never the value; a cell that runs again replaces its result.

use std::collections::BTreeMap;
use std::sync::Arc;

use ag_lang::types::ty::Name;

use crate::output::table::ValueView;
use crate::output::{Content, Display, Output};
use crate::session::graph::{Basis, Cause, Graph};

#[derive(Clone, Default)]
pub struct Shown {
    /// By the front end's name of the cell.
    results: BTreeMap<String, Standing>,
}

#[derive(Clone)]
struct Standing {
    view: Arc<ValueView>,
    basis: Basis,
    /// Why it was stale when it was shown: its own notes say so.
    at_first: Vec<Cause>,
    /// Why it is stale as the front end knows it.
    told: Vec<Cause>,
}

impl Shown {
    /// How a result is shown: for good if nothing it was computed from can change.
    pub fn show(&mut self, graph: &Graph, cell: &str, view: ValueView, reads: &[Name]) -> Output {
        let basis = graph.basis(reads.iter().map(|name| &**name));
        if basis.is_empty() {
            return Output::Value(view);
        }
        let told = graph.causes_of(&basis, &graph.stale());
        let at_first = told.clone();
        let standing = Standing { view: Arc::new(view), basis, at_first, told };
        let shown = standing.output(cell, false);
        self.results.insert(cell.to_owned(), standing);
        shown
    }

    /// A result that still stands was computed again.
    pub fn show_again(
        &mut self,
        graph: &Graph,
        cell: &str,
        view: ValueView,
        reads: &[Name],
    ) -> Option<Output> {
        self.results.contains_key(cell).then(|| match self.show(graph, cell, view, reads) {
            Output::Display(display) => Output::Display(Display { update: true, ..display }),
            // Nothing it is computed from can change any more; it still stands where it did.
            Output::Value(view) => {
                let content = Content::Value(Box::new(view));
                let id = Some(display_id(cell));
                self.results.remove(cell);
                Output::Display(Display { content, id, update: true })
            }
            other => other,
        })
    }

    /// The cell runs again or is no more.
    pub fn forget(&mut self, cell: &str) {
        self.results.remove(cell);
    }

    /// What must now be shown otherwise: results that became stale, are so for another reason, or are fresh again.
    pub fn changed(&mut self, graph: &Graph) -> Vec<Output> {
        let mut outputs = Vec::new();
        let stale = graph.stale();
        for (cell, standing) in &mut self.results {
            let causes = graph.causes_of(&standing.basis, &stale);
            if causes != standing.told {
                standing.told = causes;
                outputs.push(standing.output(cell, true));
            }
        }
        outputs
    }
}

impl Standing {
    fn output(&self, cell: &str, update: bool) -> Output {
        let mut view = ValueView::clone(&self.view);
        if self.told != self.at_first {
            let causes: Vec<String> = self.told.iter().map(ToString::to_string).collect();
            view.notes = match causes.is_empty() {
                true => Vec::new(),
                false => vec![format!("stale: {}", causes.join(", "))],
            };
        }
        let content = Content::Value(Box::new(view));
        Output::Display(Display { content, id: Some(display_id(cell)), update })
    }
}

fn display_id(cell: &str) -> String {
    format!("result-{cell}")
}

#[cfg(test)]
mod tests {
    use super::Shown;
    use crate::output::table::ValueView;
    use crate::output::{Content, Display, Output};
    use crate::session::graph::{Graph, Kind};

    /// `price` and `total = risk(price)`.
    fn graph() -> Graph {
        let mut graph = Graph::default();
        graph.define("risk", 10, 1, []);
        graph.assign("price", Kind::Value, 1, []);
        graph.assign("total", Kind::Value, 2, ["risk", "price"]);
        graph
    }

    fn show(shown: &mut Shown, graph: &Graph, reads: &[&str]) -> Output {
        let reads: Vec<_> = reads.iter().map(|name| (*name).into()).collect();
        shown.show(graph, "a", ValueView { text: "7".into(), ..ValueView::default() }, &reads)
    }

    /// The notes of each update.
    fn told(outputs: Vec<Output>) -> Vec<Vec<String>> {
        let notes = |output| match output {
            Output::Display(Display { content: Content::Value(view), id, update: true }) => {
                assert_eq!(id.as_deref(), Some("result-a"));
                view.notes
            }
            other => panic!("{other:?}"),
        };
        outputs.into_iter().map(notes).collect()
    }

    #[test]
    fn a_result_of_builtins_is_for_good() {
        let (mut shown, graph) = (Shown::default(), graph());
        assert!(matches!(show(&mut shown, &graph, &["print"]), Output::Value(_)));
        assert!(matches!(show(&mut shown, &graph, &["total"]), Output::Display(_)));
    }

    #[test]
    fn each_change_is_told_once_and_taken_back() {
        let (mut shown, mut graph) = (Shown::default(), graph());
        show(&mut shown, &graph, &["total"]);
        assert!(shown.changed(&graph).is_empty());
        graph.define("risk", 11, 3, []);
        assert_eq!(told(shown.changed(&graph)), [["stale: `total` is stale"]]);
        assert!(shown.changed(&graph).is_empty());
        graph.define("risk", 10, 4, []);
        assert_eq!(told(shown.changed(&graph)), [Vec::<String>::new()]);
        graph.assign("total", Kind::Value, 5, ["risk", "price"]);
        assert_eq!(told(shown.changed(&graph)), [["stale: `total` changed in cell 5"]]);
    }

    #[test]
    fn a_cell_that_ran_again_is_fresh() {
        let (mut shown, mut graph) = (Shown::default(), graph());
        show(&mut shown, &graph, &["price"]);
        graph.assign("price", Kind::Value, 3, []);
        shown.forget("a");
        assert!(shown.changed(&graph).is_empty());
        show(&mut shown, &graph, &["price"]);
        assert!(shown.changed(&graph).is_empty());
    }

    #[test]
    fn a_value_stale_when_shown_is_not_told_again() {
        let (mut shown, mut graph) = (Shown::default(), graph());
        graph.assign("price", Kind::Value, 3, []);
        show(&mut shown, &graph, &["total"]);
        assert!(shown.changed(&graph).is_empty());
    }
}
