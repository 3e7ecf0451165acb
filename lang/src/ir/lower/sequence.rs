//! `for` loops: over ranges, which are never built, and over sequences by index.
//!
//! Never: changes the sequence; it is fixed when the loop starts (L-53).

use crate::hir::{Arith, Compare, Expr, Pattern, Sequence};
use crate::ir::core::{Aux, BlockKind, Op, Var, Word};
use crate::ir::lower::build::{Builder, Join};
use crate::types::ty::Ty;
use ag_runtime::value::shape::{Shape, ShapeId, shape};

impl<'h> Builder<'_, 'h> {
    pub fn for_loop(
        &mut self,
        pattern: &'h Pattern,
        sequence: &'h Sequence,
        body: &'h Expr,
    ) -> Var {
        match sequence {
            Sequence::Range { low, high, inclusive } => {
                let low = self.expr(low);
                let high = self.expr(high);
                self.range_loop(pattern, low, high, *inclusive, body)
            }
            Sequence::Value(value) => {
                let list = self.expr(value);
                self.list_loop(pattern, list, body)
            }
        }
    }

    fn range_loop(
        &mut self,
        pattern: &'h Pattern,
        low: Var,
        high: Var,
        inclusive: bool,
        body: &'h Expr,
    ) -> Var {
        let locals = self.assigned(&[body]);
        let exit = self.new_join(BlockKind::Join, None, locals.clone());
        let (head, counter) = self.counted(low, &locals);
        let op = if inclusive { Compare::Le } else { Compare::Lt };
        let inside =
            self.emit(ShapeId::BOOL, Op::Compare { float: false, op, lhs: counter, rhs: high });
        self.leave_unless(inside, &exit);
        self.bind(pattern, counter);
        let next = self.new_join(BlockKind::Join, None, locals);
        self.loop_body(next.clone(), exit.clone(), body);
        self.jump(&next, None);
        self.enter(&next);
        if inclusive {
            // The last value may be the largest Int: leave before counting past it.
            let op = Compare::Ne;
            let more = Op::Compare { float: false, op, lhs: counter, rhs: high };
            let more = self.emit(ShapeId::BOOL, more);
            self.leave_unless(more, &exit);
        }
        self.count_on(&head, counter);
        self.enter(&exit)
    }

    fn list_loop(&mut self, pattern: &'h Pattern, value: Var, body: &'h Expr) -> Var {
        let list = self.as_list(value);
        let locals = self.assigned(&[body]);
        let exit = self.new_join(BlockKind::Join, None, locals.clone());
        let zero = self.constant(ShapeId::INT, 0);
        let len = self.emit(ShapeId::INT, Op::ListLen(list));
        let (head, counter) = self.counted(zero, &locals);
        let op = Compare::Lt;
        let inside =
            self.emit(ShapeId::BOOL, Op::Compare { float: false, op, lhs: counter, rhs: len });
        self.leave_unless(inside, &exit);
        let element = self.element_of(list);
        let item = self.emit(element, Op::ListGet(list, counter));
        self.bind(pattern, item);
        let next = self.new_join(BlockKind::Join, None, locals);
        self.loop_body(next.clone(), exit.clone(), body);
        self.jump(&next, None);
        self.enter(&next);
        self.count_on(&head, counter);
        self.enter(&exit)
    }

    fn element_of(&self, list: Var) -> ShapeId {
        match shape(self.shape_of(list)) {
            Shape::List(element) => *element,
            _ => ShapeId::UNIT,
        }
    }

    fn as_list(&mut self, value: Var) -> Var {
        let from = self.shape_of(value);
        let list = match shape(from) {
            Shape::List(_) => return value,
            Shape::Set(element) => ShapeId::list(*element),
            Shape::Map(key, value) => ShapeId::list(ShapeId::tuple(&[*key, *value])),
            Shape::Vector => ShapeId::list(ShapeId::FLOAT),
            _ => ShapeId::list(ShapeId::TEXT),
        };
        self.emit(list, Op::Aux(Aux::Sequence(from), vec![value]))
    }

    /// Enters a loop whose first parameter counts from `start`.
    fn counted(&mut self, start: Var, locals: &[crate::hir::LocalId]) -> (Join, Var) {
        let head = self.new_join(BlockKind::Loop, Some(&Ty::Int), locals.to_vec());
        self.jump(&head, Some(start));
        let counter = self.enter(&head);
        self.run(Op::Safepoint);
        (head, counter)
    }

    fn count_on(&mut self, head: &Join, counter: Var) {
        let one = self.constant(ShapeId::INT, 1);
        let next = self.arith(Word::Index, Arith::Add, counter, one);
        self.jump(head, Some(next));
    }

    fn leave_unless(&mut self, cond: Var, exit: &Join) {
        let (go, stop) = self.branch(cond);
        self.switch_to(stop);
        self.jump(exit, None);
        self.switch_to(go);
    }
}
