//! Patterns: tests in the order of the arms, bindings once an arm is chosen.
//!
//! A test that fails goes to the next arm's block, which all failures of one arm share. Never: builds a
//! table of tests; the tag of the value matched is read once.

use crate::hir::{Arith, Arm, Compare, Expr, ExprKind, LocalId, Pattern, PatternKind};
use crate::ir::core::{Aux, BlockId, BlockKind, End, Op, Var, Word};
use crate::ir::lower::build::{Builder, Join};
use crate::ir::lower::walk;
use crate::types::ty::Ty;
use ag_runtime::value::shape::{Shape, ShapeId, shape};

impl<'h> Builder<'_, 'h> {
    pub fn match_arms(&mut self, scrutinee: &'h Expr, arms: &'h [Arm], ty: &Ty) -> Var {
        let bodies: Vec<&Expr> =
            arms.iter().flat_map(|arm| arm.guard.iter().chain([&arm.body])).collect();
        let locals = self.assigned(&bodies);
        let value = self.expr(scrutinee);
        let tag = self.root_tag(value, arms);
        let join = self.new_join(BlockKind::Join, Some(ty), locals.clone());
        for arm in arms {
            let next = self.new_join(BlockKind::Join, None, self.guard_locals(arm, &locals));
            let saved = self.save(&locals);
            self.test(&arm.pattern, value, tag, &next);
            self.bind(&arm.pattern, value);
            if let Some(guard) = &arm.guard {
                let holds = self.expr(guard);
                self.go_unless(holds, &next);
            }
            let result = self.expr(&arm.body);
            self.jump(&join, Some(result));
            self.restore(&locals, &saved);
            self.enter(&next);
        }
        // The checker saw that the arms are exhaustive.
        self.end(End::Unreachable);
        self.enter(&join)
    }

    fn guard_locals(&self, arm: &'h Arm, locals: &[LocalId]) -> Vec<LocalId> {
        let Some(guard) = &arm.guard else { return vec![] };
        let assigned = walk::assigned(&[guard]);
        locals.iter().copied().filter(|local| assigned.contains(local)).collect()
    }

    fn root_tag(&mut self, value: Var, arms: &[Arm]) -> Option<Var> {
        let tests_tag = |pattern: &Pattern| {
            matches!(pattern.kind, PatternKind::Variant { .. } | PatternKind::Or(_))
        };
        let is_enum = matches!(shape(self.shape_of(value)), Shape::Enum(_));
        (is_enum && arms.iter().any(|arm| tests_tag(&arm.pattern)))
            .then(|| self.emit(ShapeId::INT, Op::Tag(value)))
    }

    /// Goes on where the value fits, to `otherwise` where it does not.
    fn test(&mut self, pattern: &'h Pattern, value: Var, tag: Option<Var>, otherwise: &Join) {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Bind(_) => {}
            PatternKind::Literal(literal) => {
                let fits = self.literal_test(value, literal);
                self.go_unless(fits, otherwise);
            }
            PatternKind::Range { low, high, inclusive } => {
                let float = matches!(low.ty, Ty::Float);
                let low = self.expr(low);
                let above = Op::Compare { float, op: Compare::Ge, lhs: value, rhs: low };
                let above = self.emit(ShapeId::BOOL, above);
                self.go_unless(above, otherwise);
                let op = if *inclusive { Compare::Le } else { Compare::Lt };
                let high = self.expr(high);
                let below =
                    self.emit(ShapeId::BOOL, Op::Compare { float, op, lhs: value, rhs: high });
                self.go_unless(below, otherwise);
            }
            PatternKind::Variant { tag: wanted, fields } => {
                self.test_tag(value, tag, *wanted, otherwise);
                for (at, field) in fields.iter().enumerate() {
                    if needs_test(field) {
                        let part = self.payload(value, *wanted, at);
                        self.test(field, part, None, otherwise);
                    }
                }
            }
            PatternKind::Fields(fields) => {
                for (index, field) in fields {
                    if needs_test(field) {
                        let part = self.field(value, *index);
                        self.test(field, part, None, otherwise);
                    }
                }
            }
            PatternKind::List { before, rest, after } => {
                self.test_list(value, before, rest.is_some(), after, otherwise);
            }
            PatternKind::Or(choices) => self.test_or(choices, value, tag, otherwise),
        }
    }

    fn test_tag(&mut self, value: Var, tag: Option<Var>, wanted: u32, otherwise: &Join) {
        if let Shape::Enum(shape) = shape(self.shape_of(value))
            && shape.variants.len() == 1
        {
            return;
        }
        let tag = match tag {
            Some(tag) => tag,
            None => self.emit(ShapeId::INT, Op::Tag(value)),
        };
        let (fits, differs) = self.branch_on_known_tag(tag, wanted);
        self.switch_to(differs);
        self.jump(otherwise, None);
        self.switch_to(fits);
    }

    pub fn branch_on_known_tag(&mut self, tag: Var, wanted: u32) -> (BlockId, BlockId) {
        let wanted = self.constant(ShapeId::INT, u64::from(wanted));
        let same = Op::Compare { float: false, op: Compare::Eq, lhs: tag, rhs: wanted };
        let same = self.emit(ShapeId::BOOL, same);
        self.branch(same)
    }

    fn literal_test(&mut self, value: Var, literal: &'h Expr) -> Var {
        let rhs = self.expr(literal);
        let lhs = value;
        match literal.kind {
            ExprKind::Text(_) => self.equal_vars(ShapeId::TEXT, lhs, rhs),
            _ => {
                let float = matches!(literal.ty, Ty::Float);
                self.emit(ShapeId::BOOL, Op::Compare { float, op: Compare::Eq, lhs, rhs })
            }
        }
    }

    /// One of several patterns fits: each failure tries the next.
    fn test_or(&mut self, choices: &'h [Pattern], value: Var, tag: Option<Var>, otherwise: &Join) {
        let fits = self.new_join(BlockKind::Join, None, vec![]);
        for choice in choices {
            let next = self.new_join(BlockKind::Join, None, vec![]);
            self.test(choice, value, tag, &next);
            self.jump(&fits, None);
            self.enter(&next);
        }
        self.jump(otherwise, None);
        self.enter(&fits);
    }

    fn test_list(
        &mut self,
        list: Var,
        before: &'h [Pattern],
        open: bool,
        after: &'h [Pattern],
        otherwise: &Join,
    ) {
        let len = self.emit(ShapeId::INT, Op::ListLen(list));
        let wanted = self.constant(ShapeId::INT, (before.len() + after.len()) as u64);
        let op = if open { Compare::Ge } else { Compare::Eq };
        let fits =
            self.emit(ShapeId::BOOL, Op::Compare { float: false, op, lhs: len, rhs: wanted });
        self.go_unless(fits, otherwise);
        let element = crate::ir::lower::place::element_shape(self.shape_of(list));
        for (pattern, index) in self.list_parts(before, after, len) {
            if needs_test(pattern) {
                let part = self.emit(element, Op::ListGet(list, index));
                self.test(pattern, part, None, otherwise);
            }
        }
    }

    /// The patterns of elements with the index of each.
    fn list_parts(
        &mut self,
        before: &'h [Pattern],
        after: &'h [Pattern],
        len: Var,
    ) -> Vec<(&'h Pattern, Var)> {
        let mut parts = Vec::with_capacity(before.len() + after.len());
        for (at, pattern) in before.iter().enumerate() {
            parts.push((pattern, self.constant(ShapeId::INT, at as u64)));
        }
        for (at, pattern) in after.iter().enumerate() {
            let from_end = self.constant(ShapeId::INT, (after.len() - at) as u64);
            parts.push((pattern, self.arith(Word::Index, Arith::Sub, len, from_end)));
        }
        parts
    }

    pub fn go_unless(&mut self, cond: Var, otherwise: &Join) {
        let (fits, differs) = self.branch(cond);
        self.switch_to(differs);
        self.jump(otherwise, None);
        self.switch_to(fits);
    }

    fn payload(&mut self, value: Var, tag: u32, at: usize) -> Var {
        let field = match shape(self.shape_of(value)) {
            Shape::Enum(shape) => shape
                .variants
                .get(tag as usize)
                .and_then(|variant| variant.fields.get(at))
                .map(|field| field.shape),
            _ => None,
        };
        self.emit(field.unwrap_or(ShapeId::UNIT), Op::Payload(value, at as u32))
    }

    fn field(&mut self, value: Var, index: u32) -> Var {
        let shape = self.field_shape(self.shape_of(value), index);
        self.emit(shape, Op::Field(value, index))
    }

    /// Binds the names of a pattern that the value is known to fit.
    pub fn bind(&mut self, pattern: &'h Pattern, value: Var) {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Literal(_) | PatternKind::Range { .. } => {}
            PatternKind::Bind(local) => self.bind_local(*local, value),
            PatternKind::Variant { tag, fields } => {
                for (at, field) in fields.iter().enumerate() {
                    if binds(field) {
                        let part = self.payload(value, *tag, at);
                        self.bind(field, part);
                    }
                }
            }
            PatternKind::Fields(fields) => {
                for (index, field) in fields {
                    if binds(field) {
                        let part = self.field(value, *index);
                        self.bind(field, part);
                    }
                }
            }
            PatternKind::List { before, rest, after } => {
                self.bind_list(value, before, rest.as_ref().and_then(Option::as_ref), after);
            }
            PatternKind::Or(choices) => {
                if binds(pattern) {
                    self.bind_or(choices, value);
                }
            }
        }
    }

    /// The names of several patterns, of which one is known to fit: tested again to see which, and the names meet in a
    /// join.
    fn bind_or(&mut self, choices: &'h [Pattern], value: Var) {
        let mut locals = Vec::new();
        choices.first().into_iter().for_each(|choice| bound(choice, &mut locals));
        // Those that live in cells get them behind the join.
        let in_cells: Vec<LocalId> =
            locals.iter().copied().filter(|local| self.cells.remove(local)).collect();
        let join = self.new_join(BlockKind::Join, None, locals);
        for (at, choice) in choices.iter().enumerate() {
            let next = self.new_join(BlockKind::Join, None, vec![]);
            if at + 1 < choices.len() {
                self.test(choice, value, None, &next);
            }
            self.bind(choice, value);
            self.jump(&join, None);
            self.enter(&next);
        }
        self.end(End::Unreachable);
        self.enter(&join);
        self.cells.extend(&in_cells);
        for local in in_cells {
            let plain = self.env_of(local);
            self.bind_local(local, plain);
        }
    }

    fn bind_list(
        &mut self,
        list: Var,
        before: &'h [Pattern],
        rest: Option<&LocalId>,
        after: &'h [Pattern],
    ) {
        let shape = self.shape_of(list);
        let element = crate::ir::lower::place::element_shape(shape);
        let len = self.emit(ShapeId::INT, Op::ListLen(list));
        for (pattern, index) in self.list_parts(before, after, len) {
            if binds(pattern) {
                let part = self.emit(element, Op::ListGet(list, index));
                self.bind(pattern, part);
            }
        }
        if let Some(local) = rest {
            let first = self.constant(ShapeId::INT, before.len() as u64);
            let from_end = self.constant(ShapeId::INT, after.len() as u64);
            let end = self.arith(Word::Index, Arith::Sub, len, from_end);
            let slice = Op::Aux(Aux::Slice(shape), vec![list, first, end]);
            let slice = self.emit(shape, slice);
            self.bind_local(*local, slice);
        }
    }

    pub fn bind_local(&mut self, local: LocalId, value: Var) {
        let bound = if self.cells.contains(&local) { self.new_cell(value) } else { value };
        let name = self.hir.locals.get(local.0 as usize).map(|info| info.name.clone());
        if let Some(info) = self.function.vars.get_mut(bound.0 as usize)
            && info.name.is_none()
        {
            info.name = name;
        }
        self.set_env(local, bound);
    }
}

