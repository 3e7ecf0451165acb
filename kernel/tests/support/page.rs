//! Reads a literate page: a heading starts a fresh session, each `ag` block is a cell (`ag subshell` one beside the session),
//! and the blocks after it say what the cell must give. Never runs anything.

/// A page's sections, in order.
pub struct Page {
    pub title: String,
    pub sections: Vec<Section>,
}

/// What runs in one session.
pub struct Section {
    pub heading: String,
    pub cells: Vec<Cell>,
}

impl Section {
    /// `(waits for the engine)` behind the heading: the part that its last cell needs.
    pub fn waits_for(&self) -> Option<&str> {
        self.heading.strip_suffix(')')?.rsplit_once("(waits for the ").map(|(_, part)| part)
    }
}

/// One `ag` block with the blocks that follow it.
pub struct Cell {
    /// 1-based line of the page on which the code starts.
    pub line: usize,
    pub code: String,
    /// Whether it runs on a subshell.
    pub is_beside: bool,
    pub expected: Vec<Expected>,
}

/// A block after a cell: its kind (`output`, `ledger`, `trace`, `recall`, `fault`) and text.
pub struct Expected {
    pub kind: String,
    /// `output like`: the text is a shape (`shape.rs`).
    pub is_shape: bool,
    pub text: String,
    /// Lines of the text within the page (start inclusive, end exclusive), for `UPDATE=1`.
    pub lines: std::ops::Range<usize>,
}

/// `// error: E0301` or `// warning: W0106` on a code line.
pub struct Marker {
    /// 1-based line within the cell.
    pub line: usize,
    pub code: String,
}

impl Cell {
    pub fn markers(&self) -> Vec<Marker> {
        let mut found = Vec::new();
        for (index, line) in self.code.lines().enumerate() {
            let Some((_, comment)) = line.rsplit_once("//") else { continue };
            for kind in ["error:", "warning:"] {
                if let Some(codes) = comment.trim().strip_prefix(kind) {
                    let codes = codes.split(',').filter_map(|c| c.split_whitespace().next());
                    found.extend(codes.map(|c| Marker { line: index + 1, code: c.to_string() }));
                }
            }
        }
        found
    }
}

/// Splits a page. Text outside headings and fenced blocks is prose.
pub fn read(text: &str) -> Page {
    let mut page = Page { title: String::new(), sections: Vec::new() };
    let mut fence: Option<(String, usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        match fence.take() {
            Some((kind, start, body)) if line.trim_end() == "```" => {
                close(&mut page, &kind, start, index, body);
            }
            Some((kind, start, mut body)) => {
                body.push_str(line);
                body.push('\n');
                fence = Some((kind, start, body));
            }
            None => match line.strip_prefix("```") {
                Some(kind) => fence = Some((kind.trim().to_string(), index + 1, String::new())),
                None => heading(&mut page, line),
            },
        }
    }
    page
}

fn heading(page: &mut Page, line: &str) {
    let name = line.trim_start_matches('#');
    if name.len() == line.len() || !name.starts_with(' ') {
        return;
    }
    if page.title.is_empty() {
        page.title = name.trim().to_string();
    }
    page.sections.push(Section { heading: name.trim().to_string(), cells: Vec::new() });
}

fn close(page: &mut Page, kind: &str, start: usize, end: usize, body: String) {
    if page.sections.is_empty() {
        page.sections.push(Section { heading: String::new(), cells: Vec::new() });
    }
    let Some(section) = page.sections.last_mut() else { return };
    if kind == "ag" || kind == "ag subshell" {
        let is_beside = kind != "ag";
        section.cells.push(Cell { line: start + 1, code: body, is_beside, expected: Vec::new() });
    } else if let Some(cell) = section.cells.last_mut() {
        let (kind, is_shape) = match kind.strip_suffix(" like") {
            Some(kind) => (kind.to_string(), true),
            None => (kind.to_string(), false),
        };
        cell.expected.push(Expected { kind, is_shape, text: body, lines: start..end });
    }
}
