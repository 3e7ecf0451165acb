//! Random programs: what the engine computes is what the naive evaluator computes, Faults included, and no
//! value is left or freed twice.

use crate::build::{
    add, adt, arith, bind, block, body, boolean, call, call_value, capture, cell_with, compare,
    expr, for_each, for_range, function, if_else, int, lambda, list, list_of, local, option_of,
    pattern, result_of, ret, run, stmt, sub, text, when,
};
use crate::oracle::{Exit, Oracle, show};
use crate::support::session;
use ag_lang::hir::{
    Arith, Arm, Compare, Conversion, Expr, ExprKind, Function, LocalId, Pattern, PatternKind,
    Place, PlaceRoot, PlaceStep, Stmt, StmtKind, TemplatePart,
};
use ag_lang::types::ty::Ty;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::{prop_assert_eq, proptest};

/// Makes choices from bytes, so that fewer bytes are a smaller program.
struct Choices {
    bytes: Vec<u8>,
    at: usize,
    tys: Vec<Ty>,
    boxed: Vec<u32>,
    /// Locals in scope, by id.
    scope: Vec<u32>,
    loops: u32,
    /// How many more expressions may be made.
    fuel: u32,
    in_lambda: bool,
    lambdas: u32,
}

fn texts() -> Ty {
    list_of(Ty::Text)
}

fn pair() -> Ty {
    Ty::Tuple(vec![Ty::Text, texts()])
}

fn maybe() -> Ty {
    option_of(Ty::Text)
}

