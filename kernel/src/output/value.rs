//! From values of the runtime to what is shown of them.
//!
//! The only place where a view is made of a value; it never keeps the value.

use ag_runtime::value::grid::{Grid, GridCell};
use ag_runtime::value::media::Media;
use ag_runtime::value::owned::Owned;
use ag_runtime::value::{json, show};

use crate::output::media::MediaView;
use crate::output::table::{Column, TableCell, TableView, ValueView};

/// Rows that are read: as many as a panel shows. The rest is a count.
const TABLE_ROWS: usize = 60;
/// Bytes of text that are built: a list of a million elements is not written out to be thrown away.
const TEXT_BYTES: usize = 100_000;

impl ValueView {
    /// A Text is told as its literal, as a result is.
    pub fn of(value: &Owned) -> ValueView {
        let (word, shape) = (value.value(), value.shape());
        let text = show::cut(word, shape, TEXT_BYTES);
        // What is too long to be shown is too long to be data beside it, and its JSON would be built whole.
        let is_whole = text.len() <= TEXT_BYTES;
        let json = if is_whole { json::to_json(word, shape).ok() } else { None };
        ValueView {
            text,
            json,
            table: Grid::of(value, TABLE_ROWS).filter(|grid| !grid.rows.is_empty()).map(table),
            media: Media::of(word, shape).map(|media| MediaView::from(&*media)),
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

#[cfg(test)]
mod tests {
    use ag_runtime::value::json::from_json;
    use ag_runtime::value::owned::Owned;
    use ag_runtime::value::shape::{FieldShape, RecordShape, Shape, ShapeId, intern};
    use serde_json::json;

    use crate::output::table::{Align, ValueView};

    #[test]
    fn a_text_is_its_literal() {
        let value = Owned::new(from_json(&json!("a\nb"), ShapeId::TEXT).unwrap(), ShapeId::TEXT);
        let view = ValueView::of(&value);
        assert_eq!((view.text.as_str(), view.type_name.as_str()), ("\"a\\nb\"", "Text"));
        assert_eq!(view.json, Some(json!("a\nb")));
        assert_eq!(view.table, None);
    }

    #[test]
    fn a_list_of_records_is_a_table_too() {
        let fields = [FieldShape::new("n", ShapeId::INT)].into();
        let record = RecordShape { name: Some("Row".into()), fields, is_tool: false };
        let list = intern(Shape::List(intern(Shape::Record(record))));
        let data: Vec<_> = (0..1000).map(|n| json!({ "n": n })).collect();
        let value = Owned::new(from_json(&json!(data), list).unwrap(), list);
        let table = ValueView::of(&value).table.unwrap();
        assert_eq!((table.rows.len(), table.total_rows), (60, 1000));
        assert_eq!(table.columns[0].align, Align::Right);
    }

    #[test]
    fn an_endless_value_is_not_written_out() {
        let list = intern(Shape::List(ShapeId::INT));
        let data: Vec<i64> = (0..100_000).collect();
        let value = Owned::new(from_json(&json!(data), list).unwrap(), list);
        let view = ValueView::of(&value);
        assert!(view.text.len() < 101_000 && view.text.ends_with('…'));
        assert_eq!(view.json, None);
    }
}
