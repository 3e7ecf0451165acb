//! `:tour`: ten steps through the language. Each explains, shows its code, and runs it when the person goes on.

use super::Refusal;
use crate::output::{Output, Page};
use crate::session::state::State;
use ag_lang::diag::codes;

const TEXT: &str = include_str!("../tour.md");

/// One step: what it is about, what is said, what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub title: &'static str,
    pub text: &'static str,
    pub code: &'static str,
}

/// The steps, as the page has them.
pub fn steps() -> Vec<Step> {
    TEXT.split("# ").skip(1).filter_map(step).collect()
}

fn step(part: &'static str) -> Option<Step> {
    let (title, rest) = part.split_once('\n')?;
    let (text, rest) = rest.split_once("```ag\n")?;
    let (code, _) = rest.split_once("```")?;
    Some(Step { title, text: text.trim(), code: code.trim_end() })
}

/// `:tour` begins, `:tour next` runs the step that is shown and shows the next, `:tour 4` shows a step, `:tour end` ends.
pub fn tour(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let steps = steps();
    match (rest, state.tour()) {
        ("", _) => show(state, &steps, 1),
        ("end", _) => {
            state.set_tour(None);
            Ok(vec![Output::info("the tour is over; :tour begins anew")])
        }
        ("next", None) => show(state, &steps, 1),
        ("next", Some(number)) => {
            let code = steps.get(number.saturating_sub(1)).map_or("", |step| step.code);
            let mut outputs = state.run_text(code, &format!("tour {number}"));
            // Below what it is about, and not below the next step.
            outputs.extend(state.cost_so_far().map(Output::CostLine));
            // A step that failed is shown again.
            let has_failed = outputs.iter().any(Output::is_failure);
            let next = if has_failed { number } else { number + 1 };
            outputs.extend(show(state, &steps, next)?);
            Ok(outputs)
        }
        (number, _) => match number.parse() {
            Ok(number) if (1..=steps.len()).contains(&number) => show(state, &steps, number),
            _ => Err(Refusal::new(
                codes::E0905,
                format!(
                    "write `:tour`, `:tour next`, `:tour end` or a step from 1 to {}",
                    steps.len()
                ),
            )),
        },
    }
}

fn show(state: &mut dyn State, steps: &[Step], number: usize) -> Result<Vec<Output>, Refusal> {
    let Some(step) = number.checked_sub(1).and_then(|at| steps.get(at)) else {
        state.set_tour(None);
        let text = "That was the tour. :help lists the commands, `ag new NAME` makes an agent of your own.";
        return Ok(vec![Output::info(text)]);
    };
    state.set_tour(Some(number));
    let of = steps.len();
    let go_on =
        "`:tour next` runs this and goes on (in the terminal Enter does); `:tour end` leaves.";
    let indented: String = step.code.lines().map(|line| format!("    {line}\n")).collect();
    let text =
        format!("Step {number} of {of}: {}\n\n{}\n\n{indented}\n{go_on}\n", step.title, step.text);
    let markdown = format!(
        "**Step {number} of {of}: {}**\n\n{}\n\n```ag\n{}\n```\n\n{go_on}\n",
        step.title, step.text, step.code
    );
    Ok(vec![Output::Page(Page { text, markdown, pager: false })])
}

#[cfg(test)]
mod tests {
    use super::steps;

    #[test]
    fn there_are_ten_steps_with_code() {
        let steps = steps();
        assert_eq!(steps.len(), 10, "{steps:?}");
        assert!(steps.iter().all(|step| !step.text.is_empty() && !step.code.is_empty()));
    }
}