impl Choices {
    fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            at: 0,
            tys: vec![],
            boxed: vec![],
            scope: vec![],
            loops: 0,
            fuel: 220,
            in_lambda: false,
            lambdas: 0,
        }
    }

    fn pick(&mut self, of: u8) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte % of
    }

    fn new_local(&mut self, ty: Ty) -> u32 {
        self.tys.push(ty);
        self.tys.len() as u32 - 1
    }

    fn known(&mut self, ty: &Ty) -> Option<u32> {
        let fitting: Vec<u32> =
            self.scope.iter().copied().filter(|at| self.tys[*at as usize] == *ty).collect();
        if fitting.is_empty() {
            return None;
        }
        let at = self.pick(fitting.len() as u8);
        Some(fitting[usize::from(at)])
    }

    fn leaf(&mut self, ty: &Ty) -> Expr {
        if self.pick(3) > 0
            && let Some(at) = self.known(ty)
        {
            return local(at, ty.clone());
        }
        match ty {
            Ty::Int => int(i64::from(self.pick(5)) - 1),
            Ty::Bool => boolean(self.pick(2) == 1),
            Ty::Text => text(["", "a", "bc"][usize::from(self.pick(3))]),
            Ty::List(_) => list(vec![], Ty::Text),
            Ty::Tuple(_) => expr(ExprKind::Tuple(vec![text("t"), list(vec![], Ty::Text)]), pair()),
            _ => expr(ExprKind::Variant { tag: 0, fields: vec![] }, maybe()),
        }
    }

    fn expr(&mut self, ty: &Ty, depth: u8) -> Expr {
        if depth == 0 || self.fuel == 0 {
            return self.leaf(ty);
        }
        self.fuel -= 1;
        let below = depth - 1;
        match self.pick(9) {
            0 => {
                let cond = self.expr(&Ty::Bool, below);
                let then = self.expr(ty, below);
                let otherwise = self.expr(ty, below);
                if_else(cond, then, otherwise)
            }
            1 => {
                let mark = self.scope.len();
                let stmts = self.stmts(below);
                let value = self.expr(ty, below);
                self.scope.truncate(mark);
                block(stmts, value)
            }
            2 => self.matched(ty, below),
            3 => self.tried(ty, below),
            4 => self.called(ty, below),
            _ => self.plain(ty, below),
        }
    }

    fn plain(&mut self, ty: &Ty, depth: u8) -> Expr {
        match ty {
            Ty::Int => {
                let op = [Arith::Add, Arith::Sub, Arith::Mul, Arith::Div, Arith::Rem]
                    [usize::from(self.pick(5))];
                let lhs = self.expr(&Ty::Int, depth);
                let rhs = self.expr(&Ty::Int, depth);
                if self.pick(30) == 1 { add(int(i64::MAX), rhs) } else { arith(op, lhs, rhs) }
            }
            Ty::Bool => match self.pick(4) {
                0 => {
                    let op = [
                        Compare::Eq,
                        Compare::Ne,
                        Compare::Lt,
                        Compare::Le,
                        Compare::Gt,
                        Compare::Ge,
                    ];
                    let op = op[usize::from(self.pick(6))];
                    let lhs = self.expr(&Ty::Int, depth);
                    compare(op, lhs, self.expr(&Ty::Int, depth))
                }
                1 => {
                    let lhs = Box::new(self.expr(&Ty::Bool, depth));
                    let rhs = Box::new(self.expr(&Ty::Bool, depth));
                    expr(
                        if self.pick(2) == 0 {
                            ExprKind::And(lhs, rhs)
                        } else {
                            ExprKind::Or(lhs, rhs)
                        },
                        Ty::Bool,
                    )
                }
                _ => {
                    let of =
                        [Ty::Text, texts(), maybe(), pair()][usize::from(self.pick(4))].clone();
                    let lhs = Box::new(self.expr(&of, depth));
                    let rhs = Box::new(self.expr(&of, depth));
                    expr(ExprKind::Equal { lhs, rhs, negated: self.pick(2) == 0 }, Ty::Bool)
                }
            },
            Ty::Text => match self.pick(4) {
                0 => {
                    let hole = self.expr(&Ty::Text, depth);
                    let number = self.expr(&Ty::Int, depth);
                    let parts = vec![
                        TemplatePart::Hole(hole),
                        TemplatePart::Text("-".into()),
                        TemplatePart::Hole(number),
                    ];
                    expr(ExprKind::Template(parts), Ty::Text)
                }
                1 => {
                    let value = Box::new(self.expr(&maybe(), depth));
                    let default = Box::new(self.expr(&Ty::Text, depth));
                    expr(ExprKind::Coalesce { value, default }, Ty::Text)
                }
                2 => expr(
                    ExprKind::Field { base: Box::new(self.expr(&pair(), depth)), index: 0 },
                    Ty::Text,
                ),
                _ => self.leaf(ty),
            },
            Ty::List(_) => match self.pick(3) {
                0 => expr(
                    ExprKind::Field { base: Box::new(self.expr(&pair(), depth)), index: 1 },
                    texts(),
                ),
                _ => {
                    let count = self.pick(4);
                    list((0..count).map(|_| self.expr(&Ty::Text, depth)).collect(), Ty::Text)
                }
            },
            Ty::Tuple(_) => {
                let parts = vec![self.expr(&Ty::Text, depth), self.expr(&texts(), depth)];
                expr(ExprKind::Tuple(parts), pair())
            }
            _ => {
                let value = Box::new(self.expr(&Ty::Text, depth));
                expr(ExprKind::Convert(Conversion::Some, value), maybe())
            }
        }
    }

    fn matched(&mut self, ty: &Ty, depth: u8) -> Expr {
        let mark = self.scope.len();
        let of = [maybe(), texts(), pair()][usize::from(self.pick(3))].clone();
        let scrutinee = Box::new(self.expr(&of, depth));
        let patterns = self.patterns(&of);
        let mut arms = Vec::new();
        for pattern in patterns {
            self.scope.extend(names(&pattern));
            let body = self.expr(ty, depth);
            self.scope.truncate(mark);
            arms.push(Arm { pattern, guard: None, body });
        }
        arms.push(Arm {
            pattern: pattern(PatternKind::Wildcard, of),
            guard: None,
            body: self.expr(ty, depth),
        });
        expr(ExprKind::Match { scrutinee, arms }, ty.clone())
    }

    fn text_pattern(&mut self) -> Pattern {
        match self.pick(3) {
            0 => pattern(PatternKind::Literal(Box::new(text("a"))), Ty::Text),
            1 => pattern(PatternKind::Wildcard, Ty::Text),
            _ => bind(self.new_local(Ty::Text), Ty::Text),
        }
    }

    fn patterns(&mut self, of: &Ty) -> Vec<Pattern> {
        let kind = match of {
            Ty::List(_) => {
                let before = (0..self.pick(3)).map(|_| self.text_pattern()).collect();
                let after = (0..self.pick(2)).map(|_| self.text_pattern()).collect();
                let rest = match self.pick(3) {
                    0 => None,
                    1 => Some(None),
                    _ => Some(Some(LocalId(self.new_local(texts())))),
                };
                PatternKind::List { before, rest, after }
            }
            Ty::Tuple(_) => {
                let first = self.text_pattern();
                let second = bind(self.new_local(texts()), texts());
                PatternKind::Fields(vec![(0, first), (1, second)])
            }
            _ => PatternKind::Variant { tag: 1, fields: vec![self.text_pattern()] },
        };
        vec![pattern(kind, of.clone())]
    }

    /// `match try e { Ok(v) => v, Err(_) => other }`.
    fn tried(&mut self, ty: &Ty, depth: u8) -> Expr {
        let loops = std::mem::replace(&mut self.loops, 0);
        let body = self.expr(ty, depth);
        self.loops = loops;
        let fault = adt("Fault", vec![]);
        let result = result_of(ty.clone(), fault.clone());
        let tried = expr(ExprKind::Try(Box::new(body)), result.clone());
        let value = self.new_local(ty.clone());
        let ok = PatternKind::Variant { tag: 0, fields: vec![bind(value, ty.clone())] };
        let err =
            PatternKind::Variant { tag: 1, fields: vec![pattern(PatternKind::Wildcard, fault)] };
        let arms = vec![
            Arm {
                pattern: pattern(ok, result.clone()),
                guard: None,
                body: local(value, ty.clone()),
            },
            Arm { pattern: pattern(err, result), guard: None, body: self.expr(ty, depth) },
        ];
        expr(ExprKind::Match { scrutinee: Box::new(tried), arms }, ty.clone())
    }

    /// A call of a function, or of a lambda made on the spot.
    fn called(&mut self, ty: &Ty, depth: u8) -> Expr {
        match ty {
            Ty::Int if self.pick(2) == 0 => call(
                "countdown",
                vec![self.expr(&texts(), depth), self.expr(&Ty::Int, depth)],
                Ty::Int,
            ),
            Ty::Text if self.pick(2) == 0 => call(
                "pick",
                vec![self.expr(&maybe(), depth), self.expr(&Ty::Text, depth)],
                maybe_text(),
            ),
            Ty::Text if !self.in_lambda => self.lambda_call(depth),
            _ => self.plain(ty, depth),
        }
        .or_text(ty)
    }

    fn lambda_call(&mut self, depth: u8) -> Expr {
        let Some(captured) = self.known(&Ty::Text) else { return self.leaf(&Ty::Text) };
        let inner_boxed = self.boxed.contains(&captured);
        let mut inner = Choices::new(self.bytes.split_off(self.at.min(self.bytes.len())));
        inner.in_lambda = true;
        inner.fuel = 40;
        inner.tys = vec![Ty::Text, Ty::Text];
        inner.scope = vec![0, 1];
        let mark = inner.stmts(depth.min(2));
        let result = inner.expr(&Ty::Text, depth.min(2));
        self.bytes.extend(inner.bytes.drain(inner.at.min(inner.bytes.len())..));
        let mut stmts = mark;
        if !inner_boxed {
            stmts.retain(|stmt| !assigns(stmt, 1));
        }
        let mut of = function("cell 1.{lambda}", 1, &inner.tys, Ty::Text, block(stmts, result));
        self.lambdas += 1;
        let number = self.lambdas;
        of.key = format!("cell 1.{{lambda {number}}}").into();
        of.locals[1].boxed = inner_boxed;
        let lambda = lambda(of, vec![capture(captured, 1)]);
        let arg = self.expr(&Ty::Text, depth);
        call_value(lambda, vec![arg], Ty::Text)
    }

    fn stmts(&mut self, depth: u8) -> Vec<Stmt> {
        (0..self.pick(4)).map(|_| self.stmt(depth)).collect()
    }

    fn stmt(&mut self, depth: u8) -> Stmt {
        let ty = [Ty::Int, Ty::Text, texts(), maybe(), pair()][usize::from(self.pick(5))].clone();
        if depth == 0 || self.fuel == 0 {
            return run(self.leaf(&ty));
        }
        self.fuel -= 1;
        let below = depth - 1;
        match self.pick(11) {
            9 | 10 => self.push_stmt(below),
            0 => {
                let value = self.expr(&ty, below);
                let at = self.new_local(ty.clone());
                self.scope.push(at);
                stmt(StmtKind::Let { pattern: bind(at, ty), value })
            }
            1 | 2 => match self.known(&ty) {
                Some(at) => assign(at, vec![], self.expr(&ty, below)),
                None => run(self.expr(&ty, below)),
            },
            3 | 4 => match self.known(&texts()) {
                Some(at) => {
                    let index = self.expr(&Ty::Int, below.min(1));
                    let path = vec![PlaceStep::Index { container: texts(), index }];
                    assign(at, path, self.expr(&Ty::Text, below))
                }
                None => run(self.expr(&ty, below)),
            },
            5 => match self.known(&pair()) {
                Some(at) => {
                    let index = int(i64::from(self.pick(2)));
                    let path = vec![
                        PlaceStep::Field { container: pair(), index: 1 },
                        PlaceStep::Index { container: texts(), index },
                    ];
                    assign(at, path, self.expr(&Ty::Text, below))
                }
                None => run(self.expr(&ty, below)),
            },
            6 => self.loop_stmt(below),
            7 if self.loops > 0 => {
                let leave = if self.pick(2) == 0 { ExprKind::Break } else { ExprKind::Continue };
                let cond = self.expr(&Ty::Bool, below);
                run(when(cond, expr(leave, Ty::Never)))
            }
            _ => {
                let cond = self.expr(&Ty::Bool, below);
                let mark = self.scope.len();
                let inner = self.stmts(below);
                self.scope.truncate(mark);
                run(when(cond, body(inner)))
            }
        }
    }

    /// `place.push(text)`: a list, or the list in a pair.
    fn push_stmt(&mut self, depth: u8) -> Stmt {
        let of_pair = self.pick(2) == 0;
        let root = if of_pair { pair() } else { texts() };
        let Some(at) = self.known(&root) else { return run(self.leaf(&root)) };
        let (path, read) = if of_pair {
            let base = Box::new(local(at, pair()));
            let step = PlaceStep::Field { container: pair(), index: 1 };
            (vec![step], expr(ExprKind::Field { base, index: 1 }, texts()))
        } else {
            (vec![], local(at, texts()))
        };
        let id = ag_runtime::builtin::member("List", "push").unwrap();
        let args = vec![read, self.expr(&Ty::Text, depth)];
        assign(at, path, expr(ExprKind::Builtin { id, args, types: vec![Ty::Text] }, texts()))
    }

    fn loop_stmt(&mut self, depth: u8) -> Stmt {
        let mark = self.scope.len();
        self.loops += 1;
        let looped = if self.pick(2) == 0 {
            let at = self.new_local(Ty::Int);
            let high = i64::from(self.pick(4));
            self.scope.push(at);
            let inner = self.stmts(depth);
            for_range(at, int(0), int(high), self.pick(2) == 0, body(inner))
        } else {
            let list = self.expr(&texts(), depth.min(1));
            let at = self.new_local(Ty::Text);
            self.scope.push(at);
            let inner = self.stmts(depth);
            for_each(at, Ty::Text, list, body(inner))
        };
        self.loops -= 1;
        self.scope.truncate(mark);
        run(looped)
    }
}

