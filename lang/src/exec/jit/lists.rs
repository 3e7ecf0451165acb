//! Which instructions look into a list in line, and which leave it with one holder.
//!
//! The one place that says so: lengths, holders and loops ask here. Never: makes code.

use crate::exec::bytecode::{CONSTANT, Code, Opcode};
use crate::exec::helper::Helper;
use crate::exec::jit::flow::{self, Flow, RegisterSet, Touch};
use crate::exec::jit::{Start, intrinsics};
use crate::ir::core::Aux;
use ag_runtime::value::shape::{Shape, ShapeId, shape};
use rustc_hash::{FxHashMap, FxHashSet};

/// The elements of a list or Vector.
pub fn element(of: ShapeId) -> Option<ShapeId> {
    match shape(of) {
        Shape::List(element) => Some(*element),
        Shape::Vector => Some(ShapeId::FLOAT),
        _ => None,
    }
}

/// An instruction that looks into the list in a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListOp {
    pub list: u16,
    /// It takes the list over and gives it back, of the same length, without other holders.
    pub gives_it_back: bool,
}

/// What the instruction at `at` does with a list in line, if anything.
pub fn list_op(code: &Code, at: u32) -> Option<ListOp> {
    let x = flow::instr(code, at);
    let (list, gives_it_back) = match x.op {
        Opcode::ListLen | Opcode::ListGet => (x.b, false),
        Opcode::Native => {
            let native = code.natives.get(usize::from(x.b))?;
            (intrinsics::is_of_list(*native).then(|| flow::operands(code, at).next())??, false)
        }
        Opcode::Help => {
            let Helper::Plain(aux, _) = code.helpers.get(usize::from(x.b))? else { return None };
            let gives_it_back = match aux {
                Aux::GetIndex(of) if element(*of).is_some() => false,
                Aux::TakeIndex(of) if matches!(shape(*of), Shape::List(_)) => false,
                Aux::SetIndex(of) | Aux::FreshContainer(of) if element(*of).is_some() => true,
                _ => return None,
            };
            (flow::operands(code, at).next()?, gives_it_back)
        }
        _ => return None,
    };
    (list & CONSTANT == 0).then_some(ListOp { list, gives_it_back })
}

/// At the start of each run: registers whose lists surely have one holder, the register.
pub fn held_alone(code: &Code, flow: &Flow, start: Start) -> FxHashMap<u32, RegisterSet> {
    let nothing = || RegisterSet::new(code.registers);
    let handlers = code.faults.iter().filter_map(|point| point.handler);
    let mut alone: FxHashMap<u32, RegisterSet> = handlers.map(|at| (at, nothing())).collect();
    alone.insert(0, nothing());
    if let Start::Loop(at) = start {
        alone.insert(at, nothing());
    }
    let mut open: Vec<u32> = alone.keys().copied().collect();
    while let Some(run) = open.pop() {
        let (Some(of_run), Some(mut now)) = (flow.runs.get(&run), alone.get(&run).cloned()) else {
            continue;
        };
        let mut last = run;
        for at in flow::places(code, run, of_run.end) {
            follow(code, at, &mut now);
            last = at;
        }
        for next in flow::successors(code, last) {
            let changed = match alone.get_mut(&next) {
                Some(known) => known.keep_common(&now),
                None => alone.insert(next, now.clone()).is_none(),
            };
            if changed {
                open.push(next);
            }
        }
    }
    alone
}

/// What an instruction makes of the registers that hold a list alone.
pub fn follow(code: &Code, at: u32, alone: &mut RegisterSet) {
    let x = flow::instr(code, at);
    let looked_at = list_op(code, at);
    let is_alone = match (looked_at, x.op) {
        (Some(op), _) => op.gives_it_back,
        (None, Opcode::Move) => alone.has(x.b),
        _ => false,
    };
    // Whoever else is given the register may keep what is in it.
    let kept = looked_at.filter(|op| !op.gives_it_back).map(|op| op.list);
    flow::touched(code, at, &mut |touch, register, _| {
        if touch == Touch::Def || Some(register) != kept {
            alone.remove(register);
        }
    });
    if is_alone {
        alone.add(x.a);
    }
}

/// The safepoints of loops in which nothing is called. An iteration takes microseconds at most, so that it is enough to
/// look at some of them.
pub fn tight_safepoints(code: &Code, flow: &Flow) -> FxHashSet<u32> {
    let mut tight = FxHashSet::default();
    let lasts = flow.runs.keys().filter_map(|start| flow.last(code, *start));
    for last in lasts {
        let Some(head) = flow::jump(code, last).filter(|head| *head <= last) else { continue };
        let inside = || flow::places(code, head, last);
        if inside().all(|at| is_short(code, at)) {
            tight.extend(inside().filter(|at| flow::instr(code, *at).op == Opcode::Safepoint));
        }
    }
    tight
}

fn is_short(code: &Code, at: u32) -> bool {
    let x = flow::instr(code, at);
    match x.op {
        Opcode::Native => {
            code.natives.get(usize::from(x.b)).is_some_and(|native| intrinsics::is_known(*native))
        }
        Opcode::Help => list_op(code, at).is_some(),
        Opcode::Call | Opcode::CallValue | Opcode::Closure | Opcode::Drop => false,
        Opcode::Record | Opcode::Variant | Opcode::Fresh | Opcode::PutField => false,
        _ => true,
    }
}
