//! Local unification: the type variables of one body and what is known of them (L-36).

use crate::source::Span;
use crate::types::ty::{MOST_PARTS, Ty};

/// What an unconstrained variable becomes at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fallback {
    /// E0304.
    Report,
    /// The result of `@llm_call`.
    Text,
    /// A variable nobody will miss, such as the result of a function that only diverges.
    Unit,
}

#[derive(Clone, Debug)]
struct Variable {
    bound: Option<Ty>,
    span: Span,
    fallback: Fallback,
}

/// Why two types do not agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mismatch;

#[derive(Debug, Default)]
pub struct Table {
    variables: Vec<Variable>,
    /// The variables bound so far, in order: what an attempt that fails takes back.
    trail: Vec<u32>,
}

/// A state to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize);

impl Table {
    pub fn fresh(&mut self, span: Span, fallback: Fallback) -> Ty {
        let id = u32::try_from(self.variables.len()).unwrap_or(u32::MAX);
        self.variables.push(Variable { bound: None, span, fallback });
        Ty::Var(id)
    }

    /// What a variable stands for, as far as its head is known.
    pub fn shallow(&self, ty: &Ty) -> Ty {
        self.known(ty).clone()
    }

    fn known<'a>(&'a self, mut ty: &'a Ty) -> &'a Ty {
        while let Ty::Var(id) = ty {
            match self.variables.get(*id as usize).and_then(|variable| variable.bound.as_ref()) {
                Some(bound) => ty = bound,
                None => break,
            }
        }
        ty
    }

    /// Whether a type has too many parts, as far as it is known.
    pub fn is_too_large(&self, ty: &Ty) -> bool {
        self.exceeds(ty, &mut 0)
    }

    /// Makes the variables that a type is written with agree with everything, so that nobody writes out what they stood for.
    pub fn poison(&mut self, ty: &Ty) {
        ty.any(&mut |part| {
            if let Ty::Var(id) = part
                && let Some(variable) = self.variables.get_mut(*id as usize)
            {
                variable.bound = Some(Ty::Error);
            }
            false
        });
    }

    fn exceeds(&self, ty: &Ty, parts: &mut usize) -> bool {
        ty.any(&mut |part| match self.known(part) {
            Ty::Var(_) => false,
            known if matches!(part, Ty::Var(_)) => self.exceeds(known, parts),
            _ => {
                *parts += 1;
                *parts > MOST_PARTS
            }
        })
    }

    /// All known variables replaced.
    pub fn resolve(&self, ty: &Ty) -> Ty {
        match self.shallow(ty) {
            Ty::Var(id) => Ty::Var(id),
            known => known.map(&mut |part| self.resolve(part)),
        }
    }

    /// All variables replaced; the first unconstrained one of each kind is told by `report`.
    pub fn finish(&mut self, ty: &Ty, report: &mut impl FnMut(Span)) -> Ty {
        match self.shallow(ty) {
            Ty::Var(id) => self.fall_back(id, report),
            known => known.map(&mut |part| self.finish(part, report)),
        }
    }

    /// Makes what is still unknown in a type, and would be reported, this one.
    pub fn settle(&mut self, ty: &Ty, with: &Ty) {
        match self.shallow(ty) {
            Ty::Var(id) if self.fallback(id) == Fallback::Report => {
                let _ = self.bind(id, with);
            }
            Ty::Var(_) => {}
            known => {
                known.map(&mut |part| {
                    self.settle(part, with);
                    Ty::Unit
                });
            }
        }
    }

    fn fall_back(&mut self, id: u32, report: &mut impl FnMut(Span)) -> Ty {
        let Some(variable) = self.variables.get_mut(id as usize) else { return Ty::Error };
        let ty = match variable.fallback {
            Fallback::Text => Ty::Text,
            Fallback::Unit => Ty::Unit,
            Fallback::Report => {
                report(variable.span);
                Ty::Error
            }
        };
        variable.bound = Some(ty.clone());
        ty
    }

