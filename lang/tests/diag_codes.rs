//! Every code the runtime can fault with has a row and a page in the table of codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_lang::diag::codes;

#[test]
fn faults_of_the_runtime_have_pages() {
    let source = include_str!("../../runtime/src/fault.rs");
    let named = source.split('"').skip(1).step_by(2);
    let is_code = |text: &&str| {
        text.len() == 5 && text.starts_with('R') && text.bytes().skip(1).all(|b| b.is_ascii_digit())
    };
    let found: Vec<&str> = named.filter(is_code).collect();
    assert!(found.len() > 20, "the runtime names its codes elsewhere now: {found:?}");
    let missing: Vec<&&str> = found.iter().filter(|code| codes::find(code).is_none()).collect();
    assert!(missing.is_empty(), "without a row in diag/codes.rs: {missing:?}");
}
