//! A naive evaluator of the typed tree: what programs mean, without counts, registers or frames.

use ag_lang::hir::{
    Arith, BinaryOp, Callee, Compare, Conversion, Expr, ExprKind, Function, LocalId, Pattern,
    PatternKind, Place, PlaceRoot, PlaceStep, Sequence, Stmt, StmtKind, TemplatePart,
};
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Unit,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Value>),
    Record(Vec<Value>),
    Variant(u32, Vec<Value>),
    Lambda(Box<(Function, Vec<(LocalId, Slot)>)>),
    /// A caught Fault: only its code is looked at.
    Fault(String),
}

/// A local: by value, or shared with lambdas.
type Slot = Rc<RefCell<Value>>;

pub enum Exit {
    Fault(String),
    Return(Value),
    Break,
    Continue,
}

type Step = Result<Value, Exit>;

pub struct Oracle<'a> {
    pub functions: &'a [Function],
    /// Calls still allowed.
    pub depth: u32,
}

fn fault(code: &str) -> Exit {
    Exit::Fault(code.to_owned())
}

struct Scope<'f> {
    function: &'f Function,
    locals: Vec<Slot>,
}

impl Oracle<'_> {
    pub fn run(
        &mut self,
        function: &Function,
        args: Vec<Value>,
        captured: &[(LocalId, Slot)],
    ) -> Step {
        if self.depth == 0 {
            return Err(fault("R0110"));
        }
        self.depth -= 1;
        let slot = |_| Rc::new(RefCell::new(Value::Unit));
        let mut scope = Scope { function, locals: (0..function.locals.len()).map(slot).collect() };
        for (at, arg) in args.into_iter().enumerate() {
            scope.locals[at] = Rc::new(RefCell::new(arg));
        }
        for (inner, slot) in captured {
            let shared = function.locals[inner.0 as usize].boxed;
            scope.locals[inner.0 as usize] =
                if shared { Rc::clone(slot) } else { Rc::new(RefCell::new(slot.borrow().clone())) };
        }
        let result = self.expr(&mut scope, &function.body);
        self.depth += 1;
        match result {
            Err(Exit::Return(value)) => Ok(value),
            other => other,
        }
    }

    fn all(&mut self, scope: &mut Scope<'_>, exprs: &[Expr]) -> Result<Vec<Value>, Exit> {
        exprs.iter().map(|expr| self.expr(scope, expr)).collect()
    }

    fn expr(&mut self, scope: &mut Scope<'_>, expr: &Expr) -> Step {
        use ExprKind as K;
        Ok(match &expr.kind {
            K::Unit => Value::Unit,
            K::Bool(value) => Value::Bool(*value),
            K::Int(value) => Value::Int(*value),
            K::Text(text) => Value::Text(text.to_string()),
            K::Local(local) => scope.locals[local.0 as usize].borrow().clone(),
            K::List(items) => Value::List(self.all(scope, items)?),
            K::Tuple(items) => Value::Record(self.all(scope, items)?),
            K::Record { fields, .. } => Value::Record(self.all(scope, fields)?),
            K::Variant { tag, fields } => Value::Variant(*tag, self.all(scope, fields)?),
            K::Field { base, index } => match self.expr(scope, base)? {
                Value::Record(fields) => fields[*index as usize].clone(),
                other => panic!("no fields in {other:?}"),
            },
            K::Binary(op, lhs, rhs) => {
                let (lhs, rhs) = (self.int(scope, lhs)?, self.int(scope, rhs)?);
                binary(*op, lhs, rhs)?
            }
            K::Equal { lhs, rhs, negated } => {
                let equal = self.expr(scope, lhs)? == self.expr(scope, rhs)?;
                Value::Bool(equal != *negated)
            }
            K::And(lhs, rhs) => Value::Bool(self.truth(scope, lhs)? && self.truth(scope, rhs)?),
            K::Or(lhs, rhs) => Value::Bool(self.truth(scope, lhs)? || self.truth(scope, rhs)?),
            // The only builtin of the random programs is `push`.
            K::Builtin { args, .. } => {
                let mut args = self.all(scope, args)?;
                let item = args.pop().unwrap();
                match args.pop() {
                    Some(Value::List(mut items)) => {
                        items.push(item);
                        Value::List(items)
                    }
                    other => panic!("{other:?}"),
                }
            }
            K::Coalesce { value, default } => match self.expr(scope, value)? {
                Value::Variant(1, fields) => fields[0].clone(),
                _ => self.expr(scope, default)?,
            },
            K::If { cond, then, otherwise } => {
                if self.truth(scope, cond)? {
                    self.expr(scope, then)?
                } else {
                    match otherwise {
                        Some(otherwise) => self.expr(scope, otherwise)?,
                        None => Value::Unit,
                    }
                }
            }
            K::Match { scrutinee, arms } => {
                let value = self.expr(scope, scrutinee)?;
                for arm in arms {
                    if self.fits(scope, &arm.pattern, &value)? {
                        return self.expr(scope, &arm.body);
                    }
                }
                panic!("no arm fits {value:?}")
            }
            K::For { pattern, sequence, body } => {
                return self.for_loop(scope, pattern, sequence, body);
            }
            K::Block { stmts, value } => {
                for stmt in stmts {
                    self.stmt(scope, stmt)?;
                }
                match value {
                    Some(value) => self.expr(scope, value)?,
                    None => Value::Unit,
                }
            }
            K::Template(parts) => {
                let mut joined = String::new();
                for part in parts {
                    match part {
                        TemplatePart::Text(text) => joined.push_str(text),
                        TemplatePart::Hole(hole) => {
                            joined.push_str(&show(&self.expr(scope, hole)?, false))
                        }
                    }
                }
                Value::Text(joined)
            }
            K::Call { callee: Callee::Function(key), args } => {
                let args = self.all(scope, args)?;
                let function = self.functions.iter().find(|function| function.key == *key).unwrap();
                return self.run(function, args, &[]);
            }
            K::Call { callee: Callee::Value(value), args } => {
                let Value::Lambda(lambda) = self.expr(scope, value)? else {
                    panic!("not a lambda")
                };
                let args = self.all(scope, args)?;
                return self.run(&lambda.0, args, &lambda.1);
            }
            K::Lambda { function, captures } => {
                let mut kept = Vec::new();
                for capture in captures {
                    let slot = &scope.locals[capture.outer.0 as usize];
                    let boxed = scope.function.locals[capture.outer.0 as usize].boxed;
                    let slot = if boxed {
                        Rc::clone(slot)
                    } else {
                        Rc::new(RefCell::new(slot.borrow().clone()))
                    };
                    kept.push((capture.inner, slot));
                }
                Value::Lambda(Box::new(((**function).clone(), kept)))
            }
            K::Try(body) => match self.expr(scope, body) {
                Ok(value) => Value::Variant(0, vec![value]),
                Err(Exit::Fault(code)) => Value::Variant(1, vec![Value::Fault(code)]),
                Err(other) => return Err(other),
            },
            K::Question(value) => match self.expr(scope, value)? {
                Value::Variant(1, fields) => fields[0].clone(),
                none => return Err(Exit::Return(none)),
            },
            K::Convert(Conversion::Some, value) => {
                Value::Variant(1, vec![self.expr(scope, value)?])
            }
            K::Return(value) => {
                let value = match value {
                    Some(value) => self.expr(scope, value)?,
                    None => Value::Unit,
                };
                return Err(Exit::Return(value));
            }
            K::Break => return Err(Exit::Break),
            K::Continue => return Err(Exit::Continue),
            other => panic!("the oracle does not know {other:?}"),
        })
    }

    fn int(&mut self, scope: &mut Scope<'_>, expr: &Expr) -> Result<i64, Exit> {
        match self.expr(scope, expr)? {
            Value::Int(value) => Ok(value),
            other => panic!("{other:?} is no Int"),
        }
    }

    fn truth(&mut self, scope: &mut Scope<'_>, expr: &Expr) -> Result<bool, Exit> {
        match self.expr(scope, expr)? {
            Value::Bool(value) => Ok(value),
            other => panic!("{other:?} is no Bool"),
        }
    }

    fn for_loop(
        &mut self,
        scope: &mut Scope<'_>,
        pattern: &Pattern,
        sequence: &Sequence,
        body: &Expr,
    ) -> Step {
        let items = match sequence {
            Sequence::Range { low, high, inclusive } => {
                let (low, high) = (self.int(scope, low)?, self.int(scope, high)?);
                let high = if *inclusive { high + 1 } else { high };
                (low..high).map(Value::Int).collect()
            }
            Sequence::Value(value) => match self.expr(scope, value)? {
                Value::List(items) => items,
                other => panic!("no list: {other:?}"),
            },
        };
        for item in items {
            assert!(self.fits(scope, pattern, &item)?);
            match self.expr(scope, body) {
                Ok(_) | Err(Exit::Continue) => {}
                Err(Exit::Break) => break,
                Err(other) => return Err(other),
            }
        }
        Ok(Value::Unit)
    }

    fn stmt(&mut self, scope: &mut Scope<'_>, stmt: &Stmt) -> Result<(), Exit> {
        match &stmt.kind {
            StmtKind::Expr(value) => {
                self.expr(scope, value)?;
            }
            StmtKind::Let { pattern, value } => {
                let value = self.expr(scope, value)?;
                self.bind_new(scope, pattern, &value)?;
            }
            StmtKind::Assign { place, value } => self.assign(scope, place, value)?,
        }
        Ok(())
    }

    /// A declaration makes new variables, also when it runs again in a loop.
    fn bind_new(
        &mut self,
        scope: &mut Scope<'_>,
        pattern: &Pattern,
        value: &Value,
    ) -> Result<(), Exit> {
        if let PatternKind::Bind(local) = pattern.kind {
            scope.locals[local.0 as usize] = Rc::new(RefCell::new(value.clone()));
            return Ok(());
        }
        assert!(self.fits(scope, pattern, value)?);
        Ok(())
    }

    fn assign(&mut self, scope: &mut Scope<'_>, place: &Place, value: &Expr) -> Result<(), Exit> {
        let PlaceRoot::Local(local) = place.root else { panic!("only locals") };
        let mut path = Vec::new();
        for step in &place.path {
            path.push(match step {
                PlaceStep::Field { index, .. } => i64::from(*index),
                PlaceStep::Index { index, .. } => self.int(scope, index)?,
            });
        }
        let value = self.expr(scope, value)?;
        let slot = Rc::clone(&scope.locals[local.0 as usize]);
        let mut root = slot.borrow_mut();
        let mut at = &mut *root;
        for index in path {
            let parts = match at {
                Value::List(items) | Value::Record(items) => items,
                other => panic!("no parts in {other:?}"),
            };
            at = usize::try_from(index)
                .ok()
                .and_then(|index| parts.get_mut(index))
                .ok_or(fault("R0104"))?;
        }
        *at = value;
        Ok(())
    }

    fn fits(
        &mut self,
        scope: &mut Scope<'_>,
        pattern: &Pattern,
        value: &Value,
    ) -> Result<bool, Exit> {
        Ok(match (&pattern.kind, value) {
            (PatternKind::Wildcard, _) => true,
            (PatternKind::Bind(local), value) => {
                scope.locals[local.0 as usize] = Rc::new(RefCell::new(value.clone()));
                true
            }
            (PatternKind::Literal(literal), value) => self.expr(scope, literal)? == *value,
            (PatternKind::Range { low, high, inclusive }, Value::Int(value)) => {
                let (low, high) = (self.int(scope, low)?, self.int(scope, high)?);
                low <= *value && (*value < high || *inclusive && *value == high)
            }
            (PatternKind::Variant { tag, fields }, Value::Variant(found, parts)) => {
                tag == found && self.all_fit(scope, fields.iter().zip(parts))?
            }
            (PatternKind::Fields(fields), Value::Record(parts)) => {
                let pairs = fields.iter().map(|(at, field)| (field, &parts[*at as usize]));
                self.all_fit(scope, pairs)?
            }
            (PatternKind::List { before, rest, after }, Value::List(items)) => {
                let least = before.len() + after.len();
                if items.len() < least || (rest.is_none() && items.len() > least) {
                    return Ok(false);
                }
                let tail = items.len() - after.len();
                if let Some(Some(local)) = rest {
                    let middle = Value::List(items[before.len()..tail].to_vec());
                    scope.locals[local.0 as usize] = Rc::new(RefCell::new(middle));
                }
                self.all_fit(scope, before.iter().zip(items))?
                    && self.all_fit(scope, after.iter().zip(&items[tail..]))?
            }
            (PatternKind::Or(choices), value) => {
                for choice in choices {
                    if self.fits(scope, choice, value)? {
                        return Ok(true);
                    }
                }
                false
            }
            (pattern, value) => panic!("{pattern:?} against {value:?}"),
        })
    }

    fn all_fit<'p>(
        &mut self,
        scope: &mut Scope<'_>,
        pairs: impl Iterator<Item = (&'p Pattern, &'p Value)>,
    ) -> Result<bool, Exit> {
        for (pattern, value) in pairs {
            if !self.fits(scope, pattern, value)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn binary(op: BinaryOp, lhs: i64, rhs: i64) -> Result<Value, Exit> {
    let checked = |value: Option<i64>| value.map(Value::Int).ok_or(fault("R0101"));
    match op {
        BinaryOp::Int(Arith::Add) => checked(lhs.checked_add(rhs)),
        BinaryOp::Int(Arith::Sub) => checked(lhs.checked_sub(rhs)),
        BinaryOp::Int(Arith::Mul) => checked(lhs.checked_mul(rhs)),
        BinaryOp::Int(Arith::Div | Arith::Rem) if rhs == 0 => Err(fault("R0102")),
        BinaryOp::Int(Arith::Div) => checked(lhs.checked_div(rhs)),
        BinaryOp::Int(Arith::Rem) => Ok(Value::Int(lhs.wrapping_rem(rhs))),
        BinaryOp::CompareInt(op) => Ok(Value::Bool(match op {
            Compare::Eq => lhs == rhs,
            Compare::Ne => lhs != rhs,
            Compare::Lt => lhs < rhs,
            Compare::Le => lhs <= rhs,
            Compare::Gt => lhs > rhs,
            Compare::Ge => lhs >= rhs,
        })),
        other => panic!("{other:?}"),
    }
}

/// As `show` does for the types the random programs use: Option, lists, tuples, texts, Ints.
pub fn show(value: &Value, quoted: bool) -> String {
    match value {
        Value::Unit => "()".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(text) if quoted => format!("\"{text}\""),
        Value::Text(text) => text.clone(),
        Value::List(items) => format!("[{}]", joined(items)),
        Value::Record(items) => format!("({})", joined(items)),
        Value::Variant(0, _) => "None".to_owned(),
        Value::Variant(_, parts) => format!("Some({})", joined(parts)),
        Value::Lambda(_) | Value::Fault(_) => panic!("not shown"),
    }
}

fn joined(items: &[Value]) -> String {
    items.iter().map(|item| show(item, true)).collect::<Vec<_>>().join(", ")
}
