//! What a model is told of the fields it has to fill (W0802): their names, their comments, and the words of the prompt.
//!
//! A name of more than a letter says what it is. Never: looks at a prompt that is made while running.

use rustc_hash::FxHashSet;

use crate::diag::{Diagnostic, codes};
use crate::hir::{self, Conversion, ExprKind, TemplatePart};
use crate::source::Span;
use crate::types::declare::adt_definition;
use crate::types::def::Definition;
use crate::types::infer::Infer;
use crate::types::ty::{Name, Ty};

/// The words that are written in a prompt; none if it is not written where the call is.
pub fn words(prompt: &hir::Expr) -> Option<FxHashSet<String>> {
    let mut words = FxHashSet::default();
    let mut add = |text: &str| {
        let split = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.extend(split.filter(|word| !word.is_empty()).map(str::to_lowercase));
    };
    match &prompt.kind {
        ExprKind::Text(text) => add(text),
        ExprKind::Template(parts) | ExprKind::Prompt(parts) => {
            for part in parts {
                if let TemplatePart::Text(text) = part {
                    add(text);
                }
            }
        }
        ExprKind::Convert(Conversion::TextToPrompt, inner) => return self::words(inner),
        _ => return None,
    }
    Some(words)
}

impl Infer<'_, '_> {
    /// A warning for the first field of which a model learns nothing.
    pub fn is_told(&mut self, ty: &Ty, words: &FxHashSet<String>, span: Span) {
        let ty = self.table.resolve(ty);
        let mut seen = Vec::new();
        let Some((of, field)) = self.untold(&ty, words, &mut seen) else { return };
        let message = format!("a model is told nothing of `{field}`{of}, and its name says little");
        self.diagnostics
            .push(Diagnostic::new(codes::W0802, span, message).note(
                "say what it is: in a comment before the field, `/// ...`, or in the prompt",
            ));
    }

    fn untold(
        &self,
        ty: &Ty,
        words: &FxHashSet<String>,
        seen: &mut Vec<Ty>,
    ) -> Option<(String, Name)> {
        if seen.contains(ty) {
            return None;
        }
        seen.push(ty.clone());
        let is_untold = |name: &Name| says_little(name) && !words.contains(&name.to_lowercase());
        let mut parts: Vec<Ty> = Vec::new();
        match ty {
            Ty::Adt(adt) => {
                if let Some(Definition::Struct(def)) = adt_definition(self.db, adt) {
                    let found = def.fields.iter().find(|f| f.doc.is_none() && is_untold(&f.name));
                    if let Some(field) = found {
                        return Some((format!(" of `{}`", def.name), field.name.clone()));
                    }
                    let field = |ty: &Ty| ty.substitute(&def.generics, &adt.args);
                    parts.extend(def.fields.iter().map(|f| field(&f.ty)));
                }
                parts.extend(adt.args.iter().cloned());
            }
            Ty::Record(fields) => {
                if let Some((name, _)) = fields.iter().find(|(name, _)| is_untold(name)) {
                    return Some((String::new(), name.clone()));
                }
                parts.extend(fields.iter().map(|(_, ty)| ty.clone()));
            }
            Ty::List(item) | Ty::Set(item) | Ty::Map(_, item) => parts.push((**item).clone()),
            Ty::Tuple(items) => parts.extend(items.iter().cloned()),
            _ => {}
        }
        parts.iter().find_map(|part| self.untold(part, words, seen))
    }
}

/// One letter, perhaps with a number.
fn says_little(name: &str) -> bool {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_').chars().count() <= 1
}