    /// Makes two types equal. `Error` agrees with everything.
    pub fn unify(&mut self, a: &Ty, b: &Ty) -> Result<(), Mismatch> {
        let (a, b) = (self.shallow(a), self.shallow(b));
        match (&a, &b) {
            // What is unknown beside a mistake is not reported a second time.
            (Ty::Error, Ty::Var(id)) | (Ty::Var(id), Ty::Error) => self.bind(*id, &Ty::Error),
            (Ty::Error, _) | (_, Ty::Error) => Ok(()),
            (Ty::Var(x), Ty::Var(y)) if x == y => Ok(()),
            (Ty::Var(x), Ty::Var(y)) => {
                // The variable with a fallback of its own survives.
                let keep_y = self.fallback(*y) != Fallback::Report;
                if keep_y { self.bind(*x, &b) } else { self.bind(*y, &a) }
            }
            (Ty::Var(id), _) => self.bind(*id, &b),
            (_, Ty::Var(id)) => self.bind(*id, &a),
            (Ty::List(x), Ty::List(y))
            | (Ty::Set(x), Ty::Set(y))
            | (Ty::Future(x), Ty::Future(y))
            | (Ty::Shards(x), Ty::Shards(y))
            | (Ty::Ref(x), Ty::Ref(y))
            | (Ty::Channel(x), Ty::Channel(y)) => self.unify(x, y),
            (Ty::Map(k1, v1), Ty::Map(k2, v2)) => {
                self.unify(k1, k2)?;
                self.unify(v1, v2)
            }
            (Ty::Tuple(x), Ty::Tuple(y)) => self.unify_all(x, y),
            (Ty::Record(x), Ty::Record(y)) if x.len() == y.len() => {
                for ((name_x, ty_x), (name_y, ty_y)) in x.iter().zip(y) {
                    if name_x != name_y {
                        return Err(Mismatch);
                    }
                    self.unify(ty_x, ty_y)?;
                }
                Ok(())
            }
            (Ty::Function(x), Ty::Function(y)) => {
                self.unify_all(&x.params, &y.params)?;
                self.unify(&x.result, &y.result)
            }
            (Ty::Adt(x), Ty::Adt(y)) if x.name == y.name && x.fingerprint == y.fingerprint => {
                self.unify_all(&x.args, &y.args)
            }
            _ if a == b => Ok(()),
            _ => Err(Mismatch),
        }
    }

    fn unify_all(&mut self, a: &[Ty], b: &[Ty]) -> Result<(), Mismatch> {
        if a.len() != b.len() {
            return Err(Mismatch);
        }
        a.iter().zip(b).try_for_each(|(x, y)| self.unify(x, y))
    }

    /// Unifies if that is possible, and otherwise leaves everything as it was.
    pub fn try_unify(&mut self, a: &Ty, b: &Ty) -> bool {
        let mark = self.mark();
        let fits = self.unify(a, b).is_ok();
        if !fits {
            self.undo(mark);
        }
        fits
    }

    pub fn mark(&self) -> Mark {
        Mark(self.trail.len())
    }

    /// Forgets what was learnt since the mark; variables made since stay, unknown.
    pub fn undo(&mut self, mark: Mark) {
        for id in self.trail.split_off(mark.0.min(self.trail.len())) {
            if let Some(variable) = self.variables.get_mut(id as usize) {
                variable.bound = None;
            }
        }
    }

    fn fallback(&self, id: u32) -> Fallback {
        self.variables.get(id as usize).map_or(Fallback::Report, |variable| variable.fallback)
    }

    fn bind(&mut self, id: u32, ty: &Ty) -> Result<(), Mismatch> {
        let resolved = self.resolve(ty);
        // A place is no value, so nothing that stands for values stands for it.
        if matches!(resolved, Ty::Ref(_)) {
            return Err(Mismatch);
        }
        if resolved.any(&mut |part| matches!(part, Ty::Var(other) if *other == id)) {
            return Err(Mismatch);
        }
        if let Some(variable) = self.variables.get_mut(id as usize) {
            variable.bound = Some(resolved);
            self.trail.push(id);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Fallback, Table};
    use crate::source::Span;
    use crate::types::ty::Ty;

    #[test]
    fn a_variable_takes_the_type_it_meets() {
        let mut table = Table::default();
        let var = table.fresh(Span::at(0), Fallback::Report);
        assert!(table.unify(&Ty::list(var.clone()), &Ty::list(Ty::Int)).is_ok());
        assert_eq!(table.resolve(&var), Ty::Int);
        assert!(table.unify(&var, &Ty::Text).is_err());
    }

    #[test]
    fn a_failed_attempt_changes_nothing() {
        let mut table = Table::default();
        let var = table.fresh(Span::at(0), Fallback::Report);
        let pair = |a: Ty, b: Ty| Ty::Tuple(vec![a, b]);
        assert!(!table.try_unify(&pair(var.clone(), Ty::Int), &pair(Ty::Int, Ty::Text)));
        assert_eq!(table.resolve(&var), var);
    }

    #[test]
    fn no_infinite_types() {
        let mut table = Table::default();
        let var = table.fresh(Span::at(0), Fallback::Report);
        assert!(table.unify(&var, &Ty::list(var.clone())).is_err());
    }

    #[test]
    fn fallbacks_survive_meeting_another_variable() {
        let mut table = Table::default();
        let plain = table.fresh(Span::at(0), Fallback::Report);
        let reply = table.fresh(Span::at(1), Fallback::Text);
        assert!(table.unify(&plain, &reply).is_ok());
        let mut reported = 0;
        assert_eq!(table.finish(&plain, &mut |_| reported += 1), Ty::Text);
        assert_eq!(reported, 0);
    }
}
