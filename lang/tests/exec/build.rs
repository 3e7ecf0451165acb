//! Typed trees by hand, short enough to read in a test.

use ag_lang::hir::{
    Arith, BinaryOp, Callee, Capture, Compare, Expr, ExprKind, Function, Local, LocalId, Pattern,
    PatternKind, Place, PlaceRoot, PlaceStep, Sequence, Span, Stmt, StmtKind,
};
use ag_lang::types::ty::{AdtRef, FunctionTy, Ty};
use std::sync::Arc;

pub fn expr(kind: ExprKind, ty: Ty) -> Expr {
    Expr { kind, ty, span: Span::new(0, 1) }
}

pub fn at(start: u32, end: u32, mut expr: Expr) -> Expr {
    expr.span = Span::new(start, end);
    expr
}

pub fn int(value: i64) -> Expr {
    expr(ExprKind::Int(value), Ty::Int)
}

pub fn float(value: f64) -> Expr {
    expr(ExprKind::Float(value.to_bits()), Ty::Float)
}

pub fn boolean(value: bool) -> Expr {
    expr(ExprKind::Bool(value), Ty::Bool)
}

pub fn text(value: &str) -> Expr {
    expr(ExprKind::Text(value.into()), Ty::Text)
}

pub fn local(at: u32, ty: Ty) -> Expr {
    expr(ExprKind::Local(LocalId(at)), ty)
}

pub fn int_local(at: u32) -> Expr {
    local(at, Ty::Int)
}

pub fn arith(op: Arith, lhs: Expr, rhs: Expr) -> Expr {
    let (of, ty) = match lhs.ty {
        Ty::Float => (BinaryOp::Float(op), Ty::Float),
        Ty::Money => (BinaryOp::Money(op), Ty::Money),
        _ => (BinaryOp::Int(op), Ty::Int),
    };
    expr(ExprKind::Binary(of, Box::new(lhs), Box::new(rhs)), ty)
}

pub fn add(lhs: Expr, rhs: Expr) -> Expr {
    arith(Arith::Add, lhs, rhs)
}

pub fn sub(lhs: Expr, rhs: Expr) -> Expr {
    arith(Arith::Sub, lhs, rhs)
}

pub fn mul(lhs: Expr, rhs: Expr) -> Expr {
    arith(Arith::Mul, lhs, rhs)
}

pub fn compare(op: Compare, lhs: Expr, rhs: Expr) -> Expr {
    let of =
        if lhs.ty == Ty::Float { BinaryOp::CompareFloat(op) } else { BinaryOp::CompareInt(op) };
    expr(ExprKind::Binary(of, Box::new(lhs), Box::new(rhs)), Ty::Bool)
}

pub fn lt(lhs: Expr, rhs: Expr) -> Expr {
    compare(Compare::Lt, lhs, rhs)
}

pub fn if_else(cond: Expr, then: Expr, otherwise: Expr) -> Expr {
    let ty = if then.ty == Ty::Never { otherwise.ty.clone() } else { then.ty.clone() };
    let otherwise = Some(Box::new(otherwise));
    expr(ExprKind::If { cond: Box::new(cond), then: Box::new(then), otherwise }, ty)
}

pub fn when(cond: Expr, then: Expr) -> Expr {
    expr(ExprKind::If { cond: Box::new(cond), then: Box::new(then), otherwise: None }, Ty::Unit)
}

pub fn call(name: &str, args: Vec<Expr>, ty: Ty) -> Expr {
    expr(ExprKind::Call { callee: Callee::Function(name.into()), args }, ty)
}

pub fn call_value(value: Expr, args: Vec<Expr>, ty: Ty) -> Expr {
    expr(ExprKind::Call { callee: Callee::Value(Box::new(value)), args }, ty)
}

pub fn ret(value: Expr) -> Expr {
    expr(ExprKind::Return(Some(Box::new(value))), Ty::Never)
}

pub fn block(stmts: Vec<Stmt>, value: Expr) -> Expr {
    let ty = value.ty.clone();
    expr(ExprKind::Block { stmts, value: Some(Box::new(value)) }, ty)
}

pub fn body(stmts: Vec<Stmt>) -> Expr {
    expr(ExprKind::Block { stmts, value: None }, Ty::Unit)
}

