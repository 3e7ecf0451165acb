//! Tables: a box in the terminal, `<table>` in a notebook.
//!
//! What does not fit is cut and counted, never dropped in silence: rows, columns and long fields.

use super::Style;
use super::html;
use super::number::count;
use super::text::{Ink, clip, columns, lines_of, one_line, pad, wrap_within};
use crate::output::table::{Align, TableCell, TableView};

/// How many rows are shown: all up to the first number, otherwise only the second.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    pub all_up_to: usize,
    pub otherwise: usize,
    /// Lines a field may take in a terminal before it is cut. Where it is more than one, columns and fields that find no room
    /// make each row a list of its fields.
    pub lines: usize,
}

/// Values of a program: a look at them.
pub const VALUES: Cut = Cut { all_up_to: 20, otherwise: 10, lines: 1 };
/// Panels: people search in them.
pub const PANELS: Cut = Cut { all_up_to: 60, otherwise: 50, lines: 8 };

/// A field longer than this is folded in a notebook.
const FIELD_CHARS: usize = 120;
/// A column is never cut below this; rather the last columns are left out, or all stand below each other.
const MIN_COLUMN: usize = 5;

fn shown(table: &TableView, cut: Cut) -> usize {
    if table.total_rows <= cut.all_up_to { table.rows.len() } else { cut.otherwise }
        .min(table.rows.len())
}

fn rest(table: &TableView, shown: usize) -> Option<String> {
    let more = table.total_rows.saturating_sub(shown) as u64;
    (more > 0).then(|| format!("… {}", count(more, "more row")))
}

pub fn to_html(table: &TableView, cut: Cut) -> String {
    let take = shown(table, cut);
    let mut out = String::new();
    if let Some(title) = &table.title {
        out.push_str(&html::text("div", "font-weight:bold;margin:4px 0;", title));
    }
    let mut head = String::new();
    for column in &table.columns {
        head.push_str(&html::text("th", &cell_style(column.align, true), &column.name));
    }
    let mut body = String::new();
    for row in table.rows.iter().take(take) {
        body.push_str(&html::element("tr", "", &row_html(table, row)));
    }
    let inner = format!("<thead><tr>{head}</tr></thead><tbody>{body}</tbody>");
    out.push_str(&html::element("table", "border-collapse:collapse;margin:2px 0;", &inner));
    if let Some(rest) = rest(table, take) {
        out.push_str(&html::text("div", html::MUTED, &rest));
    }
    html::element("div", "overflow-x:auto;", &out)
}

fn row_html(table: &TableView, row: &[TableCell]) -> String {
    let mut out = String::new();
    for (column, cell) in table.columns.iter().zip(row) {
        let inner = match cell {
            TableCell::Folded { summary, full } => {
                html::folded(summary, &html::text("pre", "margin:0;white-space:pre-wrap;", full))
            }
            TableCell::Text(text) if text.chars().count() > FIELD_CHARS => {
                let summary: String = text.chars().take(FIELD_CHARS - 1).chain(['…']).collect();
                html::folded(&summary, &html::text("div", "white-space:pre-wrap;", text))
            }
            TableCell::Text(text) => html::escape(text),
        };
        out.push_str(&html::element("td", &cell_style(column.align, false), &inner));
    }
    out
}

fn cell_style(align: Align, is_head: bool) -> String {
    let side = if align == Align::Right { "right" } else { "left" };
    let nowrap = if is_head || align == Align::Right { "white-space:nowrap;" } else { "" };
    let weight = if is_head { "font-weight:bold;" } else { "" };
    let rule = if is_head { html::RULE } else { "rgba(128,128,128,0.35)" };
    format!(
        "text-align:{side};vertical-align:top;padding:3px 10px;{nowrap}{weight}border-bottom:1px solid {rule};"
    )
}

pub fn to_text(table: &TableView, style: &Style, cut: Cut) -> String {
    let take = shown(table, cut);
    let cells: Vec<Vec<String>> = table
        .rows
        .iter()
        .take(take)
        .map(|row| row.iter().map(|cell| one_line(cell.summary())).collect())
        .collect();
    let gives: Vec<bool> = table.columns.iter().map(|column| column.align == Align::Left).collect();
    let widths = fit(&natural(table, &cells), &gives, style.width.max(20));
    let heads: Vec<String> = table.columns.iter().map(|column| one_line(&column.name)).collect();
    let mut out = String::new();
    if let Some(title) = &table.title {
        for part in broken(&[one_line(title)], &[style.width], cut.lines).iter().flatten() {
            out.push_str(&style.ink(Ink::Strong, &clip(part, style.width)));
            out.push('\n');
        }
    }
    let is_listed = cut.lines > 1
        && (widths.len() < heads.len()
            || cells.iter().any(|row| wants_room(row, &widths, style.width, cut.lines)));
    match is_listed {
        true => out.push_str(&listed(style, &heads, &cells, cut.lines)),
        false => out.push_str(&boxed(table, style, &widths, &heads, &cells, cut.lines)),
    }
    let hidden = if is_listed { 0 } else { heads.len() - widths.len() };
    let names: Vec<&str> = heads.iter().skip(widths.len()).map(String::as_str).collect();
    let more = (hidden > 0)
        .then(|| format!("… {}: {}", count(hidden as u64, "more column"), names.join(", ")));
    for remark in rest(table, take).into_iter().chain(more) {
        out.push_str(&style.ink(Ink::Muted, &clip(&lines_of(&remark), style.width)));
        out.push('\n');
    }
    out
}

