//! Which operands an operation has, which it takes over, and whether it can fault: the one place that says so.
//!
//! Never: changes anything.

use crate::hir::Arith;
use crate::ir::core::{Aux, BlockId, End, Mode, Op, Raise, Var, Word};

impl Op {
    /// Calls `see` for each operand in order.
    pub fn operands(&self, mut see: impl FnMut(Var, Mode)) {
        use Mode::{Borrow, Own};
        match self {
            Op::Const(_) | Op::Text(_) | Op::Safepoint => {}
            Op::Arith { lhs, rhs, .. } | Op::Compare { lhs, rhs, .. } => {
                see(*lhs, Borrow);
                see(*rhs, Borrow);
            }
            Op::Neg(_, v) | Op::Not(v) | Op::Tag(v) | Op::Field(v, _) | Op::Payload(v, _) => {
                see(*v, Borrow);
            }
            Op::Record(all) | Op::Variant(_, all) | Op::Closure(_, all, _) | Op::Call(_, all) => {
                all.iter().for_each(|v| see(*v, Own));
            }
            Op::Fresh(v) | Op::CellNew(v) => see(*v, Own),
            Op::TakeField(v, _) | Op::CellGet(v) | Op::CellTake(v) | Op::ListLen(v) => {
                see(*v, Borrow);
            }
            Op::PutField(base, _, value) | Op::CellSet(base, value) => {
                see(*base, Borrow);
                see(*value, Own);
            }
            Op::ListGet(list, index) => {
                see(*list, Borrow);
                see(*index, Borrow);
            }
            Op::CallValue(callee, args) => {
                see(*callee, Borrow);
                args.iter().for_each(|v| see(*v, Own));
            }
            Op::Builtin { id, args, .. } => {
                let row = id.get();
                for (at, v) in args.iter().enumerate() {
                    let owns = row.is_some_and(|row| row.owns(at));
                    see(*v, if owns { Own } else { Borrow });
                }
            }
            Op::Exit(_, token) => see(*token, Borrow),
            Op::Aux(aux, args) => {
                for (at, v) in args.iter().enumerate() {
                    see(*v, aux.mode(at));
                }
            }
        }
    }

    /// The operands, changeable.
    pub fn operands_mut(&mut self) -> Vec<&mut Var> {
        match self {
            Op::Const(_) | Op::Text(_) | Op::Safepoint => Vec::new(),
            Op::Arith { lhs, rhs, .. } | Op::Compare { lhs, rhs, .. } | Op::ListGet(lhs, rhs) => {
                vec![lhs, rhs]
            }
            Op::Neg(_, v)
            | Op::Not(v)
            | Op::Tag(v)
            | Op::Field(v, _)
            | Op::Payload(v, _)
            | Op::Fresh(v)
            | Op::CellNew(v)
            | Op::TakeField(v, _)
            | Op::CellGet(v)
            | Op::CellTake(v)
            | Op::ListLen(v)
            | Op::Exit(_, v) => vec![v],
            Op::PutField(base, _, value) | Op::CellSet(base, value) => vec![base, value],
            Op::CallValue(callee, args) => std::iter::once(callee).chain(args.iter_mut()).collect(),
            Op::Record(all)
            | Op::Variant(_, all)
            | Op::Closure(_, all, _)
            | Op::Call(_, all)
            | Op::Aux(_, all)
            | Op::Builtin { args: all, .. } => all.iter_mut().collect(),
        }
    }

    /// Whether it can end in a Fault, so that it needs a place in the fault table.
    pub fn can_fault(&self) -> bool {
        match self {
            Op::Arith { word, .. } => !matches!(word, Word::Float | Word::Index),
            Op::Neg(word, _) => !matches!(word, Word::Float | Word::Index),
            Op::Call(..)
            | Op::CallValue(..)
            | Op::Builtin { .. }
            | Op::Exit(..)
            | Op::Safepoint => true,
            Op::Aux(aux, _) => aux.can_fault(),
            _ => false,
        }
    }

    /// Whether it may be left out when nobody uses its value.
    pub fn is_pure(&self) -> bool {
        match self {
            Op::Const(_)
            | Op::Text(_)
            | Op::Compare { .. }
            | Op::Not(_)
            | Op::Tag(_)
            | Op::Field(..)
            | Op::Payload(..)
            | Op::ListLen(_)
            | Op::ListGet(..)
            | Op::CellGet(_) => true,
            Op::Arith { word, op, .. } => {
                matches!(word, Word::Float | Word::Index) && !matches!(op, Arith::Rem)
            }
            Op::Neg(word, _) => matches!(word, Word::Float | Word::Index),
            _ => false,
        }
    }
}

impl Aux {
    fn mode(&self, at: usize) -> Mode {
        let owned = match self {
            Aux::List(_) | Aux::Set(_) | Aux::Map(_) | Aux::ToDyn(_) | Aux::Append(_) => true,
            Aux::GlobalSet(_) | Aux::AgentSet(_) | Aux::Spawn(_) | Aux::FreshContainer(_) => true,
            Aux::Request { .. } | Aux::Signal { .. } | Aux::Coordinate(_) => true,
            Aux::Sequence(_) | Aux::AsTool => true,
            // The container and the value; the index is looked at only.
            Aux::SetIndex(_) => at != 1,
            _ => false,
        };
        if owned { Mode::Own } else { Mode::Borrow }
    }

    fn can_fault(&self) -> bool {
        !matches!(
            self,
            Aux::List(_)
                | Aux::Vector
                | Aux::Set(_)
                | Aux::Map(_)
                | Aux::ToDyn(_)
                | Aux::TextToPrompt
                | Aux::AsTool
                | Aux::Append(_)
                | Aux::AgentTake(_)
                | Aux::Hold
                | Aux::LetGo
                | Aux::ScopeDepth
                | Aux::TakeFault(_)
                | Aux::FreshContainer(_)
        )
    }

    /// Never gives control back.
    pub fn diverges(&self) -> bool {
        matches!(
            self,
            Aux::Raise(
                Raise::Failed { .. }
                    | Raise::DiscardedErr(_)
                    | Raise::QuestionAtTop(_)
                    | Raise::Contract { .. }
            )
        )
    }
}

impl End {
    /// The blocks control may go on to.
    pub fn successors(&self, mut see: impl FnMut(BlockId)) {
        match self {
            End::Return(_) | End::Unreachable => {}
            End::Jump(to, _) => see(*to),
            End::If { then, otherwise, .. } => {
                see(*then);
                see(*otherwise);
            }
            End::Switch { arms, otherwise, .. } => {
                arms.iter().for_each(|(_, to)| see(*to));
                see(*otherwise);
            }
        }
    }

    pub fn operands(&self, mut see: impl FnMut(Var, Mode)) {
        match self {
            End::Unreachable => {}
            End::Return(v) => see(*v, Mode::Own),
            End::Jump(_, args) => args.iter().for_each(|v| see(*v, Mode::Own)),
            End::If { cond: v, .. } | End::Switch { tag: v, .. } => see(*v, Mode::Borrow),
        }
    }

    pub fn targets_mut(&mut self) -> Vec<&mut BlockId> {
        match self {
            End::Return(_) | End::Unreachable => Vec::new(),
            End::Jump(to, _) => vec![to],
            End::If { then, otherwise, .. } => vec![then, otherwise],
            End::Switch { arms, otherwise, .. } => {
                arms.iter_mut().map(|(_, to)| to).chain(std::iter::once(otherwise)).collect()
            }
        }
    }
}