/// Whether a pattern can fail.
fn needs_test(pattern: &Pattern) -> bool {
    match &pattern.kind {
        PatternKind::Wildcard | PatternKind::Bind(_) => false,
        PatternKind::Fields(fields) => fields.iter().any(|(_, field)| needs_test(field)),
        _ => true,
    }
}

/// Whether a pattern gives a name to something.
fn binds(pattern: &Pattern) -> bool {
    match &pattern.kind {
        PatternKind::Bind(_) => true,
        PatternKind::Variant { fields, .. } => fields.iter().any(binds),
        PatternKind::Fields(fields) => fields.iter().any(|(_, field)| binds(field)),
        PatternKind::List { before, rest, after } => {
            matches!(rest, Some(Some(_))) || before.iter().chain(after).any(binds)
        }
        PatternKind::Or(choices) => choices.first().is_some_and(binds),
        PatternKind::Wildcard | PatternKind::Literal(_) | PatternKind::Range { .. } => false,
    }
}

/// The locals that a pattern binds.
fn bound(pattern: &Pattern, found: &mut Vec<LocalId>) {
    match &pattern.kind {
        PatternKind::Bind(local) => found.push(*local),
        PatternKind::Variant { fields, .. } => fields.iter().for_each(|field| bound(field, found)),
        PatternKind::Fields(fields) => fields.iter().for_each(|(_, field)| bound(field, found)),
        PatternKind::List { before, rest, after } => {
            before.iter().chain(after).for_each(|part| bound(part, found));
            found.extend(rest.iter().flatten());
        }
        // All choices bind the same.
        PatternKind::Or(choices) => {
            choices.first().into_iter().for_each(|first| bound(first, found))
        }
        PatternKind::Wildcard | PatternKind::Literal(_) | PatternKind::Range { .. } => {}
    }
}
