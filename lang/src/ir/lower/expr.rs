//! Expressions: literals, names, operators, calls, conversions.
//!
//! Never: decides control flow (`control`), builds data (`data`), touches agents (`effect`).

use crate::hir::{Arith, BinaryOp, Callee, Capture, Conversion, Expr, ExprKind, LocalId, UnaryOp};
use crate::ir::core::{Aux, End, Op, Raise, Tied, Var, Word};
use crate::ir::lower::build::Builder;
use crate::ir::lower::control::is_named;
use crate::types::ty::Ty;
use ag_runtime::builtin::BuiltinId;
use ag_runtime::value::shape::{OK, SOME, ShapeId, option_of};

impl<'h> Builder<'_, 'h> {
    pub fn expr(&mut self, expr: &'h Expr) -> Var {
        let outer = std::mem::replace(&mut self.span, expr.span);
        let var = self.expr_kind(expr);
        self.span = outer;
        var
    }

    pub fn exprs(&mut self, exprs: &'h [Expr]) -> Vec<Var> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn expr_kind(&mut self, expr: &'h Expr) -> Var {
        use ExprKind as K;
        match &expr.kind {
            K::Unit => self.unit(),
            K::Bool(value) => self.constant(ShapeId::BOOL, u64::from(*value)),
            K::Int(value) => self.constant(ShapeId::INT, *value as u64),
            K::Float(bits) => self.constant(ShapeId::FLOAT, *bits),
            K::Money(value) => self.constant(ShapeId::MONEY, *value as u64),
            K::Duration(value) => self.constant(ShapeId::DURATION, *value as u64),
            K::Text(text) => self.emit(ShapeId::TEXT, Op::Text(text.clone())),
            K::Local(local) => self.read_local(*local),
            K::Cell(local) => self.env_of(*local),
            K::Function(key) => {
                let shape = self.shape(&expr.ty);
                self.emit(shape, Op::Closure(key.clone(), vec![], Tied::Free))
            }
            // Only generic bodies have these, and those are never lowered: their instances are.
            K::Instance(_) | K::Generic(..) => self.unit(),
            K::Unary(op, value) => self.unary(*op, value),
            K::Binary(op, lhs, rhs) => self.binary(*op, lhs, rhs),
            K::Equal { lhs, rhs, negated } => self.equal(lhs, rhs, *negated),
            K::Call { callee, args } => self.call(callee, args, &expr.ty),
            K::Builtin { id, args, types } => self.builtin(*id, args, types, &expr.ty),
            K::Lambda { function, captures } => {
                self.lambdas.push(function);
                self.lambda(function, captures, &expr.ty)
            }
            K::Convert(conversion, value) => self.convert(*conversion, value, &expr.ty),
            K::Lane(_)
            | K::Global(_)
            | K::AgentField(_)
            | K::SelfRef
            | K::Scope { .. }
            | K::Spawn { .. }
            | K::Coordinate { .. }
            | K::Request { .. }
            | K::Signal { .. }
            | K::LlmCall { .. } => self.effect(expr),
            K::List(_)
            | K::Set(_)
            | K::Vector(_)
            | K::Map(_)
            | K::Tuple(_)
            | K::Record { .. }
            | K::Update { .. }
            | K::Variant { .. }
            | K::Field { .. }
            | K::Template(_)
            | K::Prompt(_) => self.data(expr),
            K::And(..)
            | K::Or(..)
            | K::Coalesce { .. }
            | K::If { .. }
            | K::Match { .. }
            | K::While { .. }
            | K::Loop { .. }
            | K::For { .. }
            | K::Block { .. }
            | K::Try(_)
            | K::Question(_)
            | K::Return(_)
            | K::Break
            | K::Continue
            | K::Require { .. }
            | K::Check { .. }
            | K::Ensuring { .. } => self.control(expr),
        }
    }

    pub fn read_local(&mut self, local: LocalId) -> Var {
        let var = self.env_of(local);
        if !self.cells.contains(&local) {
            return var;
        }
        let shape = self.local_shape(local);
        self.emit(shape, Op::CellGet(var))
    }

    pub fn local_shape(&self, local: LocalId) -> ShapeId {
        self.hir.locals.get(local.0 as usize).map_or(ShapeId::UNIT, |info| self.shape(&info.ty))
    }

    fn unary(&mut self, op: UnaryOp, value: &'h Expr) -> Var {
        let value = self.expr(value);
        match op {
            UnaryOp::IntNeg => self.emit(ShapeId::INT, Op::Neg(Word::Int, value)),
            UnaryOp::FloatNeg => self.emit(ShapeId::FLOAT, Op::Neg(Word::Float, value)),
            UnaryOp::MoneyNeg => self.emit(ShapeId::MONEY, Op::Neg(Word::Money, value)),
            UnaryOp::DurationNeg => self.emit(ShapeId::DURATION, Op::Neg(Word::Duration, value)),
            UnaryOp::Not => self.emit(ShapeId::BOOL, Op::Not(value)),
        }
    }

    fn binary(&mut self, op: BinaryOp, lhs: &'h Expr, rhs: &'h Expr) -> Var {
        let lhs = self.expr(lhs);
        let rhs = self.expr(rhs);
        match op {
            BinaryOp::Int(op) => self.arith(Word::Int, op, lhs, rhs),
            BinaryOp::Float(op) => self.arith(Word::Float, op, lhs, rhs),
            BinaryOp::Money(op) => self.arith(Word::Money, op, lhs, rhs),
            BinaryOp::Duration(op) => self.arith(Word::Duration, op, lhs, rhs),
            BinaryOp::CompareInt(op) => {
                self.emit(ShapeId::BOOL, Op::Compare { float: false, op, lhs, rhs })
            }
            BinaryOp::CompareFloat(op) => {
                self.emit(ShapeId::BOOL, Op::Compare { float: true, op, lhs, rhs })
            }
        }
    }

    pub fn arith(&mut self, word: Word, op: Arith, lhs: Var, rhs: Var) -> Var {
        // The words are the same. One Time and a Duration give a Time, two Times the Duration between them.
        let is_time = |var| self.shape_of(var) == ShapeId::TIME;
        let shape = match word {
            Word::Float => ShapeId::FLOAT,
            Word::Money => ShapeId::MONEY,
            Word::Duration if is_time(lhs) != is_time(rhs) => ShapeId::TIME,
            Word::Duration => ShapeId::DURATION,
            Word::Int | Word::Index => ShapeId::INT,
        };
        self.emit(shape, Op::Arith { word, op, lhs, rhs })
    }

    fn equal(&mut self, lhs: &'h Expr, rhs: &'h Expr, negated: bool) -> Var {
        let shape = self.shape(&lhs.ty);
        let lhs = self.expr(lhs);
        let rhs = self.expr(rhs);
        let equal = self.equal_vars(shape, lhs, rhs);
        if negated { self.emit(ShapeId::BOOL, Op::Not(equal)) } else { equal }
    }

    pub fn equal_vars(&mut self, shape: ShapeId, lhs: Var, rhs: Var) -> Var {
        self.emit(ShapeId::BOOL, Op::Aux(Aux::Equal(shape), vec![lhs, rhs]))
    }

    fn call(&mut self, callee: &'h Callee, args: &'h [Expr], ty: &Ty) -> Var {
        let shape = self.shape(ty);
        let result = match callee {
            Callee::Function(key) => {
                let args = self.exprs(args);
                self.emit(shape, Op::Call(key.clone(), args))
            }
            Callee::Instance(_) => self.unit(),
            Callee::Value(value) => {
                let value = self.expr(value);
                let args = self.exprs(args);
                self.emit(shape, Op::CallValue(value, args))
            }
        };
        self.ends_here(ty);
        result
    }

    fn builtin(&mut self, id: BuiltinId, args: &'h [Expr], types: &[Ty], ty: &Ty) -> Var {
        let args = self.exprs(args);
        let shapes = types.iter().map(|ty| self.shape(ty)).collect();
        let shape = self.shape(ty);
        let result = self.emit(shape, Op::Builtin { id, args, shapes });
        self.ends_here(ty);
        result
    }

    /// After something that gives no control back.
    pub fn ends_here(&mut self, ty: &Ty) {
        if matches!(ty, Ty::Never) {
            self.end(End::Unreachable);
        }
    }

    fn lambda(
        &mut self,
        function: &'h crate::hir::Function,
        captures: &'h [Capture],
        ty: &Ty,
    ) -> Var {
        let mut values = Vec::with_capacity(captures.len());
        for capture in captures {
            let inner = function.locals.get(capture.inner.0 as usize);
            // A boxed `var` is shared with the lambda; anything else goes along by value.
            let shares = inner.is_some_and(|local| local.boxed);
            values.push(if shares {
                self.env_of(capture.outer)
            } else {
                self.read_local(capture.outer)
            });
        }
        let shape = self.shape(ty);
        let tied = if function.tied { Tied::Stays } else { Tied::Free };
        self.emit(shape, Op::Closure(function.key.clone(), values, tied))
    }

    fn convert(&mut self, conversion: Conversion, value: &'h Expr, ty: &Ty) -> Var {
        let from = self.shape(&value.ty);
        let shape = self.shape(ty);
        let var = self.expr(value);
        match conversion {
            Conversion::Some => self.emit(shape, Op::Variant(SOME, vec![var])),
            Conversion::ToDyn => self.emit(shape, Op::Aux(Aux::ToDyn(from), vec![var])),
            Conversion::FromDyn { optional } => {
                let target = if optional { option_of(shape).unwrap_or(shape) } else { shape };
                self.emit(shape, Op::Aux(Aux::FromDyn { target, optional }, vec![var]))
            }
            Conversion::TextToPrompt => self.emit(shape, Op::Aux(Aux::TextToPrompt, vec![var])),
            Conversion::AsTool => self.emit(shape, Op::Aux(Aux::AsTool, vec![var])),
            Conversion::ListToVector => self.emit(shape, Op::Aux(Aux::ListToVector, vec![var])),
            Conversion::ListToSet => self.emit(shape, Op::Aux(Aux::ListToSet(from), vec![var])),
            Conversion::Move | Conversion::Copy | Conversion::Keep => var,
            Conversion::Discard => self.unit(),
            Conversion::DiscardResult => self.discard_result(var),
        }
    }

    /// `Ok` vanishes, `Err(e)` is a Fault (L-45).
    fn discard_result(&mut self, result: Var) -> Var {
        let Some(error) = self.payload_shape(result, ag_runtime::value::shape::ERR) else {
            return self.unit();
        };
        let tag = self.emit(ShapeId::INT, Op::Tag(result));
        let (bad, good) = self.branch(tag);
        self.switch_to(bad);
        let error_value = self.emit(error, Op::Payload(result, 0));
        self.run(Op::Aux(Aux::Raise(Raise::DiscardedErr(error)), vec![error_value]));
        self.end(End::Unreachable);
        self.switch_to(good);
        match self.payload_shape(result, OK) {
            // `try f()` whose `f` gives a Result.
            Some(inner) if is_named(inner, "Result") => {
                let inner = self.emit(inner, Op::Payload(result, 0));
                self.discard_result(inner)
            }
            _ => self.unit(),
        }
    }
}
