//! Expressions, statements, patterns and types as s-expressions.

use std::fmt::Write;

use crate::syntax::ast::{
    Arg, Arm, ArmBody, AssignOp, BinaryOp, BinderDomain, Block, Body, Cap, Cond, Diverge, ExprId,
    ExprKind, FieldInit, ListPat, Literal, LoopSpec, PatId, PatKind, Path, Quantifier, StmtId,
    StmtKind, StructElement, TemplatePart, TypeKind, TypeRefId, UnaryOp,
};
use crate::syntax::print::{effects, nested_function};

/// The nodes of one arena.
pub struct Nodes<'a> {
    pub body: &'a Body,
}

impl Nodes<'_> {
    pub fn expr(&self, id: ExprId) -> String {
        match &self.body[id].kind {
            ExprKind::Error => "(error)".to_owned(),
            ExprKind::Literal(literal) => literal_text(literal),
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::Name(name) => name.as_str().to_owned(),
            ExprKind::Tuple(elements) => format!("(tuple{})", self.exprs(elements)),
            ExprKind::List(elements) => format!("(list{})", self.exprs(elements)),
            ExprKind::Record(fields) => format!("(record{})", self.fields(fields)),
            ExprKind::Map(entries) => {
                let entry = |entry: &crate::syntax::ast::MapEntry| {
                    format!(" ({} {})", self.expr(entry.key), self.expr(entry.value))
                };
                format!("(map{})", entries.iter().map(entry).collect::<String>())
            }
            ExprKind::Struct { path, elements } => self.struct_literal(path, elements),
            ExprKind::Unary { op: UnaryOp::Neg, expr } => format!("(neg {})", self.expr(*expr)),
            ExprKind::Unary { op: UnaryOp::Not, expr } => format!("(! {})", self.expr(*expr)),
            ExprKind::Binary { op, left, right } => {
                format!("({} {} {})", operator(*op), self.expr(*left), self.expr(*right))
            }
            ExprKind::Range { start, end, inclusive } => {
                let op = if *inclusive { "..=" } else { ".." };
                format!("({op} {} {})", self.expr(*start), self.expr(*end))
            }
            ExprKind::Is { expr, pattern } => {
                format!("(is {} {})", self.expr(*expr), self.pat(*pattern))
            }
            ExprKind::Cast { expr, ty, optional } => {
                let op = if *optional { "as?" } else { "as" };
                format!("({op} {} {})", self.expr(*expr), self.ty(*ty))
            }
            ExprKind::Await(expr) => format!("(await {})", self.expr(*expr)),
            ExprKind::Try(expr) => format!("(try {})", self.expr(*expr)),
            ExprKind::Question(expr) => format!("(? {})", self.expr(*expr)),
            ExprKind::Field { base, name } => {
                format!("(. {} {})", self.expr(*base), shown(name.name.as_str()))
            }
            ExprKind::TupleField { base, index } => format!("(. {} {index})", self.expr(*base)),
            ExprKind::Index { base, index } => {
                format!("(index {} {})", self.expr(*base), self.expr(*index))
            }
            ExprKind::Call { callee, args } => {
                format!("(call {}{})", self.expr(*callee), self.args(args))
            }
            ExprKind::Lambda { params, body } => {
                let param = |param: &crate::syntax::ast::LambdaParam| match param.ty {
                    Some(ty) => format!(" ({} {})", param.name.name, self.ty(ty)),
                    None => format!(" {}", param.name.name),
                };
                let params: String = params.iter().map(param).collect();
                format!("(=> (params{params}) {})", self.expr(*body))
            }
            ExprKind::If { cond, then, otherwise } => {
                let otherwise =
                    otherwise.map(|id| format!(" {}", self.expr(id))).unwrap_or_default();
                format!("(if {} {}{otherwise})", self.cond(cond), self.block(then))
            }
            ExprKind::Match { scrutinee, arms } => {
                let arms: String = arms.iter().map(|arm| format!(" {}", self.arm(arm))).collect();
                format!("(match {}{arms})", self.expr(*scrutinee))
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::Intrinsic(found) => {
                let block = found.block.as_ref().map(|block| format!(" {}", self.block(block)));
                format!(
                    "(@{}{}{})",
                    found.name.name,
                    self.args(&found.args),
                    block.unwrap_or_default()
                )
            }
            ExprKind::Quantifier { quantifier, binders, body } => {
                let word = match quantifier {
                    Quantifier::Forall => "forall",
                    Quantifier::Exists => "exists",
                };
                let binder = |binder: &crate::syntax::ast::Binder| match binder.domain {
                    BinderDomain::Type(ty) => format!(" ({} : {})", binder.name.name, self.ty(ty)),
                    BinderDomain::In(expr) => {
                        format!(" ({} in {})", binder.name.name, self.expr(expr))
                    }
                };
                let binders: String = binders.iter().map(binder).collect();
                format!("({word}{binders} {})", self.expr(*body))
            }
        }
    }

    fn exprs(&self, ids: &[ExprId]) -> String {
        ids.iter().map(|id| format!(" {}", self.expr(*id))).collect()
    }

    fn template(&self, parts: &[TemplatePart]) -> String {
        let part = |part: &TemplatePart| match part {
            TemplatePart::Text(text) => format!(" {text:?}"),
            TemplatePart::Hole(hole) => format!(" {}", self.expr(*hole)),
        };
        format!("(template{})", parts.iter().map(part).collect::<String>())
    }

    /// `(name value)` with a blank before each; a shorthand is the name alone.
    pub fn fields(&self, fields: &[FieldInit]) -> String {
        let field = |field: &FieldInit| match field.shorthand {
            true => format!(" {}", field.name.name),
            false => format!(" ({} {})", field.name.name, self.expr(field.value)),
        };
        fields.iter().map(field).collect()
    }

    fn struct_literal(&self, path: &Path, elements: &[StructElement]) -> String {
        let element = |element: &StructElement| match element {
            StructElement::Field(field) => self.fields(std::slice::from_ref(field)),
            StructElement::Spread(expr) => format!(" (.. {})", self.expr(*expr)),
        };
        format!("(struct {}{})", path_text(path), elements.iter().map(element).collect::<String>())
    }

    pub fn args(&self, args: &[Arg]) -> String {
        let arg = |arg: &Arg| {
            let mut value = self.expr(arg.value);
            if arg.by_ref {
                value = format!("(ref {value})");
            }
            match &arg.name {
                Some(name) => format!(" ({}: {value})", name.name),
                None => format!(" {value}"),
            }
        };
        args.iter().map(arg).collect()
    }

    fn cond(&self, cond: &Cond) -> String {
        match cond {
            Cond::Expr(expr) => self.expr(*expr),
            Cond::Let { pattern, value } => {
                format!("(let {} {})", self.pat(*pattern), self.expr(*value))
            }
        }
    }

    fn arm(&self, arm: &Arm) -> String {
        let guard =
            arm.guard.map(|guard| format!(" (if {})", self.expr(guard))).unwrap_or_default();
        let body = match arm.body {
            ArmBody::Expr(expr) => self.expr(expr),
            ArmBody::Stmt(stmt) => self.stmt(stmt),
        };
        format!("({}{guard} {body})", self.pat(arm.pattern))
    }

    pub fn block(&self, block: &Block) -> String {
        let stmts: String =
            block.stmts.iter().map(|stmt| format!(" {}", self.stmt(*stmt))).collect();
        format!("(block{stmts})")
    }

    pub fn stmt(&self, id: StmtId) -> String {
        match &self.body[id].kind {
            StmtKind::Error => "(error)".to_owned(),
            StmtKind::Let { mutable, pattern, ty, value, otherwise } => {
                let word = if *mutable { "var" } else { "let" };
                let ty = ty.map(|ty| format!(" : {}", self.ty(ty))).unwrap_or_default();
                let otherwise = self.diverge(otherwise.as_ref());
                format!("({word} {}{ty} {}{otherwise})", self.pat(*pattern), self.expr(*value))
            }
            StmtKind::Declare { name, value } => {
                format!("(:= {} {})", name.name, self.expr(*value))
            }
            StmtKind::Assign { place, op, value } => {
                format!("({} {} {})", assignment(*op), self.expr(*place), self.expr(*value))
            }
            StmtKind::Require { cond, otherwise } => {
                format!("(require {}{})", self.expr(*cond), self.diverge(otherwise.as_ref()))
            }
            StmtKind::Assert { cond, message } => {
                let message = message.map(|id| format!(" {}", self.expr(id))).unwrap_or_default();
                format!("(assert {}{message})", self.expr(*cond))
            }
            StmtKind::Return(Some(value)) => format!("(return {})", self.expr(*value)),
            StmtKind::Return(None) => "(return)".to_owned(),
            StmtKind::Break => "(break)".to_owned(),
            StmtKind::Continue => "(continue)".to_owned(),
            StmtKind::For { pattern, iterable, specs, body } => {
                let head = format!("(for {} {}", self.pat(*pattern), self.expr(*iterable));
                format!("{head}{} {})", self.specs(specs), self.block(body))
            }
            StmtKind::While { cond, specs, body } => {
                format!("(while {}{} {})", self.cond(cond), self.specs(specs), self.block(body))
            }
            StmtKind::Loop(body) => format!("(loop {})", self.block(body)),
            StmtKind::Hint { name, args } => format!("(hint {}{})", name.name, self.args(args)),
            StmtKind::Label { name, label } => {
                format!("({} {})", name.name, shown(label.name.as_str()))
            }
            StmtKind::Function(function) => nested_function(self.body, function),
            StmtKind::Expr(expr) => self.expr(*expr),
        }
    }

    fn diverge(&self, diverge: Option<&Diverge>) -> String {
        match diverge {
            None => String::new(),
            Some(Diverge::Return(Some(value))) => format!(" (else (return {}))", self.expr(*value)),
            Some(Diverge::Return(None)) => " (else (return))".to_owned(),
            Some(Diverge::Break) => " (else (break))".to_owned(),
            Some(Diverge::Continue) => " (else (continue))".to_owned(),
            Some(Diverge::Block(block)) => format!(" (else {})", self.block(block)),
        }
    }

    fn specs(&self, specs: &[LoopSpec]) -> String {
        let spec = |spec: &LoopSpec| match spec {
            LoopSpec::Invariant(expr) => format!(" (invariant {})", self.expr(*expr)),
            LoopSpec::Decreases(expr) => format!(" (decreases {})", self.expr(*expr)),
        };
        specs.iter().map(spec).collect()
    }

    pub fn pat(&self, id: PatId) -> String {
        match &self.body[id].kind {
            PatKind::Error => "(error)".to_owned(),
            PatKind::Wildcard => "_".to_owned(),
            PatKind::Literal(literal) => literal_text(literal),
            PatKind::Range { start, end, inclusive } => {
                let op = if *inclusive { "..=" } else { ".." };
                format!("({op} {} {})", literal_text(start), literal_text(end))
            }
            PatKind::Bind(name) => shown(name.as_str()).to_owned(),
            PatKind::Variant { path, args: None } => path_text(path),
            PatKind::Variant { path, args: Some(args) } => {
                format!("({}{})", path_text(path), self.pats(args))
            }
            PatKind::Record { name, fields, rest } => {
                let name = name.as_ref().map(|name| format!(" {}", name.name)).unwrap_or_default();
                let field = |field: &crate::syntax::ast::FieldPat| match field.shorthand {
                    true => format!(" {}", field.name.name),
                    false => format!(" ({} {})", field.name.name, self.pat(field.pattern)),
                };
                let fields: String = fields.iter().map(field).collect();
                format!("(fields{name}{fields}{})", if *rest { " .." } else { "" })
            }
            PatKind::Tuple(elements) => format!("(tuple{})", self.pats(elements)),
            PatKind::List(elements) => {
                let element = |element: &ListPat| match element {
                    ListPat::Element(pat) => format!(" {}", self.pat(*pat)),
                    ListPat::Rest(Some(name)) => format!(" (.. {})", name.name),
                    ListPat::Rest(None) => " ..".to_owned(),
                };
                format!("(list{})", elements.iter().map(element).collect::<String>())
            }
            PatKind::Or(all) => format!("(|{})", self.pats(all)),
        }
    }

    fn pats(&self, ids: &[PatId]) -> String {
        ids.iter().map(|id| format!(" {}", self.pat(*id))).collect()
    }

    pub fn ty(&self, id: TypeRefId) -> String {
        match &self.body[id].kind {
            TypeKind::Error => "(error)".to_owned(),
            TypeKind::Named { file, name, args } => {
                let file = file.as_ref().map(|file| format!("{}.", file.name)).unwrap_or_default();
                match args.as_slice() {
                    [] => format!("{file}{}", name.name),
                    args => format!("({file}{}{})", name.name, self.types(args)),
                }
            }
            TypeKind::Function { params, ret } => {
                format!("(->{} {})", self.types(params), self.ty(*ret))
            }
            TypeKind::Tuple(elements) => format!("(tuple{})", self.types(elements)),
            TypeKind::Record(fields) => {
                let mut out = String::from("(record");
                for field in fields {
                    let _ = write!(out, " ({} {})", field.name.name, self.ty(field.ty));
                }
                out + ")"
            }
            TypeKind::Bounded { ty, effects: bound } => {
                format!("(uses {}{})", self.ty(*ty), effects(bound))
            }
            TypeKind::Optional(ty) => format!("(? {})", self.ty(*ty)),
            TypeKind::Cap { cap: found, ty } => format!("({} {})", cap(*found), self.ty(*ty)),
        }
    }

    fn types(&self, ids: &[TypeRefId]) -> String {
        ids.iter().map(|id| format!(" {}", self.ty(*id))).collect()
    }
}

