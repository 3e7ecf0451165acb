//! The implicit conversions (L-38) and the throwing away of values.

use crate::diag::{Diagnostic, codes};
use crate::hir::{Conversion, Expr, ExprKind};
use crate::types::infer::bounded;
use crate::types::infer::{Infer, Pending, expr, tools};
use crate::types::report;
use crate::types::tool;
use crate::types::ty::Ty;
use ag_runtime::value::template;

impl Infer<'_, '_> {
    /// The expression as a value of `want`.
    pub fn coerce(&mut self, from: Expr, want: &Ty) -> Expr {
        let have = self.shallow(&from.ty);
        let wanted = self.shallow(want);
        match (&wanted, &have) {
            (_, Ty::Never) => from,
            (_, Ty::Error) => {
                // What this would have determined stays unknown for a reason already told.
                self.table.settle(want, &Ty::Error);
                from
            }
            (Ty::Error, _) => from,
            (Ty::Var(_), _) | (_, Ty::Var(_)) => self.same(from, want),
            (Ty::Dyn, Ty::Dyn) => from,
            (Ty::Dyn, _) => {
                let span = from.span;
                self.pending.push(Pending::Json { ty: have, span });
                expr(ExprKind::Convert(Conversion::ToDyn, Box::new(from)), Ty::Dyn, span)
            }
            (Ty::Prompt | Ty::Opaque(template::NAME), Ty::Text) => to_kept(from, wanted),
            (Ty::Tool(base), Ty::Tool(own))
                if base != own && tool::provides(self.db, own, base) =>
            {
                let span = from.span;
                expr(ExprKind::Convert(Conversion::AsTool, Box::new(from)), wanted, span)
            }
            // What `tool_list` makes; `llm_call` refuses other tuples.
            (Ty::Opaque(tools::NAME), Ty::Tuple(_) | Ty::Unit) => from,
            _ => match (wanted.as_option(), have.as_option()) {
                (Some(inner), None) => self.some(from, inner, &wanted),
                _ => self.same(from, want),
            },
        }
    }

    fn some(&mut self, from: Expr, inner: &Ty, option: &Ty) -> Expr {
        let span = from.span;
        if !self.would_coerce(&from.ty, inner) {
            let (expected, found) = (self.table.resolve(option), self.table.resolve(&from.ty));
            self.report(mismatch(&expected, &found, &from));
            return Expr { ty: Ty::Error, ..from };
        }
        let value = self.coerce(from, inner);
        expr(ExprKind::Convert(Conversion::Some, Box::new(value)), option.clone(), span)
    }

    /// Whether a value of type `have` can stand where `want` is expected, as far as is known.
    pub fn would_coerce(&mut self, have: &Ty, want: &Ty) -> bool {
        let (have, wanted) = (self.shallow(have), self.shallow(want));
        match (&wanted, &have) {
            (_, Ty::Never | Ty::Error | Ty::Var(_)) | (Ty::Error | Ty::Var(_) | Ty::Dyn, _) => true,
            (Ty::Prompt | Ty::Opaque(template::NAME), Ty::Text) => true,
            (Ty::Tool(base), Ty::Tool(own)) => tool::provides(self.db, own, base),
            _ => match (wanted.as_option(), have.as_option()) {
                (Some(inner), None) => {
                    let inner = inner.clone();
                    self.would_coerce(&have, &inner)
                }
                _ => {
                    let before = self.table.mark();
                    let fits = self.table.unify(&wanted, &have).is_ok();
                    self.table.undo(before);
                    fits
                }
            },
        }
    }

    fn same(&mut self, from: Expr, want: &Ty) -> Expr {
        if self.table.unify(&from.ty, want).is_ok() {
            self.handed_functions_fit(&from, want);
            return from;
        }
        let (expected, found) = (self.table.resolve(want), self.table.resolve(&from.ty));
        self.report(mismatch(&expected, &found, &from));
        Expr { ty: Ty::Error, ..from }
    }

    fn handed_functions_fit(&mut self, from: &Expr, want: &Ty) {
        let (Ty::Function(_), Ty::Function(_)) = (self.shallow(&from.ty), self.shallow(want))
        else {
            return;
        };
        let (have, want) = (self.table.resolve(&from.ty), self.table.resolve(want));
        self.unbounded(&have, &want, from.span);
        if !bounded::fits(&have, &want) {
            let message =
                format!("this is `{have}`, and `{want}` is wanted: their bounds on effects differ");
            let note =
                "a function that is handed to it, or comes from it, may do more than is allowed";
            self.report(Diagnostic::new(codes::E0504, from.span, message).note(note));
        }
    }

