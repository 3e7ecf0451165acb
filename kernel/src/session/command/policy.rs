//! `:policy`: the rules for effects that hold in this session, and the choice of a policy.

use ag_lang::diag::{codes, nearest};

use super::Refusal;
use crate::output::Output;
use crate::output::table::{Column, TableView};
use crate::session::state::State;

pub fn policy(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let note = match rest {
        "" => return Ok(vec![Output::Table(table(state))]),
        "none" => {
            state.choose_policy(None).map_err(|known| unknown(rest, &known))?;
            "no policy is chosen; agents keep their own".to_owned()
        }
        name => {
            state.choose_policy(Some(name)).map_err(|known| unknown(name, &known))?;
            format!("the policy {name} holds for this session")
        }
    };
    Ok(vec![Output::info(note), Output::Table(table(state))])
}

fn unknown(name: &str, known: &[String]) -> Refusal {
    let refusal = Refusal::new(codes::E0905, format!("there is no policy `{name}` here"));
    let near = nearest(name, known.iter().map(String::as_str));
    let refusal = refusal.suggesting(&near, ":policy ");
    match known {
        [] => refusal.noting("declare one: `policy Careful { ask net }`"),
        known => refusal.noting(format!("the policies are: {}", known.join(", "))),
    }
}

fn table(state: &dyn State) -> TableView {
    let columns = vec![Column::left("of"), Column::left("rule"), Column::right("applied")];
    let mut table = TableView::new(columns);
    for row in state.policy() {
        table.push(vec![row.of.into(), row.rule.into(), row.applied.into()]);
    }
    table
}
