//! What checked items define, as the engine takes it. Never: checks anything.

use crate::hir;
use crate::hir::visit::each_function;
use crate::types::check::CheckedItem;

/// Adds what an item defines, numbered by its place in the cell.
pub fn define(definitions: &mut hir::Definitions, checked: &CheckedItem, item: u32) {
    let numbered = |function: &hir::Function| {
        let mut function = function.clone();
        each_function(&mut function, &mut |function| function.item = item);
        function
    };
    definitions.functions.extend(checked.functions.iter().map(numbered));
    definitions.types.extend(checked.ty.clone());
    definitions.lanes.extend(checked.lane.clone());
    definitions.policies.extend(checked.policy.clone());
    definitions.gates.extend(checked.gates.iter().cloned());
    definitions.provided.extend(checked.provided.clone());
    definitions.agents.extend(checked.agent.clone().map(|mut agent| {
        agent.init = numbered(&agent.init);
        agent.config = agent.config.as_ref().map(numbered);
        for behavior in &mut agent.behaviors {
            behavior.function = numbered(&behavior.function);
        }
        agent
    }));
}

/// The functions of an item.
pub fn keys(checked: &CheckedItem) -> Vec<hir::FunctionKey> {
    let functions = checked.functions.iter().map(|function| function.key.clone());
    let agents = checked.agent.iter().flat_map(|agent| {
        let behaviors = agent.behaviors.iter().map(|b| b.function.key.clone());
        std::iter::once(agent.init.key.clone()).chain(behaviors)
    });
    functions.chain(agents).collect()
}
