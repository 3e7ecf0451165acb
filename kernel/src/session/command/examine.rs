//! `:test`.

use ag_lang::diag::{codes, nearest};

use super::Refusal;
use crate::output::Output;
use crate::output::test_run::TestsView;
use crate::session::state::State;

/// All tests of the session, or those whose title contains what was written.
pub fn test(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let wanted = rest.trim_matches('"');
    let titles = state.tests();
    if titles.is_empty() {
        let how = "this session has no tests yet: write `test \"adds\" { assert 1 + 1 == 2 }`";
        return Ok(vec![Output::info(how)]);
    }
    if !titles.iter().any(|title| title.contains(wanted)) {
        let refusal = Refusal::new(codes::E0905, format!("no test is called `{wanted}`"));
        let near = nearest(wanted, titles.iter().map(String::as_str));
        return Err(refusal.suggesting(&near, "").noting(":test alone runs all"));
    }
    let tests = state.run_tests(&|title| title.contains(wanted));
    Ok(vec![Output::Tests(TestsView { tests })])
}
