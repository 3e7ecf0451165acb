//! What is remembered as tables.

use crate::output::memory::MemoryView;
use crate::output::table::{Column, TableView};
use crate::output::{Note, NoteLevel, Output};

/// Collections, short-term windows, and what must not be mistaken.
pub fn tables(view: &MemoryView) -> Vec<Output> {
    let mut out = Vec::new();
    let mut table = TableView::new(vec![Column::left("collection"), Column::right("episodes")])
        .titled(format!("Memory in {} ({} bytes)", view.store, view.bytes));
    for row in &view.collections {
        table.push(vec![row.name.as_str().into(), row.episodes.to_string().into()]);
    }
    out.push(Output::Table(table));
    if !view.windows.is_empty() {
        out.push(Output::Table(window_table(view)));
    }
    if view.unembedded > 0 {
        let text = format!(
            "{} episodes are still compared by words: {} reads them in the background",
            view.unembedded, view.embedder
        );
        out.push(Output::Note(Note { level: NoteLevel::Info, text }));
    }
    if view.is_hashing_embedder {
        let text = format!(
            "embedder {}: compares words, not meaning (`ag models install minilm` brings one that does)",
            view.embedder
        );
        out.push(Output::Note(Note { level: NoteLevel::Warning, text }));
    }
    out
}

fn window_table(view: &MemoryView) -> TableView {
    let columns = vec![
        Column::left("agent"),
        Column::right("episodes"),
        Column::right("capacity"),
        Column::right("bytes"),
    ];
    let mut table = TableView::new(columns).titled("Short-term memory");
    for row in &view.windows {
        table.push(vec![
            row.agent.as_str().into(),
            row.episodes.to_string().into(),
            row.capacity.to_string().into(),
            row.bytes.to_string().into(),
        ]);
    }
    table
}
