//! Exhaustiveness and reachability of patterns: Maranget's usefulness, with an example of what is missing.
//!
//! Maranget, "Warnings for pattern matching", JFP 17(3), 2007. Works on the typed patterns; lists are split by their
//! length up to one more than the longest pattern mentions, Ints, Money and Durations at the ends of the ranges mentioned.
//! The question is NP-complete, so the search is bounded: what it did not find out counts as not covered.

use crate::db::Db;
use crate::hir::{Arm, ExprKind, Pattern, PatternKind};
use crate::source::Span;
use crate::types::declare::adt_definition;
use crate::types::def::Definition;
use crate::types::ty::Ty;
use std::cell::Cell;

/// How many cases of rows may be looked at, once for all arms and once for what they leave; under a second.
const MOST_LOOKS: usize = 50_000_000;

/// What is wrong with the arms of a `match`.
#[derive(Debug, Default)]
pub struct Found {
    /// A case that no arm covers, as a pattern.
    pub missing: Option<String>,
    /// What is never reached, in order.
    pub unreachable: Vec<Unreachable>,
    /// Whether all is covered was too much to find out.
    pub gave_up: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Unreachable {
    Arm(Span),
    /// Of `a | b`, where the rest of the arm is reached.
    Alternative(Span),
}

/// `resolve` replaces the variables of a type that is still being inferred.
pub fn check(db: &dyn Db, ty: &Ty, arms: &[Arm], resolve: &dyn Fn(&Ty) -> Ty) -> Found {
    let matrix = Matrix { db, resolve, looks: Cell::new(MOST_LOOKS) };
    let types = vec![resolve(ty)];
    let mut rows: Vec<Vec<Case>> = Vec::new();
    let mut found = Found::default();
    for arm in arms {
        let before = rows.len();
        let choices = alternatives(&arm.pattern);
        let mut dead = Vec::new();
        for choice in &choices {
            let row = vec![matrix.case(choice)];
            if matrix.useful(&rows, &row, &types).is_none() && matrix.is_sure() {
                dead.push(choice.span);
            }
            rows.push(row);
        }
        match dead.len() == choices.len() {
            true => found.unreachable.push(Unreachable::Arm(arm.pattern.span)),
            false => found.unreachable.extend(dead.into_iter().map(Unreachable::Alternative)),
        }
        // A guard may fail, so the arm covers nothing for certain.
        if arm.guard.is_some() {
            rows.truncate(before);
        }
    }
    if rows.iter().any(|row| matches!(row.as_slice(), [Case::Any])) {
        return found;
    }
    matrix.looks.set(MOST_LOOKS);
    let missing = matrix.useful(&rows, &[Case::Any], &types);
    found.gave_up = missing.is_none() && !matrix.is_sure();
    found.missing = missing.and_then(|witness| witness.into_iter().next());
    found
}

/// The patterns that an arm tries, one after another.
fn alternatives(pattern: &Pattern) -> Vec<&Pattern> {
    match &pattern.kind {
        PatternKind::Or(choices) => choices.iter().flat_map(alternatives).collect(),
        _ => vec![pattern],
    }
}

/// A pattern without names.
#[derive(Clone, Debug)]
enum Case {
    Any,
    Made(Maker, Vec<Case>),
    /// `[before.., .., after..]`
    Long {
        before: Vec<Case>,
        after: Vec<Case>,
    },
    Either(Vec<Case>),
}

/// What makes a value.
#[derive(Clone, PartialEq, Debug)]
enum Maker {
    Variant(u32),
    Bool(bool),
    /// Struct, record, tuple: one way to make it.
    Whole,
    /// A Text, or a Float and its ranges; as many as there are texts of it.
    Literal(String),
    /// Int, Money or Duration words, both ends included.
    Words(i64, i64),
    /// A list of exactly this length.
    Length(usize),
    /// A list of at least this length.
    Longer(usize),
}

struct Matrix<'a> {
    db: &'a dyn Db,
    resolve: &'a dyn Fn(&Ty) -> Ty,
    /// How many cases may still be looked at.
    looks: Cell<usize>,
}

