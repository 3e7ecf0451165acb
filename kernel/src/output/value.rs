//! From values of the runtime to what is shown of them.
//!
//! The only place where a view is made of a value; it never keeps the value.

use ag_runtime::value::grid::{Grid, GridCell};
use ag_runtime::value::owned::Owned;
use ag_runtime::value::{json, show};

use crate::output::table::{Column, TableCell, TableView, ValueView};

/// Rows that travel to the front end; the rest is a count.
const TABLE_ROWS: usize = 1_000;
/// A longer text would fill the notebook's file and no screen.
const TEXT_BYTES: usize = 1 << 20;

impl ValueView {
    /// A Text is told as its literal, as a result is.
    pub fn of(value: &Owned) -> ValueView {
        let (word, shape) = (value.value(), value.shape());
        ValueView {
            text: show::cut(word, shape, TEXT_BYTES),
            json: json::to_json(word, shape).ok(),
            table: Grid::of(value, TABLE_ROWS).filter(|grid| !grid.rows.is_empty()).map(table),
            type_name: show::type_name(shape),
            notes: Vec::new(),
        }
    }
}

fn table(grid: Grid) -> TableView {
    let columns = grid.columns.into_iter().map(|column| match column.is_number {
        true => Column::right(&*column.name),
        false => Column::left(&*column.name),
    });
    TableView {
        title: None,
        columns: columns.collect(),
        rows: grid.rows.into_iter().map(|row| row.into_iter().map(cell).collect()).collect(),
        total_rows: grid.total_rows,
    }
}

fn cell(cell: GridCell) -> TableCell {
    match cell.full {
        None => TableCell::Text(cell.text),
        Some(full) => TableCell::Folded { summary: cell.text, full },
    }
}