pub fn stmt(kind: StmtKind) -> Stmt {
    Stmt { kind, span: Span::new(0, 1) }
}

pub fn run(value: Expr) -> Stmt {
    stmt(StmtKind::Expr(value))
}

pub fn bind(at: u32, ty: Ty) -> Pattern {
    Pattern { kind: PatternKind::Bind(LocalId(at)), ty, span: Span::new(0, 1) }
}

pub fn pattern(kind: PatternKind, ty: Ty) -> Pattern {
    Pattern { kind, ty, span: Span::new(0, 1) }
}

pub fn let_(at: u32, value: Expr) -> Stmt {
    let ty = value.ty.clone();
    stmt(StmtKind::Let { pattern: bind(at, ty), value })
}

pub fn set(at: u32, value: Expr) -> Stmt {
    set_path(at, vec![], value)
}

pub fn set_path(at: u32, path: Vec<PlaceStep>, value: Expr) -> Stmt {
    let ty = value.ty.clone();
    let place = Place { root: PlaceRoot::Local(LocalId(at)), path, ty };
    stmt(StmtKind::Assign { place, value })
}

pub fn while_(cond: Expr, body: Expr) -> Expr {
    expr(ExprKind::While { cond: Box::new(cond), body: Box::new(body) }, Ty::Unit)
}

pub fn for_range(at: u32, low: Expr, high: Expr, inclusive: bool, body: Expr) -> Expr {
    let sequence = Sequence::Range { low: Box::new(low), high: Box::new(high), inclusive };
    let pattern = bind(at, Ty::Int);
    expr(ExprKind::For { pattern, sequence, body: Box::new(body) }, Ty::Unit)
}

pub fn for_each(at: u32, ty: Ty, list: Expr, body: Expr) -> Expr {
    let sequence = Sequence::Value(Box::new(list));
    let pattern = bind(at, ty);
    expr(ExprKind::For { pattern, sequence, body: Box::new(body) }, Ty::Unit)
}

pub fn list(items: Vec<Expr>, element: Ty) -> Expr {
    expr(ExprKind::List(items), list_of(element))
}

pub fn list_of(element: Ty) -> Ty {
    Ty::List(Box::new(element))
}

pub fn option_of(value: Ty) -> Ty {
    adt("Option", vec![value])
}

pub fn result_of(ok: Ty, err: Ty) -> Ty {
    adt("Result", vec![ok, err])
}

pub fn adt(name: &str, args: Vec<Ty>) -> Ty {
    Ty::Adt(Arc::new(AdtRef { name: name.into(), fingerprint: 1, args }))
}

pub fn function_ty(params: Vec<Ty>, result: Ty) -> Ty {
    Ty::Function(Box::new(FunctionTy { params, result, uses: None }))
}

pub fn locals(tys: &[Ty]) -> Vec<Local> {
    let local = |(at, ty): (usize, &Ty)| Local {
        name: format!("x{at}").into(),
        ty: ty.clone(),
        mutable: true,
        boxed: false,
        passing: ag_lang::types::def::Passing::Val,
        span: Span::new(0, 1),
    };
    tys.iter().enumerate().map(local).collect()
}

/// A function of `params` parameters among `tys`.
pub fn function(name: &str, params: u32, tys: &[Ty], result: Ty, body: Expr) -> Function {
    Function {
        key: name.into(),
        params,
        captures: 0,
        locals: locals(tys),
        result,
        body,
        effects: vec![],
        item: 0,
        tied: false,
        span: Span::new(0, 1),
    }
}

pub fn cell_with(tys: &[Ty], body: Expr) -> Function {
    let ty = if body.ty == Ty::Never { Ty::Unit } else { body.ty.clone() };
    function("cell 1", 0, tys, ty, body)
}

pub fn cell(body: Expr) -> Function {
    cell_with(&[], body)
}

pub fn lambda(mut of: Function, captures: Vec<Capture>) -> Expr {
    let params = of.locals[..of.params as usize].iter().map(|local| local.ty.clone()).collect();
    let ty = function_ty(params, of.result.clone());
    of.captures = captures.len() as u32;
    expr(ExprKind::Lambda { function: Box::new(of), captures }, ty)
}

pub fn capture(outer: u32, inner: u32) -> Capture {
    Capture { outer: LocalId(outer), inner: LocalId(inner) }
}
