//! `:tier`, `:asm`: what a definition's functions run on, and their machine code.

use ag_lang::diag::codes;
use ag_lang::exec::jit::listing::Listing;
use ag_lang::exec::tier::{Tier, TierOf};
use ag_lang::ide::plan::FunctionPlan;

use super::contracts::missing;
use super::{Refusal, required};
use crate::output::{Output, Page};
use crate::session::state::State;

/// The tier of its functions, and what their attributes ask of the engine, which is planned.
pub fn tier(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let mut lines = Vec::new();
    for function in functions(state, required(rest, "tier f")?)? {
        lines.push(format!("{}: {}", function.function, told(state.tier(&function.function))));
        lines.extend(function.planned.iter().map(|attr| format!("  {attr}: planned (engine)")));
    }
    Ok(vec![Output::info(lines.join("\n"))])
}

fn told(tier: TierOf) -> String {
    match tier.tier {
        Tier::Interpreted => "interpreter".to_owned(),
        Tier::Compiled => format!("compiled, {} bytes of machine code", tier.bytes),
    }
}

/// Which text of a compiled function is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Machine,
    Clif,
}

/// The machine code of its functions, or what the compiler was given for it.
pub fn asm(state: &mut dyn State, rest: &str) -> Result<Vec<Output>, Refusal> {
    let asked = required(rest, "asm f [clif]")?;
    let mut words = asked.split_whitespace().take_while(|word| !word.starts_with("//"));
    let (name, form) = match (words.next(), words.next(), words.next()) {
        (Some(name), None, _) => (name, Form::Machine),
        (Some(name), Some("clif"), None) => (name, Form::Clif),
        _ => return Err(Refusal::new(codes::E0905, "write `:asm f` or `:asm f clif`")),
    };
    let mut outputs = Vec::new();
    for function in functions(state, name)? {
        outputs.extend(listed(state, &function.function, form));
    }
    Ok(outputs)
}

fn listed(state: &dyn State, function: &str, form: Form) -> Vec<Output> {
    let listing = match state.listing(function) {
        None => return vec![Output::info(format!("{function}: there is no code of it"))],
        Some(Err(why)) => {
            return vec![Output::info(format!("{function}: it is not compiled: {why}"))];
        }
        Some(Ok(listing)) => listing,
    };
    let Listing { machine, clif, bytes, machine_name } = listing;
    let runs = match state.tier(function).tier {
        Tier::Compiled => "",
        Tier::Interpreted => "; it still runs in the interpreter",
    };
    let head = format!("{function}: {bytes} bytes of machine code for {machine_name}{runs}");
    let text = match form {
        Form::Machine => machine,
        Form::Clif => clif,
    };
    let text = text.trim_end();
    let markdown = format!("```\n{text}\n```");
    vec![Output::info(head), Output::Page(Page { text: text.to_owned(), markdown, pager: false })]
}

/// The functions of a definition.
fn functions(state: &dyn State, name: &str) -> Result<Vec<FunctionPlan>, Refusal> {
    state.plan(name).ok_or_else(|| missing(state, name, "function"))
}