fn maybe_text() -> Ty {
    maybe()
}

trait OrText {
    fn or_text(self, want: &Ty) -> Expr;
}

impl OrText for Expr {
    /// `pick` gives an Option: take what it holds where a Text is wanted.
    fn or_text(self, want: &Ty) -> Expr {
        if self.ty == *want {
            return self;
        }
        let default = Box::new(text("none"));
        expr(ExprKind::Coalesce { value: Box::new(self), default }, Ty::Text)
    }
}

fn assigns(stmt: &Stmt, at: u32) -> bool {
    format!("{stmt:?}").contains(&format!("root: Local(LocalId({at}))"))
}

fn assign(at: u32, path: Vec<PlaceStep>, value: Expr) -> Stmt {
    let ty = value.ty.clone();
    stmt(StmtKind::Assign { place: Place { root: PlaceRoot::Local(LocalId(at)), path, ty }, value })
}

fn names(pattern: &Pattern) -> Vec<u32> {
    match &pattern.kind {
        PatternKind::Bind(local) => vec![local.0],
        PatternKind::Variant { fields, .. } => fields.iter().flat_map(names).collect(),
        PatternKind::Fields(fields) => fields.iter().flat_map(|(_, field)| names(field)).collect(),
        PatternKind::List { before, rest, after } => {
            let rest = rest.iter().flatten().map(|local| local.0);
            before.iter().chain(after).flat_map(names).chain(rest).collect()
        }
        _ => vec![],
    }
}