/// A missing name is visible.
fn shown(name: &str) -> &str {
    if name.is_empty() { "(missing)" } else { name }
}

fn path_text(path: &Path) -> String {
    match &path.qualifier {
        Some(qualifier) => format!("{}.{}", qualifier.name, shown(path.name.name.as_str())),
        None => path.name.name.as_str().to_owned(),
    }
}

fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Int { value, decimal: true } => value.to_string(),
        Literal::Int { value, decimal: false } => format!("0x{value:x}"),
        Literal::Float(bits) => format!("{:?}", f64::from_bits(*bits)),
        Literal::Bool(value) => value.to_string(),
        Literal::Text(text) => format!("{text:?}"),
        Literal::Money(micros) => format!("${micros}u"),
        Literal::Duration(nanoseconds) => format!("{nanoseconds}ns"),
    }
}

fn operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Rem => "%",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::In => "in",
        BinaryOp::And => "&&",
        BinaryOp::Or => "||",
        BinaryOp::Coalesce => "??",
        BinaryOp::Implies => "==>",
        BinaryOp::Iff => "<==>",
    }
}

fn assignment(op: AssignOp) -> &'static str {
    match op {
        AssignOp::Set => "=",
        AssignOp::Add => "+=",
        AssignOp::Sub => "-=",
        AssignOp::Mul => "*=",
        AssignOp::Div => "/=",
        AssignOp::Rem => "%=",
    }
}

pub fn cap(cap: Cap) -> &'static str {
    match cap {
        Cap::Iso => "iso",
        Cap::Val => "val",
        Cap::Ref => "ref",
        Cap::Tag => "tag",
    }
}
