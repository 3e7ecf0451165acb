//! The literate pages at the level of types: `tests/spec/0[3-7]*.md`, and the pages of the codes that checking gives.
//!
//! A heading starts a fresh session, each `ag` block is a cell; blocks `ag syntax` and `ag file` are the parser's. A line
//! that carries `// error: E0301` or `// warning: W0401` must give exactly these codes, every other line none; a cell with
//! an error is removed again. `// revealed: List<Int>` is the type of the expression on that line, or of what it declares.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

use ag_lang::db::workspace::{CellId, Workspace};
use ag_lang::diag::codes;
use ag_lang::hir::{CellStep, Conversion, ExprKind, StmtKind};
use ag_lang::names::cell::parse_cell;
use ag_lang::source::LineIndex;
use ag_lang::types::step::infer_step;

/// A cell, or the start of a session.
enum Part {
    Fresh,
    Cell { text: String, line: usize },
}

fn parts(page: &str) -> Vec<Part> {
    let mut found = Vec::new();
    let mut open: Option<(bool, String, usize)> = None;
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some((info.trim() == "ag", String::new(), at + 2)),
            (Some(_), Some("")) => {
                let (ours, text, line) = open.take().unwrap();
                found.extend(ours.then_some(Part::Cell { text, line }));
            }
            (Some((_, text, _)), _) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) if line.starts_with('#') => found.push(Part::Fresh),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

/// `(line, text)` of the markers of a kind.
fn markers(text: &str, kinds: &[&str]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let marked = kinds.iter().find_map(|kind| content.split_once(&format!("// {kind}: ")));
        if let Some((_, rest)) = marked {
            match kinds.contains(&"revealed") {
                true => found.push((line, rest.trim().to_owned())),
                false => {
                    found.extend(rest.split(", ").map(|code| (line, code.trim().to_owned())));
                }
            }
        }
    }
    found.sort();
    found
}

/// The type of a statement's value, or of what it declares.
fn revealed(step: &CellStep) -> String {
    if step.shows {
        return step.function.result.to_string();
    }
    if let Some((_, ty)) = step.writes.first() {
        return ty.to_string();
    }
    let ExprKind::Block { stmts, .. } = &step.function.body.kind else { return "?".to_owned() };
    match stmts.first().map(|stmt| &stmt.kind) {
        Some(StmtKind::Expr(value)) => match &value.kind {
            ExprKind::Convert(Conversion::Discard | Conversion::DiscardResult, inner) => {
                inner.ty.to_string()
            }
            _ => value.ty.to_string(),
        },
        Some(StmtKind::Let { value, .. }) => value.ty.to_string(),
        _ => "?".to_owned(),
    }
}

/// The statements that check, also in a cell where others do not.
fn steps(workspace: &Workspace, id: CellId) -> Vec<CellStep> {
    let (db, cell) = (workspace.database(), workspace.input(id).unwrap());
    let count = parse_cell(db, cell).cell.body.order.len();
    let count = u32::try_from(count).unwrap();
    (0..count).filter_map(|at| infer_step(db, cell, at).step.clone()).collect()
}

fn check_cell(workspace: &mut Workspace, text: &str, place: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let id = workspace.add_cell(text);
    let checked = workspace.check(id);
    let index = LineIndex::new(text);
    let mut given: Vec<(usize, String)> = checked
        .diagnostics
        .iter()
        .map(|d| (index.line_of(d.primary.span.start) as usize, d.code.to_string()))
        .collect();
    given.sort();
    let wanted = markers(text, &["error", "warning"]);
    if given != wanted {
        let told: Vec<String> = checked.diagnostics.iter().map(ToString::to_string).collect();
        let told = told.join("\n  ");
        wrong.push(format!("{place}: wanted {wanted:?}, given {given:?}\n  {told}"));
    }
    for (line, ty) in markers(text, &["revealed"]) {
        let found = steps(workspace, id)
            .iter()
            .find(|step| index.line_of(step.function.span.start) as usize == line)
            .map_or("nothing".to_owned(), revealed);
        if found != ty {
            wrong.push(format!("{place}, line {}: revealed {found}, wanted {ty}", line + 1));
        }
    }
    if checked.has_errors() {
        workspace.remove_cell(id);
    }
    wrong
}

/// A session with the lanes that every program has.
fn session() -> Workspace {
    let mut workspace = Workspace::new();
    workspace.set_lanes(&["echo", "onnx_local", "anthropic", "openrouter"]);
    workspace
}

fn check_page(path: &Path) -> Vec<String> {
    let page = fs::read_to_string(path).unwrap();
    let mut workspace = session();
    let mut wrong = Vec::new();
    for part in parts(&page) {
        match part {
            Part::Fresh => workspace = session(),
            Part::Cell { text, line } => {
                let place = format!("{}:{line}", path.display());
                wrong.append(&mut check_cell(&mut workspace, &text, &place));
            }
        }
    }
    wrong
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

fn nothing(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn spec_pages() {
    let pages =
        ["03-types.md", "04-expressions.md", "05-statements.md", "06-items.md", "07-agents.md"];
    let wrong = pages.iter().flat_map(|page| check_page(&folder("spec").join(page)));
    nothing(&wrong.collect::<Vec<_>>());
}

/// Codes that cannot be given yet, because what they are about is E0903, or only with files beside (tests/spec/32-tools.md).
const LATER: &[&str] = &["E0207", "E0216", "E0501", "E0503", "E0601", "E0904", "E0905", "W0803"];

/// Pages whose code checking gives: their examples must really give it, and some block must be free of it.
#[test]
fn pages_of_codes_that_checking_gives() {
    let ours = |code: &str| {
        let group = ["E02", "E03", "E04", "E05", "E06", "E07", "E08", "E09", "W"];
        group.iter().any(|group| code.starts_with(group))
            && !code.starts_with("W01")
            && !LATER.contains(&code)
            && code != "E0604"
    };
    let mut wrong = Vec::new();
    for row in codes::TABLE.iter().filter(|row| ours(row.code.as_str())) {
        wrong.append(&mut check_page(&folder("diagnostics").join(format!("{}.md", row.code))));
        let mut cells = parts(row.page).into_iter().filter_map(|part| match part {
            Part::Cell { text, .. } => Some(markers(&text, &["error", "warning"])),
            Part::Fresh => None,
        });
        let cells: Vec<_> = cells.by_ref().collect();
        if !cells.iter().flatten().any(|(_, code)| code == row.code.as_str()) {
            wrong.push(format!("{}: no example gives it", row.code));
        }
        if !cells.iter().any(Vec::is_empty) {
            wrong.push(format!("{}: no example mends it", row.code));
        }
    }
    nothing(&wrong);
}

#[test]
fn every_builtin_signature_is_understood() {
    use ag_lang::types::builtins::builtin_signature;
    use ag_lang::types::ty::Ty;
    let workspace = Workspace::new();
    let mut wrong = Vec::new();
    for (id, row) in ag_runtime::builtin::table().iter().enumerate() {
        if !row.supported {
            continue;
        }
        let signature = builtin_signature(workspace.database(), u16::try_from(id).unwrap());
        let mut types: Vec<&Ty> = signature.params.iter().map(|param| &param.ty).collect();
        types.push(&signature.result);
        let bad = types.iter().any(|ty| ty.any(&mut |part| *part == Ty::Error));
        let commas = row.signature.matches(" = ").count();
        let defaults = signature.params.iter().filter(|param| param.default.is_some()).count();
        if bad || commas != defaults || signature.text.is_empty() {
            wrong.push(format!("{} {}: {signature:?}", row.name, row.signature));
        }
    }
    nothing(&wrong);
}