    /// The value is not used; a Result keeps an eye on `Err` (L-45). `finish` tells which it is.
    pub fn discard(&mut self, from: Expr) -> Expr {
        let span = from.span;
        match self.shallow(&from.ty) {
            Ty::Unit | Ty::Never | Ty::Error => from,
            _ => expr(ExprKind::Convert(Conversion::Discard, Box::new(from)), Ty::Unit, span),
        }
    }
}

/// A template keeps its holes apart; other text is inserted whole (L-126, L-180).
fn to_kept(from: Expr, wanted: Ty) -> Expr {
    let span = from.span;
    match from.kind {
        ExprKind::Template(parts) => expr(ExprKind::Prompt(parts), wanted, span),
        _ => expr(ExprKind::Convert(Conversion::TextToPrompt, Box::new(from)), wanted, span),
    }
}

/// E0301, or E0902 if the types differ only in the version of their definition.
fn mismatch(expected: &Ty, found: &Ty, from: &Expr) -> Diagnostic {
    let span = from.span;
    if let (Ty::Adt(want), Ty::Adt(have)) = (expected, found)
        && want.name == have.name
        && want.fingerprint != have.fingerprint
    {
        return older(&want.name, span);
    }
    let diagnostic = report::mismatch(expected, found, span);
    match (expected, found, &from.kind) {
        (Ty::Float, Ty::Int, ExprKind::Int(value)) => {
            diagnostic.fix("write a Float", span, format!("{value}.0"))
        }
        (Ty::Float, Ty::Int, _) => diagnostic.note("`n.to_float` gives the Float of an Int"),
        (Ty::Int, Ty::Float, _) => {
            diagnostic.note("`round(x)`, `floor(x)` and `ceil(x)` give the Int of a Float")
        }
        (Ty::Lane, Ty::Text, ExprKind::Text(name)) if !name.is_empty() => {
            diagnostic.fix("a lane is named without quotes", span, name.to_string())
        }
        _ if is_money(expected) => money(diagnostic, found, from),
        (Ty::Vector, Ty::List(element), _) if matches!(**element, Ty::Float) => diagnostic.note(
            "a Vector is written `[1.0, 2.0]`; of a list: `let none : Vector := []`, then `xs.fold(none, (v, x) => v.push(x))`",
        ),
        (Ty::List(wanted), Ty::List(_), _) if **wanted == Ty::Text => {
            diagnostic.note("`xs.map(x => show(x))` gives the Texts of its elements")
        }
        (Ty::Text, _, _) => diagnostic.note("`show(x)` and \"${x}\" give the Text of any value"),
        _ if found.as_option() == Some(expected) => {
            diagnostic.note("it may be None: unwrap it with `??`, `?`, `if let` or `match`")
        }
        (_, Ty::Future(inner), _) if **inner == *expected => {
            diagnostic.fix("wait for it", crate::source::Span::at(span.start), "await ")
        }
        _ => diagnostic,
    }
}

fn is_money(ty: &Ty) -> bool {
    ty == &Ty::Money || ty.as_option() == Some(&Ty::Money)
}

/// A number where an amount is wanted.
fn money(diagnostic: Diagnostic, found: &Ty, from: &Expr) -> Diagnostic {
    let amount = match from.kind {
        ExprKind::Int(value) => Some(format!("${value}")),
        ExprKind::Float(bits) => Some(format!("${}", f64::from_bits(bits))),
        _ => None,
    };
    match (amount, found) {
        (Some(amount), _) => diagnostic.fix(format!("write `{amount}`"), from.span, amount),
        (None, Ty::Int | Ty::Float) => {
            diagnostic.note("an amount is written with `$`; `$1 * x` makes one of a number")
        }
        (None, _) => diagnostic,
    }
}

/// E0902: the value was made before the type was redefined.
pub fn older(name: &str, span: crate::source::Span) -> Diagnostic {
    Diagnostic::new(
        codes::E0902,
        span,
        format!(
            "this value has an older `{name}`: the type was redefined after the value was made"
        ),
    )
    .note("`:run stale` computes such values again; showing them stays possible")
}
