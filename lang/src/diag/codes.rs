//! The one table of codes: every mistake and fault that can be shown has a row here and a page in `tests/diagnostics/`.
//!
//! A row is only the code; title and explanation are the page's heading and first paragraph, so nothing is said twice.
//! A row without a page does not compile. E: errors of checking, W: warnings, R: faults while running (LANGUAGE.md 17).

use std::fmt;

/// A code such as `E0101`. Only this table makes them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(&'static str);

impl Code {
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    pub fn severity(self) -> Severity {
        if self.0.starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// The page of the code, in Markdown.
    pub fn page(self) -> &'static str {
        let at = TABLE.binary_search_by(|row| row.code.cmp(&self)).ok();
        at.and_then(|at| TABLE.get(at)).map_or("", |row| row.page)
    }

    /// The page's heading without the code.
    pub fn title(self) -> &'static str {
        let heading = self.page().lines().next().unwrap_or("");
        heading.split_once(": ").map_or("", |(_, title)| title)
    }

    /// The page's first paragraph.
    pub fn explanation(self) -> &'static str {
        self.page().split("\n\n").nth(1).unwrap_or("").trim_end()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How much a diagnostic matters: errors stop a cell, warnings never do (L-170).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Severity {
    Error,
    Warning,
}

impl Severity {
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub code: Code,
    pub page: &'static str,
}

/// The code of this text (`e0101` too), if it exists.
pub fn find(text: &str) -> Option<Code> {
    let upper = text.to_ascii_uppercase();
    let at = TABLE.binary_search_by(|row| row.code.0.cmp(upper.as_str())).ok()?;
    TABLE.get(at).map(|row| row.code)
}

macro_rules! codes {
    ($($code:ident)*) => {
        $(pub const $code: Code = Code(stringify!($code));)*

        /// All codes, sorted.
        pub const TABLE: &[Row] = &[
            $(Row {
                code: $code,
                page: include_str!(concat!("../../../tests/diagnostics/", stringify!($code), ".md")),
            },)*
        ];
    };
}

// Sorted; one line a group.
codes! {
    E0001 E0002 E0003 E0004 E0005 E0006 E0007 E0008 E0009 E0010 E0011 E0012
    E0101 E0102 E0103 E0104 E0105 E0106 E0107 E0108 E0109 E0110 E0111 E0112 E0113 E0114 E0115 E0116 E0117 E0118 E0119
    E0201 E0202 E0203 E0204 E0205 E0206 E0207 E0208 E0209 E0210 E0211 E0212 E0213 E0214 E0215 E0216
    E0301 E0302 E0303 E0304 E0305 E0306 E0307 E0308 E0309 E0310 E0311 E0312 E0313 E0314
    E0401 E0402 E0403 E0404 E0405 E0406 E0410 E0411
    E0501 E0502 E0503 E0504 E0505 E0506 E0507 E0510
    E0601 E0603 E0604 E0606 E0607
    E0701 E0702 E0703 E0704 E0705
    E0801 E0802
    E0901 E0902 E0903 E0904 E0905
    R0101 R0102 R0103 R0104 R0105 R0106 R0107 R0108 R0109 R0110 R0111 R0112 R0113
    R0401 R0402 R0403 R0404
    R0601 R0602 R0603 R0604 R0605 R0606 R0607 R0608
    R0701 R0702 R0703 R0704 R0705 R0706 R0707 R0708 R0709 R0710 R0711 R0712 R0713
    R0801
    R0901 R0999
    R1001 R1002 R1003 R1004 R1005 R1006
    W0106 W0107 W0108
    W0202
    W0301
    W0401 W0402
    W0501
    W0601
    W0801 W0802 W0803
}

#[cfg(test)]
mod tests {
    use super::{E0101, Severity, TABLE, W0106, find};

    #[test]
    fn sorted_and_every_page_has_heading_and_paragraph() {
        assert!(TABLE.is_sorted_by(|a, b| a.code < b.code));
        for row in TABLE {
            let code = row.code;
            assert!(row.page.starts_with(&format!("# {code}: ")), "{code}: heading");
            assert!(!code.title().is_empty(), "{code}: title");
            assert!(code.explanation().len() > 20, "{code}: explanation");
            assert!(code.explanation().len() < 600, "{code}: one paragraph");
        }
    }

    #[test]
    fn found_by_text() {
        assert_eq!(find("e0101"), Some(E0101));
        assert_eq!(find("E9999"), None);
        assert_eq!(W0106.severity(), Severity::Warning);
        assert_eq!(E0101.title(), "Something else was expected here");
    }
}
