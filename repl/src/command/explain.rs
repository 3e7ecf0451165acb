//! `ag explain CODE`: the page of a code.

use ag_lang::diag;

use crate::exit::Exit;
use crate::refuse;
use crate::term::paint;

pub fn explain(code: &str) -> Exit {
    let wanted = code.to_ascii_uppercase();
    match diag::explain(&wanted) {
        Some(page) => {
            paint::line(page.trim_end());
            Exit::Success
        }
        None => {
            let known = diag::codes::TABLE.iter().map(|row| row.code.as_str());
            let near = diag::nearest(&wanted, known);
            let hint = if near.is_empty() {
                String::new()
            } else {
                format!("; near it: {}", near.join(", "))
            };
            refuse(format!("there is no code {code}{hint}"))
        }
    }
}
