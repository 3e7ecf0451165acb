//! `docs/builtins.md`, made from the table.
//!
//! Never: says anything the table does not.

use crate::builtin::{Builtin, Form, Kind, Row, table};
use std::fmt::Write;

/// A section of the page and the rows that belong to it.
struct Section {
    title: String,
    rows: Vec<&'static Builtin>,
}

/// The section a row belongs to, in the order of the page.
fn section(row: &Builtin) -> (u8, String) {
    match (row.kind, row.receiver) {
        (Kind::Function, _) => (0, "Functions".to_owned()),
        (Kind::Member, Some(receiver)) => (1, format!("Members of {receiver}")),
        (Kind::Member, None) => (1, "Members".to_owned()),
        (Kind::Operator, _) => (2, "Operators on counted and mixed operands".to_owned()),
        (Kind::Intrinsic(Row::Call), _) => (3, "Calls with `@`".to_owned()),
        (Kind::Intrinsic(Row::Block), _) => (4, "Blocks with `@`".to_owned()),
        (Kind::Intrinsic(Row::Label), _) => (5, "Labels with `@`".to_owned()),
        (Kind::Intrinsic(_), _) => (6, "Attributes and hints with `@`".to_owned()),
    }
}

fn sections() -> Vec<Section> {
    let mut sections: Vec<((u8, String), Section)> = Vec::new();
    for &row in table() {
        let key = section(row);
        match sections.iter_mut().find(|(other, _)| *other == key) {
            Some((_, section)) => section.rows.push(row),
            None => {
                let title = key.1.clone();
                sections.push((key, Section { title, rows: vec![row] }));
            }
        }
    }
    // Stable, so that members stay in the order of the table.
    sections.sort_by_key(|((rank, _), _)| *rank);
    sections.into_iter().map(|(_, section)| section).collect()
}

/// How the name stands at the head of its entry.
fn heading(row: &Builtin) -> String {
    match (row.kind, row.receiver) {
        (Kind::Intrinsic(_), _) => format!("@{}{}", row.name, row.signature),
        (Kind::Member, Some(receiver)) => format!("{receiver}.{}{}", row.name, row.signature),
        _ => format!("{}{}", row.name, row.signature),
    }
}

fn entry(row: &Builtin, page: &mut String) {
    let mut notes = Vec::new();
    if !row.effects.is_empty() {
        notes.push(format!("effects: {}", row.effects.join(", ")));
    }
    if row.form == Form::Scope {
        notes.push("has the value of its block".to_owned());
    }
    if !row.supported {
        notes.push("not in this version".to_owned());
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" *({})*", notes.join("; ")) };
    // Writing to a String cannot fail.
    let _ = writeln!(page, "**`{}`**{notes}\n{}", heading(row), row.doc);
    let shown = if row.gives.is_empty() { String::new() } else { format!(" → `{}`", row.gives) };
    let _ = writeln!(page, "`{}`{shown}\n", row.example);
}

/// The whole page.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# Builtins\n\nGenerated from the table in `runtime/src/builtin`; do not edit. \
         `UPDATE=1 cargo nextest run -p ag-runtime builtins_page` rewrites it.\n\n\
         A single capital is a type variable; `<T: Ord>` states what it must be able to do. \
         Members without further arguments may be written without `()`.\n",
    );
    for section in sections() {
        let _ = writeln!(page, "\n## {}\n", section.title);
        section.rows.iter().for_each(|row| entry(row, &mut page));
    }
    page
}
