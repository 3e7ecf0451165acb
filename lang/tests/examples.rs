//! Every example of the table of builtins is a cell: it checks, runs, and gives what the table says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ag_lang::db::workspace::{Step, Workspace};
use ag_lang::engine::{Context, Engine};
use ag_lang::types::ty::Ty;
use ag_runtime::builtin::{Builtin, Kind, table};
use ag_runtime::context::sink::Discard;
use ag_runtime::fault::Origin;
use ag_runtime::rng::Seed;
use ag_runtime::value::heap;
use ag_runtime::value::show::quoted;
use ag_runtime::world::World;
use ag_runtime::world::options::WorldOptions;
use ag_runtime::world::run::TaskSpec;
use std::sync::Arc;

/// What a cell's last expression gives, or what is wrong with the cell.
fn evaluate(world: &Arc<World>, text: &str) -> Result<String, String> {
    let mut workspace = Workspace::new();
    let cell = workspace.add_cell(text);
    let checked = workspace.check(cell);
    if checked.has_errors() {
        let messages = checked.diagnostics.iter().map(|it| it.message.to_string());
        return Err(messages.collect::<Vec<_>>().join("; "));
    }
    let engine = Engine::new(Arc::clone(world));
    let shapes = |ty: &Ty| workspace.shape(ty);
    let origin = |_: &_| Origin { cell: cell.0, item: 0 };
    let cx = Context { shapes: &shapes, origin: &origin };
    engine.install(&checked.definitions, cx).map_err(|error| error.message)?;
    let mut shown = String::new();
    for step in &checked.steps {
        let Step::Statement(step) = step else { continue };
        let slot = engine.prepare(step, cx).map_err(|error| error.message)?;
        let (name, sink) = ("example".into(), Arc::new(Discard));
        let spec = TaskSpec {
            name,
            slot,
            args: Vec::new(),
            sink,
            limits: None,
            cell: cell.0,
            globals: None,
        };
        let value = world.run(spec).join().map_err(|fault| fault.to_string())?;
        shown = quoted(value.value(), value.shape());
    }
    Ok(shown)
}

fn runs(row: &Builtin) -> bool {
    row.supported && !row.gives.is_empty() && !matches!(row.kind, Kind::Intrinsic(_))
}

#[test]
fn examples_give_what_they_say() {
    let before = heap::live();
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in table().iter().filter(|row| runs(row)) {
        count += 1;
        let world = World::open(WorldOptions::seeded(Seed(1)));
        let given = evaluate(&world, row.example);
        if given.as_deref() != Ok(row.gives) {
            wrong.push(format!("{}\n    wanted {}\n    given  {given:?}", row.example, row.gives));
        }
        drop(world);
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 150, "only {count} examples ran");
    assert_eq!(heap::live(), before, "examples left values behind");
}
