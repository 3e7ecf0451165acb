//! A list of records as rows and columns, for people who look at it.
//!
//! Never: decides how a row is drawn, or reads more rows than asked for.

use crate::value::list::ListRef;
use crate::value::owned::Owned;
use crate::value::record::RecordRef;
use crate::value::shape::{FieldShape, Shape, ShapeId, shape};
use crate::value::show;
use std::sync::Arc;

/// A summary of a nested value ends soon after this many bytes.
const SUMMARY_BYTES: usize = 60;
/// The whole of a nested value, as far as a person unfolds it.
const FULL_BYTES: usize = 4_000;

/// The first rows of a list of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    pub columns: Vec<GridColumn>,
    pub rows: Vec<Vec<GridCell>>,
    /// Rows the list has.
    pub total_rows: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridColumn {
    pub name: Arc<str>,
    /// Its digits should line up.
    pub is_number: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridCell {
    pub text: String,
    /// The whole, if `text` is only its beginning.
    pub full: Option<String>,
}

impl Grid {
    /// `None` for anything but a list of records with fields.
    #[must_use]
    pub fn of(value: &Owned, max_rows: usize) -> Option<Self> {
        let Shape::List(element) = shape(value.shape()) else { return None };
        let fields = fields_of(*element)?;
        // SAFETY: an `Owned` holds a live value of its shape, and this one is a List.
        let list = unsafe { ListRef::from_word(value.value()) };
        let rows = list.items().iter().take(max_rows).map(|&word| row(word, fields)).collect();
        let columns = fields.iter().map(column).collect();
        Some(Self { columns, rows, total_rows: list.len() })
    }
}

fn fields_of(element: ShapeId) -> Option<&'static [FieldShape]> {
    match shape(element) {
        Shape::Record(record) if !record.is_tool && !record.fields.is_empty() => {
            Some(&record.fields)
        }
        _ => None,
    }
}

fn column(field: &FieldShape) -> GridColumn {
    let is_number = matches!(
        shape(field.shape),
        Shape::Int | Shape::Float | Shape::Money | Shape::Duration | Shape::Time
    );
    GridColumn { name: Arc::clone(&field.name), is_number }
}

fn row(word: u64, fields: &[FieldShape]) -> Vec<GridCell> {
    // SAFETY: an element of a list whose elements are records.
    let record = unsafe { RecordRef::from_word(word) };
    record.fields().iter().zip(fields).map(|(&field, of)| cell(field, of.shape)).collect()
}

fn cell(word: u64, of: ShapeId) -> GridCell {
    if of == ShapeId::TEXT {
        return GridCell { text: show::show(word, of), full: None };
    }
    let text = show::cut(word, of, SUMMARY_BYTES);
    let full = text.ends_with('…').then(|| show::cut(word, of, FULL_BYTES));
    GridCell { text, full }
}

#[cfg(test)]
mod tests {
    use super::Grid;
    use crate::value::json::from_json;
    use crate::value::owned::Owned;
    use crate::value::shape::{FieldShape, RecordShape, Shape, ShapeId, intern};
    use serde_json::json;

    fn trades(count: usize) -> Owned {
        let fields = [FieldShape::new("symbol", ShapeId::TEXT), FieldShape::new("n", ShapeId::INT)];
        let record = RecordShape { name: None, fields: fields.into(), is_tool: false };
        let list = intern(Shape::List(intern(Shape::Record(record))));
        let rows: Vec<_> = (0..count).map(|n| json!({"symbol": "ACME", "n": n})).collect();
        Owned::new(from_json(&json!(rows), list).unwrap(), list)
    }

    #[test]
    fn a_list_of_records_is_a_grid_of_its_first_rows() {
        let grid = Grid::of(&trades(5), 2).unwrap();
        assert_eq!((grid.rows.len(), grid.total_rows), (2, 5));
        assert_eq!(grid.rows[1][1].text, "1");
        assert_eq!(grid.rows[0][0].text, "ACME");
        assert!(grid.columns[1].is_number && !grid.columns[0].is_number);
    }

    #[test]
    fn other_values_are_none() {
        assert_eq!(Grid::of(&Owned::new(3, ShapeId::INT), 9), None);
    }
}