/// The rows in a box, under their heads.
fn boxed(
    table: &TableView,
    style: &Style,
    widths: &[usize],
    heads: &[String],
    cells: &[Vec<String>],
    lines: usize,
) -> String {
    let mut out = rule(style, widths, ['┌', '┬', '┐']);
    for part in broken(heads, widths, lines) {
        out.push_str(&line(table, style, widths, &part, true));
    }
    out.push_str(&rule(style, widths, ['├', '┼', '┤']));
    for part in cells.iter().flat_map(|row| broken(row, widths, lines)) {
        out.push_str(&line(table, style, widths, &part, false));
    }
    out + &rule(style, widths, ['└', '┴', '┘'])
}

/// Whether a field would be cut in its column that is whole in a list.
fn wants_room(row: &[String], widths: &[usize], width: usize, lines: usize) -> bool {
    let is_cut = |text: &str, width: usize| wrap_within(text, width).len() > lines;
    let mut fields = row.iter().zip(widths);
    fields.any(|(text, column)| is_cut(text, *column) && !is_cut(text, width / 2))
}

/// Each row as a list of its fields, for a terminal with no room for the columns.
fn listed(style: &Style, heads: &[String], cells: &[Vec<String>], lines: usize) -> String {
    let mut out = String::new();
    for row in cells {
        let shown = heads.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        for (at, (head, cell)) in shown.enumerate() {
            let mark = if at == 0 { "- " } else { "  " };
            let width = style.width.saturating_sub(mark.len());
            let parts = broken(&[format!("{head}: {cell}")], &[width], lines);
            for (at, part) in parts.iter().flatten().enumerate() {
                out.push_str(if at == 0 { mark } else { "  " });
                out.push_str(&clip(part, width));
                out.push('\n');
            }
        }
    }
    out
}

/// A row as the lines it takes: fields that are wider than their column are broken at blanks, and words that are.
fn broken(row: &[String], widths: &[usize], most: usize) -> Vec<Vec<String>> {
    let fields: Vec<Vec<String>> = row
        .iter()
        .zip(widths)
        .map(|(text, width)| {
            if most == 1 || columns(text) <= *width {
                return vec![text.clone()];
            }
            let mut lines = wrap_within(text, *width);
            if lines.len() > most {
                let rest = lines.split_off(most - 1).join(" ");
                lines.push(clip(&rest, *width));
            }
            lines
        })
        .collect();
    let height = fields.iter().map(Vec::len).max().unwrap_or(1);
    (0..height)
        .map(|at| fields.iter().map(|lines| lines.get(at).cloned().unwrap_or_default()).collect())
        .collect()
}

fn natural(table: &TableView, cells: &[Vec<String>]) -> Vec<usize> {
    let mut widths: Vec<usize> =
        table.columns.iter().map(|column| columns(&one_line(&column.name))).collect();
    for row in cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns(cell));
        }
    }
    widths
}

/// Texts give before numbers, the widest first; when all are at their least, the last columns are left out.
fn fit(natural: &[usize], is_text: &[bool], width: usize) -> Vec<usize> {
    let mut widths = natural.to_vec();
    let least =
        |widths: &[usize]| widths.iter().map(|w| (*w).min(MIN_COLUMN) + 3).sum::<usize>() + 1;
    while widths.len() > 1 && least(&widths) > width {
        widths.pop();
    }
    shrink(&mut widths, is_text, width);
    shrink(&mut widths, &vec![true; natural.len()], width);
    widths
}

/// Take from the widest of the columns that may give, until the line fits or all of them are at their least.
fn shrink(widths: &mut [usize], gives: &[bool], width: usize) {
    loop {
        let over = (widths.iter().sum::<usize>() + widths.len() * 3 + 1).saturating_sub(width);
        let giving = || widths.iter().zip(gives).filter(|(_, gives)| **gives).map(|(w, _)| *w);
        let Some(widest) = giving().max().filter(|w| *w > MIN_COLUMN && over > 0) else { return };
        let floor = giving().filter(|w| *w < widest).max().unwrap_or(0).max(MIN_COLUMN);
        let several = giving().filter(|w| *w == widest).count();
        let step = (widest - floor).min(over.div_ceil(several)).max(1);
        for (w, _) in widths.iter_mut().zip(gives).filter(|(w, gives)| **w == widest && **gives) {
            *w -= step;
        }
    }
}

