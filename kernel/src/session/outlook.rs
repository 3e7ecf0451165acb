//! What a front end may ask before anything runs: which lane would answer, and what is wrong with cells that follow each other.
//!
//! It defines and runs nothing that stays.

use ag_lang::db::workspace::Step;

use crate::output::diagnostic::DiagnosticView;
use crate::session::Session;
use crate::session::imports::take_in;

impl Session {
    /// The lane of a model that calls would go to; none: they are made up, or there is none.
    pub fn answering_lane(&self) -> Option<String> {
        let rows = self.seat.program.services()?.lanes().rows();
        let pinned = rows.iter().find(|row| row.pinned);
        let real = |row: &&_| is_real(row);
        let found = pinned.or_else(|| rows.iter().find(real)).filter(real)?;
        Some(found.name.to_string())
    }

    /// What checking finds in cells of which each sees those before it. A cell with mistakes defines nothing.
    pub fn check_cells<'a>(
        &self,
        cells: impl Iterator<Item = (String, &'a str)>,
    ) -> Vec<DiagnosticView> {
        let mut found = Vec::new();
        for (title, text) in cells {
            let program = &self.seat.program;
            let files = take_in(program, self.home.folder(), text);
            found.extend(program.views_of_files(&files));
            let (id, checked) = {
                let mut workspace = program.workspace.lock();
                let id = workspace.add_cell(text);
                workspace.set_imports(id, files.imports.clone());
                let checked = workspace.check(id);
                match checked.has_errors() {
                    true => drop(workspace.remove_cell(id)),
                    false => {
                        // `_` of the cells after it.
                        if let Some(Step::Statement(last)) = checked.steps.last()
                            && last.shows
                        {
                            workspace.set_result("_", last.function.result.clone());
                        }
                    }
                }
                (id, checked)
            };
            program.name_source(id, &title);
            if !files.has_errors() {
                found.extend(program.views(id, &checked.diagnostics));
            }
        }
        found
    }
}

fn is_real(row: &ag_runtime::lane::registry::LaneRow) -> bool {
    row.configured && !row.made_up
}
