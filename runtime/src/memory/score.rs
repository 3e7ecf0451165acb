//! The score of an episode for a query, as terms that add up to it.
//!
//! `final = (base + spread) * decay * use`, where `base = .6 cos + .3 bm25 + .1 entities`, `spread` comes over one edge,
//! `decay = 1 - r + r 2^(-age/half_life)` and `use = 1 + b ln(1 + accesses)`. A product is no sum, so the two factors are
//! stated as what they take away and add: `(base + spread)(decay - 1)` and `(base + spread) decay (use - 1)`. The sum of all
//! terms is then the product exactly, and each contribution is its raw value times its weight. Pure arithmetic.

/// Weights of MEMORY.md; chosen once, without tuning.
pub const SEMANTIC: f64 = 0.6;
pub const LEXICAL: f64 = 0.3;
pub const ENTITIES: f64 = 0.1;
pub const SPREAD: f64 = 0.3;
/// The part of a score that age can take away.
const DECAYING: f64 = 0.15;
/// What a doubling of uses adds, about.
const USE: f64 = 0.02;

/// One part of a score; `contribution = raw * weight`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    pub kind: TermKind,
    pub raw: f64,
    pub weight: f64,
    pub contribution: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TermKind {
    Semantic,
    Lexical,
    Entities,
    Graph,
    Age,
    Use,
}

impl TermKind {
    pub const ALL: [Self; 6] =
        [Self::Semantic, Self::Lexical, Self::Entities, Self::Graph, Self::Age, Self::Use];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Semantic => "semantic",
            Self::Lexical => "lexical",
            Self::Entities => "entities",
            Self::Graph => "graph",
            Self::Age => "age",
            Self::Use => "use",
        }
    }
}

/// What is measured of an episode against a query.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Facts {
    /// The cosine, not below 0.
    pub cosine: f64,
    /// BM25 as a share of the best candidate's.
    pub lexical: f64,
    /// The share of the query's entities it has.
    pub entities: f64,
    /// Sum over its edges: weight times the neighbour's base.
    pub graph: f64,
    pub age_ns: u64,
    pub half_life_ns: Option<u64>,
    pub accesses: u64,
}

impl Facts {
    /// The score without edges, age and use: what a neighbour gets a share of.
    #[must_use]
    pub fn base(&self) -> f64 {
        SEMANTIC * self.cosine + LEXICAL * self.lexical + ENTITIES * self.entities
    }

    /// The terms, in a fixed order; those that cannot apply are left out.
    #[must_use]
    pub fn terms(&self) -> Vec<Term> {
        self.terms_without(None)
    }

    /// The score if one term were nothing: what it would be without it.
    #[must_use]
    pub fn score_without(&self, kind: TermKind) -> f64 {
        total(&self.terms_without(Some(kind)))
    }

    fn terms_without(&self, left_out: Option<TermKind>) -> Vec<Term> {
        let mut terms = Vec::with_capacity(6);
        let mut add = |kind: TermKind, raw: f64, weight: f64| {
            let raw = if left_out == Some(kind) { 0.0 } else { raw };
            terms.push(Term { kind, raw, weight, contribution: raw * weight });
            raw * weight
        };
        let mut relevance = add(TermKind::Semantic, self.cosine, SEMANTIC);
        relevance += add(TermKind::Lexical, self.lexical, LEXICAL);
        relevance += add(TermKind::Entities, self.entities, ENTITIES);
        relevance += add(TermKind::Graph, self.graph, SPREAD);
        let mut so_far = relevance;
        if let Some(half_life_ns) = self.half_life_ns {
            // Between -1 (all freshness lost) and 0 (just happened).
            let lost = freshness(self.age_ns, half_life_ns) - 1.0;
            so_far += add(TermKind::Age, lost, DECAYING * relevance);
        }
        add(TermKind::Use, (self.accesses as f64).ln_1p(), USE * so_far);
        terms
    }
}

/// The score: the sum of the contributions.
#[must_use]
pub fn total(terms: &[Term]) -> f64 {
    terms.iter().map(|term| term.contribution).sum()
}

/// `2^(-age/half_life)`.
fn freshness(age_ns: u64, half_life_ns: u64) -> f64 {
    (-(age_ns as f64) / half_life_ns.max(1) as f64).exp2()
}

#[cfg(test)]
mod tests {
    use super::{Facts, TermKind, total};
    use proptest::prelude::{any, prop_assert, proptest};

    /// The formula as MEMORY.md writes it.
    fn formula(f: &Facts) -> f64 {
        let base = 0.6 * f.cosine + 0.3 * f.lexical + 0.1 * f.entities;
        let spread = 0.3 * f.graph;
        let decay = f.half_life_ns.map_or(1.0, |half_life| {
            1.0 - 0.15 + 0.15 * 2f64.powf(-(f.age_ns as f64) / half_life as f64)
        });
        (base + spread) * decay * (1.0 + 0.02 * (1.0 + f.accesses as f64).ln())
    }

    #[test]
    fn a_month_old_episode_loses_half_of_what_age_can_take() {
        let day = 86_400_000_000_000;
        let facts = Facts {
            cosine: 1.0,
            age_ns: 30 * day,
            half_life_ns: Some(30 * day),
            ..Facts::default()
        };
        let terms = facts.terms();
        assert!((terms[4].contribution + 0.6 * 0.075).abs() < 1e-12);
        assert!((total(&terms) - 0.6 * 0.925).abs() < 1e-12);
    }

    #[test]
    fn leaving_a_term_out_removes_its_contribution_and_what_depends_on_it() {
        let facts = Facts { cosine: 0.5, lexical: 1.0, accesses: 3, ..Facts::default() };
        let without = Facts { lexical: 0.0, ..facts };
        assert!((facts.score_without(TermKind::Lexical) - total(&without.terms())).abs() < 1e-12);
        assert_eq!(facts.score_without(TermKind::Graph), total(&facts.terms()));
    }

    proptest! {
        #[test]
        fn the_contributions_add_up_to_the_formula(
            cosine in 0.0f64..=1.0, lexical in 0.0f64..=1.0, entities in 0.0f64..=1.0, graph in 0.0f64..50.0,
            age_ns in any::<u64>(), half_life in proptest::option::of(1u64..), accesses in any::<u32>(),
        ) {
            let facts = Facts {
                cosine, lexical, entities, graph, age_ns, half_life_ns: half_life, accesses: accesses.into(),
            };
            let terms = facts.terms();
            prop_assert!((total(&terms) - formula(&facts)).abs() < 1e-9);
            prop_assert!(terms.iter().all(|t| (t.raw * t.weight - t.contribution).abs() < 1e-12));
        }
    }
}