impl Matrix<'_> {
    /// Whether nothing was left out.
    fn is_sure(&self) -> bool {
        self.looks.get() > 0
    }

    fn case(&self, pattern: &Pattern) -> Case {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Bind(_) => Case::Any,
            PatternKind::Literal(value) => match &value.kind {
                ExprKind::Bool(value) => Case::Made(Maker::Bool(*value), Vec::new()),
                kind if word(kind).is_some() => {
                    let word = word(kind).unwrap_or_default();
                    Case::Made(Maker::Words(word, word), Vec::new())
                }
                other => Case::Made(Maker::Literal(format!("{other:?}")), Vec::new()),
            },
            PatternKind::Range { low, high, inclusive } => {
                if let (Some(low), Some(high)) = (word(&low.kind), word(&high.kind)) {
                    let last = if *inclusive { Some(high) } else { high.checked_sub(1) };
                    return match last.filter(|last| low <= *last) {
                        Some(last) => Case::Made(Maker::Words(low, last), Vec::new()),
                        // Nothing is in it.
                        None => Case::Either(Vec::new()),
                    };
                }
                let text = format!("{:?}..{:?} {inclusive}", low.kind, high.kind);
                Case::Made(Maker::Literal(text), Vec::new())
            }
            PatternKind::Variant { tag, fields } => {
                Case::Made(Maker::Variant(*tag), fields.iter().map(|f| self.case(f)).collect())
            }
            PatternKind::Fields(fields) => {
                let parts = self.parts(&(self.resolve)(&pattern.ty), &Maker::Whole);
                let mut cases = vec![Case::Any; parts.len()];
                for (at, field) in fields {
                    if let Some(case) = cases.get_mut(*at as usize) {
                        *case = self.case(field);
                    }
                }
                Case::Made(Maker::Whole, cases)
            }
            PatternKind::List { before, rest: None, .. } => {
                let items: Vec<Case> = before.iter().map(|item| self.case(item)).collect();
                Case::Made(Maker::Length(items.len()), items)
            }
            PatternKind::List { before, after, .. } => Case::Long {
                before: before.iter().map(|item| self.case(item)).collect(),
                after: after.iter().map(|item| self.case(item)).collect(),
            },
            PatternKind::Or(items) => {
                Case::Either(items.iter().map(|item| self.case(item)).collect())
            }
        }
    }

    /// A value that `row` matches and none of `rows`, as patterns; `None` also if it was not found in time ([`Self::is_sure`]).
    fn useful(&self, rows: &[Vec<Case>], row: &[Case], types: &[Ty]) -> Option<Vec<String>> {
        let Some((first, rest)) = row.split_first() else {
            return rows.is_empty().then(Vec::new);
        };
        let size = (rows.len() + 1) * row.len();
        self.looks.set(self.looks.get().saturating_sub(size));
        if !self.is_sure() {
            return None;
        }
        let ty = types.first().cloned().unwrap_or(Ty::Error);
        match first {
            Case::Either(items) => items.iter().find_map(|item| {
                let row: Vec<Case> =
                    std::iter::once(item.clone()).chain(rest.iter().cloned()).collect();
                self.useful(rows, &row, types)
            }),
            Case::Made(Maker::Words(low, high), _) => segments(rows, first)
                .into_iter()
                .filter(|(from, to)| low <= from && to <= high)
                .find_map(|(from, to)| self.with(rows, row, types, &ty, &Maker::Words(from, to))),
            Case::Made(maker, _) => self.with(rows, row, types, &ty, maker),
            Case::Long { .. } => {
                let makers = self.makers(rows, first, &ty).unwrap_or_default();
                makers.iter().find_map(|maker| self.with(rows, row, types, &ty, maker))
            }
            // Where no row looks into the value, neither does this: a recursive type has no end of parts.
            Case::Any if rows.iter().all(|row| matches!(row.first(), Some(Case::Any))) => {
                self.without(rows, rest, types)
            }
            Case::Any => match self.makers(rows, first, &ty) {
                Some(makers) => {
                    makers.iter().find_map(|maker| self.with(rows, row, types, &ty, maker))
                }
                None => self.without(rows, rest, types),
            },
        }
    }

    /// Where the first value is made by `maker`.
    fn with(
        &self,
        rows: &[Vec<Case>],
        row: &[Case],
        types: &[Ty],
        ty: &Ty,
        maker: &Maker,
    ) -> Option<Vec<String>> {
        let parts = self.parts(ty, maker);
        let narrow = |row: &[Case]| specialise(row, maker, parts.len());
        let rows: Vec<Vec<Case>> = rows.iter().flat_map(|row| narrow(row)).collect();
        let types: Vec<Ty> = parts.iter().cloned().chain(types.iter().skip(1).cloned()).collect();
        narrow(row).iter().find_map(|row| {
            let witness = self.useful(&rows, row, &types)?;
            let (inner, rest) = witness.split_at(parts.len().min(witness.len()));
            let made = self.show(ty, maker, inner);
            Some(std::iter::once(made).chain(rest.iter().cloned()).collect())
        })
    }

    /// Where the first value is made by nothing that a row mentions.
    fn without(&self, rows: &[Vec<Case>], rest: &[Case], types: &[Ty]) -> Option<Vec<String>> {
        let open = |row: &Vec<Case>| match row.split_first() {
            Some((Case::Any, rest)) => vec![rest.to_vec()],
            Some((Case::Either(items), rest)) if items.iter().any(|i| matches!(i, Case::Any)) => {
                vec![rest.to_vec()]
            }
            _ => Vec::new(),
        };
        let rows: Vec<Vec<Case>> = rows.iter().flat_map(open).collect();
        let witness = self.useful(&rows, rest, types.get(1..).unwrap_or_default())?;
        Some(std::iter::once("_".to_owned()).chain(witness).collect())
    }

    /// Every way to make a value of the type; `None` if there is no end to them.
    fn makers(&self, rows: &[Vec<Case>], first: &Case, ty: &Ty) -> Option<Vec<Maker>> {
        match ty {
            Ty::Bool => Some(vec![Maker::Bool(true), Maker::Bool(false)]),
            Ty::Unit | Ty::Tuple(_) | Ty::Record(_) => Some(vec![Maker::Whole]),
            Ty::Int | Ty::Money | Ty::Duration => {
                let all = segments(rows, first).into_iter();
                Some(all.map(|(from, to)| Maker::Words(from, to)).collect())
            }
            Ty::List(_) | Ty::Vector => {
                let heads = rows.iter().filter_map(|row| row.first()).chain(std::iter::once(first));
                let longest = heads.map(longest).max().unwrap_or(0) + 1;
                Some((0..longest).map(Maker::Length).chain([Maker::Longer(longest)]).collect())
            }
            Ty::Adt(adt) => match adt_definition(self.db, adt)? {
                Definition::Enum(def) => {
                    let count = u32::try_from(def.variants.len()).unwrap_or(u32::MAX);
                    Some((0..count).map(Maker::Variant).collect())
                }
                Definition::Struct(_) => Some(vec![Maker::Whole]),
                _ => None,
            },
            _ => None,
        }
    }

    /// The types of what a value is made of.
    fn parts(&self, ty: &Ty, maker: &Maker) -> Vec<Ty> {
        match (ty, maker) {
            (Ty::Tuple(items), _) => items.clone(),
            (Ty::Record(fields), _) => fields.iter().map(|(_, ty)| ty.clone()).collect(),
            (Ty::List(element), Maker::Length(n) | Maker::Longer(n)) => {
                vec![(**element).clone(); *n]
            }
            (Ty::Vector, Maker::Length(n) | Maker::Longer(n)) => vec![Ty::Float; *n],
            (Ty::Adt(adt), _) => match (adt_definition(self.db, adt), maker) {
                (Some(Definition::Struct(def)), _) => def
                    .fields
                    .iter()
                    .map(|field| field.ty.substitute(&def.generics, &adt.args))
                    .collect(),
                (Some(Definition::Enum(def)), Maker::Variant(tag)) => def
                    .variants
                    .get(*tag as usize)
                    .map(|v| &v.fields)
                    .into_iter()
                    .flatten()
                    .map(|field| field.ty.substitute(&def.generics, &adt.args))
                    .collect(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn show(&self, ty: &Ty, maker: &Maker, inner: &[String]) -> String {
        match maker {
            Maker::Bool(value) => value.to_string(),
            Maker::Literal(_) => "_".to_owned(),
            Maker::Words(low, high) => match (ty, low, high) {
                (_, &i64::MIN, _) | (_, _, &i64::MAX) => "_".to_owned(),
                (Ty::Int, low, high) if low == high => low.to_string(),
                (Ty::Int, low, high) => format!("{low}..={high}"),
                _ => "_".to_owned(),
            },
            Maker::Length(_) => format!("[{}]", inner.join(", ")),
            Maker::Longer(_) => format!("[{}, ..]", inner.join(", ")),
            Maker::Whole => match ty {
                Ty::Tuple(_) => format!("({})", inner.join(", ")),
                _ if inner.iter().all(|part| part == "_") => "_".to_owned(),
                Ty::Adt(adt) => format!("{}({})", adt.name, inner.join(", ")),
                Ty::Record(fields) => {
                    let told = fields.iter().zip(inner).filter(|(_, part)| *part != "_");
                    let told: Vec<String> =
                        told.map(|((name, _), part)| format!("{name}: {part}, ")).collect();
                    format!("{{ {}.. }}", told.concat())
                }
                _ => "_".to_owned(),
            },
            Maker::Variant(tag) => {
                let name = match ty {
                    Ty::Adt(adt) => match adt_definition(self.db, adt) {
                        Some(Definition::Enum(def)) => {
                            def.variants.get(*tag as usize).map(|v| v.name.to_string())
                        }
                        _ => None,
                    },
                    _ => None,
                };
                let name = name.unwrap_or_else(|| "_".to_owned());
                match inner {
                    [] => name,
                    some => format!("{name}({})", some.join(", ")),
                }
            }
        }
    }
}

/// The row where its first value is made by `maker`, its parts in front; several rows for alternatives.
fn specialise(row: &[Case], maker: &Maker, arity: usize) -> Vec<Vec<Case>> {
    let Some((first, rest)) = row.split_first() else { return Vec::new() };
    let wide =
        |cases: Vec<Case>| -> Vec<Case> { cases.into_iter().chain(rest.iter().cloned()).collect() };
    match first {
        Case::Any => vec![wide(vec![Case::Any; arity])],
        Case::Made(own, parts) if own == maker => {
            let mut parts = parts.clone();
            parts.resize(arity, Case::Any);
            vec![wide(parts)]
        }
        Case::Made(Maker::Words(low, high), _) => match maker {
            Maker::Words(from, to) if low <= from && to <= high => vec![wide(Vec::new())],
            _ => Vec::new(),
        },
        Case::Made(..) => Vec::new(),
        Case::Long { before, after } => {
            let fixed = before.len() + after.len();
            match maker {
                Maker::Length(n) | Maker::Longer(n) if *n >= fixed => {
                    let gap = std::iter::repeat_n(Case::Any, n - fixed);
                    vec![wide(
                        before.iter().cloned().chain(gap).chain(after.iter().cloned()).collect(),
                    )]
                }
                _ => Vec::new(),
            }
        }
        Case::Either(items) => items
            .iter()
            .flat_map(|item| {
                let row: Vec<Case> =
                    std::iter::once(item.clone()).chain(rest.iter().cloned()).collect();
                specialise(&row, maker, arity)
            })
            .collect(),
    }
}

/// The word of a literal whose type is ordered by words.
fn word(literal: &ExprKind) -> Option<i64> {
    match literal {
        ExprKind::Int(word) | ExprKind::Money(word) | ExprKind::Duration(word) => Some(*word),
        _ => None,
    }
}

/// All words, cut where a range of the first column begins or ends: no range covers a piece in part.
fn segments(rows: &[Vec<Case>], first: &Case) -> Vec<(i64, i64)> {
    let mut starts = vec![i64::MIN];
    let heads = rows.iter().filter_map(|row| row.first()).chain(std::iter::once(first));
    heads.for_each(|case| cuts(case, &mut starts));
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).map(|next| next - 1).chain(std::iter::once(i64::MAX));
    starts.iter().copied().zip(ends).collect()
}

fn cuts(case: &Case, starts: &mut Vec<i64>) {
    match case {
        Case::Made(Maker::Words(low, high), _) => {
            starts.push(*low);
            starts.extend(high.checked_add(1));
        }
        Case::Either(items) => items.iter().for_each(|item| cuts(item, starts)),
        _ => {}
    }
}

/// The longest list a case tells apart.
fn longest(case: &Case) -> usize {
    match case {
        Case::Made(Maker::Length(n), _) => *n,
        Case::Long { before, after } => before.len() + after.len(),
        Case::Either(items) => items.iter().map(longest).max().unwrap_or(0),
        _ => 0,
    }
}
