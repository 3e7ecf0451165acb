//! What running tests gave, as plain data: the rows of `:test` and of `ag test`.

use serde::{Deserialize, Serialize};

use crate::output::Output;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TestsView {
    /// In the order in which they stand.
    pub tests: Vec<TestView>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestView {
    pub title: String,
    /// `risk.ag`, `cell 3`.
    pub origin: String,
    /// Of the word `test`, from 1.
    pub line: u32,
    pub outcome: TestOutcome,
    /// What it showed, in order; the last of a test that failed says why.
    pub outputs: Vec<Output>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    Passed,
    /// A Fault ended it, or a statement that it needs.
    Failed,
    /// Checking found mistakes: nothing of it ran.
    Rejected,
}

impl TestsView {
    pub fn passed(&self) -> usize {
        self.tests.iter().filter(|test| test.outcome == TestOutcome::Passed).count()
    }

    pub fn is_success(&self) -> bool {
        self.passed() == self.tests.len()
    }

    /// `3 tests: 2 passed, 1 failed`
    pub fn summary(&self) -> String {
        let (all, passed) = (self.tests.len(), self.passed());
        let tests = if all == 1 { "1 test".to_owned() } else { format!("{all} tests") };
        match all - passed {
            0 => format!("{tests}: {passed} passed"),
            failed => format!("{tests}: {passed} passed, {failed} failed"),
        }
    }
}

impl TestView {
    /// `risk.ag:12`
    pub fn place(&self) -> String {
        format!("{}:{}", self.origin, self.line)
    }

    /// The first output that says that something failed.
    pub fn failure(&self) -> Option<&Output> {
        self.outputs.iter().find(|output| output.is_failure())
    }
}
