//! From a generic body to one of its instances: type parameters replaced, and what depended on them decided.
//!
//! The body was checked once, for all types; here only the instructions are chosen. Never: reports anything.

use crate::hir::visit::{children, each_type};
use crate::hir::{
    BinaryOp, Callee, Compare, Expr, ExprKind, Function, FunctionKey, GenericOp, Instance, UnaryOp,
};
use crate::types::ty::{Name, Ty};
use ag_runtime::builtin::BuiltinId;

/// Type parameters with what they stand for.
#[derive(Clone, Copy)]
pub struct Substitution<'a> {
    pub names: &'a [Name],
    pub args: &'a [Ty],
}

impl Substitution<'_> {
    /// The instance of that name of a generic function; the instances it uses go into `uses`.
    pub fn function(
        self,
        generic: &Function,
        name: &FunctionKey,
        uses: &mut Vec<Instance>,
    ) -> Function {
        let mut function = generic.clone();
        self.types(&mut function);
        rename(&mut function, &generic.key, name);
        monomorphise(&mut function, uses);
        function
    }

    fn types(self, function: &mut Function) {
        let substitute = &mut |ty: &mut Ty| *ty = ty.substitute(self.names, self.args);
        function.locals.iter_mut().for_each(|local| substitute(&mut local.ty));
        substitute(&mut function.result);
        each_type(&mut function.body, substitute);
    }

    /// The same for an expression that is put into another body.
    pub fn expr(self, value: &mut Expr) {
        each_type(value, &mut |ty| *ty = ty.substitute(self.names, self.args));
    }
}

/// Lambdas are named after the function they stand in.
fn rename(function: &mut Function, from: &str, to: &str) {
    fn inside(value: &mut Expr, from: &str, to: &str) {
        if let ExprKind::Lambda { function, .. } = &mut value.kind {
            rename(function, from, to);
        }
        children(value, &mut |inner| inside(inner, from, to));
    }
    if let Some(rest) = function.key.strip_prefix(from) {
        function.key = FunctionKey::from(format!("{to}{rest}"));
    }
    inside(&mut function.body, from, to);
}

/// Decides what is known now: which functions are called, which instructions operators are. Instances whose arguments
/// still mention a type parameter stay as they are.
pub fn monomorphise(function: &mut Function, uses: &mut Vec<Instance>) {
    settle(&mut function.body, uses);
}

fn settle(value: &mut Expr, uses: &mut Vec<Instance>) {
    let mut used = |instance: &Instance| {
        let known = !instance.args.iter().any(Ty::is_generic);
        known.then(|| {
            uses.push(instance.clone());
            instance.name()
        })
    };
    match &mut value.kind {
        ExprKind::Lambda { function, .. } => settle(&mut function.body, uses),
        ExprKind::Instance(instance) => {
            if let Some(key) = used(instance) {
                value.kind = ExprKind::Function(key);
            }
        }
        ExprKind::Call { callee, .. } => {
            if let Callee::Instance(instance) = callee
                && let Some(key) = used(instance)
            {
                *callee = Callee::Function(key);
            }
        }
        _ => {}
    }
    children(value, &mut |inner| settle(inner, uses));
    instructions(value);
}

/// Operators on what turned out to be plain words.
fn instructions(value: &mut Expr) {
    let decided = match &mut value.kind {
        ExprKind::Equal { lhs, rhs, negated } => {
            let compare = if *negated { Compare::Ne } else { Compare::Eq };
            comparison(&lhs.ty, compare).map(|op| {
                let (lhs, rhs) = (take(lhs), take(rhs));
                ExprKind::Binary(op, Box::new(lhs), Box::new(rhs))
            })
        }
        ExprKind::Builtin { id, args, types } => match (types.as_slice(), args.as_mut_slice()) {
            ([ty], [lhs, rhs]) => ordering(*id).and_then(|op| comparison(ty, op)).map(|op| {
                let (lhs, rhs) = (take(lhs), take(rhs));
                ExprKind::Binary(op, Box::new(lhs), Box::new(rhs))
            }),
            _ => None,
        },
        ExprKind::Generic(op, args) => arithmetic(*op, &value.ty, args),
        _ => None,
    };
    if let Some(kind) = decided {
        value.kind = kind;
    }
}

fn take(value: &mut Expr) -> Expr {
    let (ty, span) = (value.ty.clone(), value.span);
    std::mem::replace(value, Expr { kind: ExprKind::Unit, ty, span })
}

fn comparison(ty: &Ty, op: Compare) -> Option<BinaryOp> {
    match ty {
        Ty::Float => Some(BinaryOp::CompareFloat(op)),
        word if word.is_word() => Some(BinaryOp::CompareInt(op)),
        _ => None,
    }
}

/// The comparison that a builtin of the table of operators is.
fn ordering(id: BuiltinId) -> Option<Compare> {
    let row = id.get().filter(|row| row.kind == ag_runtime::builtin::Kind::Operator)?;
    Some(match row.name {
        "<" => Compare::Lt,
        "<=" => Compare::Le,
        ">" => Compare::Gt,
        ">=" => Compare::Ge,
        _ => return None,
    })
}

fn arithmetic(op: GenericOp, ty: &Ty, args: &mut [Expr]) -> Option<ExprKind> {
    use crate::hir::Arith;
    let arith = match op {
        GenericOp::Add => Arith::Add,
        GenericOp::Sub => Arith::Sub,
        GenericOp::Neg => {
            let op = match ty {
                Ty::Int => UnaryOp::IntNeg,
                Ty::Float => UnaryOp::FloatNeg,
                Ty::Money => UnaryOp::MoneyNeg,
                Ty::Duration => UnaryOp::DurationNeg,
                _ => return None,
            };
            let value = args.first_mut().map(take)?;
            return Some(ExprKind::Unary(op, Box::new(value)));
        }
    };
    let op = match ty {
        Ty::Int => BinaryOp::Int(arith),
        Ty::Float => BinaryOp::Float(arith),
        Ty::Money => BinaryOp::Money(arith),
        Ty::Duration => BinaryOp::Duration(arith),
        _ => return None,
    };
    match args {
        [lhs, rhs] => {
            let (lhs, rhs) = (take(lhs), take(rhs));
            Some(ExprKind::Binary(op, Box::new(lhs), Box::new(rhs)))
        }
        _ => None,
    }
}