/// Functions every program may call: one recursive with a list, one that leaves early by `?`.
fn library() -> Vec<Function> {
    let n = || local(1, Ty::Int);
    let again = call("countdown", vec![local(0, texts()), sub(n(), int(1))], Ty::Int);
    let base = when(compare(Compare::Le, n(), int(0)), ret(int(0)));
    let countdown = function(
        "countdown",
        2,
        &[texts(), Ty::Int],
        Ty::Int,
        block(vec![run(base)], ret(add(again, int(1)))),
    );
    let question = expr(ExprKind::Question(Box::new(local(0, maybe()))), Ty::Text);
    let parts = vec![TemplatePart::Hole(question), TemplatePart::Hole(local(1, Ty::Text))];
    let value = expr(
        ExprKind::Convert(Conversion::Some, Box::new(expr(ExprKind::Template(parts), Ty::Text))),
        maybe(),
    );
    let pick = function("pick", 2, &[maybe(), Ty::Text], maybe(), ret(value));
    vec![countdown, pick]
}

fn program(bytes: Vec<u8>) -> Function {
    let mut choices = Choices::new(bytes);
    let starts = [Ty::Int, Ty::Text, Ty::Text, texts(), texts(), maybe(), pair()];
    let mut stmts = Vec::new();
    for ty in &starts {
        let at = choices.new_local(ty.clone());
        let value = choices.leaf(ty);
        stmts.push(stmt(StmtKind::Let { pattern: bind(at, ty.clone()), value }));
        choices.scope.push(at);
    }
    choices.boxed = vec![2];
    for _ in 0..4 {
        let next = choices.stmt(4);
        stmts.push(next);
    }
    let results = vec![
        local(0, Ty::Int),
        local(1, Ty::Text),
        local(2, Ty::Text),
        local(3, texts()),
        local(4, texts()),
        local(5, maybe()),
        local(6, pair()),
        choices.expr(&Ty::Text, 3),
    ];
    let tys = results.iter().map(|result| result.ty.clone()).collect();
    let mut function =
        cell_with(&choices.tys, block(stmts, expr(ExprKind::Tuple(results), Ty::Tuple(tys))));
    function.locals[2].boxed = true;
    function
}

/// The oracle recurses as deep as the programs do, which the engine does not.
const ORACLE_STACK: usize = 256 << 20;

#[test]
fn the_engine_agrees_with_the_oracle() {
    let agree = || {
        proptest!(|(bytes in vec(any::<u8>(), 0..400))| {
            let function = program(bytes);
            let functions = library();
            let want = Oracle { functions: &functions, depth: 1000 }.run(&function, vec![], &[]);
            let mut session = session();
            session.define(functions);
            let got = session.run_function(function);
            match want {
                Ok(value) => {
                    prop_assert_eq!(got.map_err(|fault| fault.to_string()), Ok(show(&value, false)));
                }
                Err(Exit::Fault(code)) => {
                    prop_assert_eq!(got.map_err(|fault| fault.code.to_owned()), Err(code));
                }
                Err(_) => unreachable!("programs end with a value"),
            }
        });
    };
    let thread = std::thread::Builder::new().stack_size(ORACLE_STACK).spawn(agree).unwrap();
    thread.join().unwrap();
}