fn rule(style: &Style, widths: &[usize], corners: [char; 3]) -> String {
    let [left, middle, right] = corners;
    let mut out = String::from(left);
    for (at, width) in widths.iter().enumerate() {
        if at > 0 {
            out.push(middle);
        }
        out.push_str(&"─".repeat(width + 2));
    }
    out.push(right);
    style.ink(Ink::Muted, &out) + "\n"
}

fn line(table: &TableView, style: &Style, widths: &[usize], row: &[String], head: bool) -> String {
    let bar = style.ink(Ink::Muted, "│");
    let mut out = bar.clone();
    for (at, width) in widths.iter().enumerate() {
        let text = row.get(at).map_or("", String::as_str);
        let right = table.columns.get(at).is_some_and(|column| column.align == Align::Right);
        let padded = pad(text, *width, right);
        let padded = if head { style.ink(Ink::Strong, &padded) } else { padded };
        out.push_str(&format!(" {padded} {bar}"));
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::{PANELS, VALUES, fit, to_html, to_text};
    use crate::output::table::{Column, TableCell, TableView};
    use crate::render::Style;
    use crate::render::text::columns;

    const PLAIN: Style = Style { width: 80, color: false };

    fn table(rows: usize) -> TableView {
        let mut table = TableView::new(vec![
            Column::left("symbol"),
            Column::right("price"),
            Column::left("why"),
        ]);
        for n in 0..rows {
            let why = TableCell::Folded { summary: "{…2}".into(), full: "{ a: 1, b: 2 }".into() };
            table.push(vec!["<b>".into(), format!("{n}.5").into(), why]);
        }
        table
    }

    #[test]
    fn a_small_table_is_a_box() {
        let expected = "\
┌────────┬───────┬──────┐
│ symbol │ price │ why  │
├────────┼───────┼──────┤
│ <b>    │   0.5 │ {…2} │
│ <b>    │   1.5 │ {…2} │
└────────┴───────┴──────┘
";
        assert_eq!(to_text(&table(2), &PLAIN, VALUES), expected);
    }

    #[test]
    fn long_tables_are_cut_with_a_count() {
        assert!(to_text(&table(1000), &PLAIN, VALUES).ends_with("… 990 more rows\n"));
        let html = to_html(&table(1000), VALUES);
        assert_eq!(html.matches("<tr>").count(), 11);
        assert!(html.contains("… 990 more rows"));
        assert!(to_html(&table(61), PANELS).contains("… 11 more rows"));
    }

    #[test]
    fn rows_that_were_never_sent_are_counted_too() {
        let mut cut = table(10);
        cut.total_rows = 5000;
        assert!(to_text(&cut, &PLAIN, VALUES).contains("… 4990 more rows"));
    }

    #[test]
    fn data_is_escaped_and_nested_values_are_folded() {
        let html = to_html(&table(1), VALUES);
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"));
        assert!(html.contains("<details><summary"), "{html}");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [20, 40, 80] {
            for names in 1..30 {
                let mut wide = TableView::new(
                    (0..names).map(|n| Column::left(format!("column number {n}"))).collect(),
                );
                wide.push((0..names).map(|n| TableCell::from("x".repeat(n * 7))).collect());
                let text = to_text(&wide, &Style { width, color: false }, VALUES);
                assert!(text.lines().all(|line| columns(line) <= width), "{width}\n{text}");
            }
        }
    }

    #[test]
    fn a_panel_breaks_what_does_not_fit_and_a_value_is_cut() {
        let mut table = TableView::new(vec![Column::left("lane"), Column::left("state")]);
        table.push(vec!["echo".into(), "ready, made-up answers".into()]);
        let narrow = Style { width: 25, color: false };
        let panel = to_text(&table, &narrow, PANELS);
        assert!(
            panel.contains("│ echo │ ready, made-up │\n│      │ answers        │\n"),
            "{panel}"
        );
        assert!(to_text(&table, &narrow, VALUES).contains("│ echo │ ready, made-u… │\n"));
    }

    #[test]
    fn the_widest_column_gives_first() {
        assert_eq!(fit(&[4, 60, 8], &[true, true, true], 40), [4, 18, 8]);
        assert_eq!(fit(&[30, 30], &[true, true], 40), [16, 16]);
        assert_eq!(
            fit(&[20, 10, 20], &[true, false, true], 40),
            [10, 10, 10],
            "numbers stay whole"
        );
    }
}
