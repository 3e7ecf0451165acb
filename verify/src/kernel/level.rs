//! Universe levels: `0`, `u + 1`, `max u v`, `imax u v` (which is 0 when `v` is), and parameters.
//!
//! [`Level::leq`] decides `u <= v + offset` for all values of the parameters. It never trusts a
//! syntactic shortcut that is not also true semantically: where `imax` hides a case, the parameter
//! that decides it is split into zero and successor (Carneiro, "The Type Theory of Lean", 2019, 2.2).

use std::rc::Rc;

/// A parameter of a declaration, by number.
pub type Param = u32;

/// A universe level.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Level {
    Zero,
    Succ(Rc<Level>),
    Max(Rc<Level>, Rc<Level>),
    IMax(Rc<Level>, Rc<Level>),
    Param(Param),
}

impl Level {
    /// `self + 1`.
    pub fn succ(self: &Rc<Self>) -> Rc<Self> {
        Rc::new(Level::Succ(self.clone()))
    }

    /// Whether the two are equal for all values of the parameters.
    pub fn equal(self: &Rc<Self>, other: &Rc<Self>) -> bool {
        self == other || (self.leq(other, 0) && other.leq(self, 0))
    }

    /// Whether `self <= other + offset` for all values of the parameters.
    pub fn leq(self: &Rc<Self>, other: &Rc<Self>, offset: i64) -> bool {
        let (left, right) = (self.normal(), other.normal());
        match left.undecided().or_else(|| right.undecided()) {
            None => leq_decided(&left, &right, offset),
            Some(param) => {
                let zero = Rc::new(Level::Zero);
                let above = Rc::new(Level::Param(param)).succ();
                [zero, above].iter().all(|value| {
                    let fix = |p: Param| (p == param).then(|| value.clone());
                    left.substitute(&fix).leq(&right.substitute(&fix), offset)
                })
            }
        }
    }

    /// Replaces parameters; those for which `value` gives none stay.
    pub fn substitute(self: &Rc<Self>, value: &dyn Fn(Param) -> Option<Rc<Self>>) -> Rc<Self> {
        match &**self {
            Level::Zero => self.clone(),
            Level::Succ(a) => a.substitute(value).succ(),
            Level::Max(a, b) => Rc::new(Level::Max(a.substitute(value), b.substitute(value))),
            Level::IMax(a, b) => Rc::new(Level::IMax(a.substitute(value), b.substitute(value))),
            Level::Param(p) => value(*p).unwrap_or_else(|| self.clone()),
        }
    }

    /// The same level with every `imax` whose second part is known to be zero or a successor gone,
    /// and with `imax` left only directly over a parameter.
    fn normal(self: &Rc<Self>) -> Rc<Self> {
        match &**self {
            Level::Zero | Level::Param(_) => self.clone(),
            Level::Succ(a) => a.normal().succ(),
            Level::Max(a, b) => max(a.normal(), b.normal()),
            Level::IMax(a, b) => imax(a, b.normal()),
        }
    }

    /// A parameter on which an `imax` still depends.
    fn undecided(&self) -> Option<Param> {
        match self {
            Level::Zero | Level::Param(_) => None,
            Level::Succ(a) => a.undecided(),
            Level::Max(a, b) => a.undecided().or_else(|| b.undecided()),
            Level::IMax(a, b) => match **b {
                Level::Param(p) => Some(p),
                _ => b.undecided().or_else(|| a.undecided()),
            },
        }
    }
}

fn max(a: Rc<Level>, b: Rc<Level>) -> Rc<Level> {
    match (&*a, &*b) {
        (_, Level::Zero) => a,
        (Level::Zero, _) => b,
        _ if a == b => a,
        _ => Rc::new(Level::Max(a, b)),
    }
}

/// `imax a b` with `b` normal.
fn imax(a: &Rc<Level>, b: Rc<Level>) -> Rc<Level> {
    match &*b {
        Level::Zero => b,
        Level::Succ(_) => max(a.normal(), b),
        Level::Max(x, y) => max(imax(a, x.clone()), imax(a, y.clone())),
        // imax a (imax x y) is zero when y is, and max a (max x y) otherwise.
        Level::IMax(x, y) => max(imax(a, y.clone()), imax(x, y.clone())),
        Level::Param(_) => Rc::new(Level::IMax(a.normal(), b)),
    }
}

/// `a <= b + offset` for levels without `imax`.
fn leq_decided(a: &Rc<Level>, b: &Rc<Level>, offset: i64) -> bool {
    if a == b && offset >= 0 {
        return true;
    }
    match (&**a, &**b) {
        (Level::Zero, _) if offset >= 0 => true,
        (Level::Max(x, y), _) => leq_decided(x, b, offset) && leq_decided(y, b, offset),
        (Level::Succ(x), _) => leq_decided(x, b, offset - 1),
        (_, Level::Succ(y)) => leq_decided(a, y, offset + 1),
        (_, Level::Max(x, y)) => leq_decided(a, x, offset) || leq_decided(a, y, offset),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Param};
    use std::rc::Rc;

    fn value(level: &Level, params: &[i64]) -> i64 {
        match level {
            Level::Zero => 0,
            Level::Succ(a) => value(a, params) + 1,
            Level::Max(a, b) => value(a, params).max(value(b, params)),
            Level::IMax(a, b) => match value(b, params) {
                0 => 0,
                y => value(a, params).max(y),
            },
            Level::Param(p) => params[*p as usize],
        }
    }

    /// All levels of at most `depth` constructors over two parameters.
    fn levels(depth: u32) -> Vec<Rc<Level>> {
        let mut all: Vec<_> =
            [Level::Zero, Level::Param(0 as Param), Level::Param(1)].map(Rc::new).to_vec();
        for _ in 0..depth {
            let smaller = all.clone();
            for a in &smaller {
                all.push(a.succ());
                for b in smaller.iter().take(8) {
                    all.push(Rc::new(Level::Max(a.clone(), b.clone())));
                    all.push(Rc::new(Level::IMax(a.clone(), b.clone())));
                }
            }
            all.dedup();
        }
        all
    }

    #[test]
    fn leq_agrees_with_every_assignment() {
        let all = levels(2);
        // 20 stands for "as large as it takes": no level here adds more than four.
        let values = [0, 1, 2, 3, 20];
        let assignments: Vec<[i64; 2]> =
            values.iter().flat_map(|&u| values.iter().map(move |&v| [u, v])).collect();
        for (i, a) in all.iter().enumerate() {
            for b in all.iter().skip(i % 7).step_by(7) {
                for offset in [-1, 0, 1] {
                    let truth = assignments.iter().all(|p| value(a, p) <= value(b, p) + offset);
                    assert_eq!(a.leq(b, offset), truth, "{a:?} <= {b:?} + {offset}");
                }
            }
        }
    }

    #[test]
    fn imax_is_zero_exactly_when_its_second_part_is() {
        let (u, v) = (Rc::new(Level::Param(0)), Rc::new(Level::Param(1)));
        let imax = Rc::new(Level::IMax(u.clone(), v.clone()));
        let max = Rc::new(Level::Max(u, v.clone()));
        assert!(imax.leq(&max, 0) && !max.leq(&imax, 0) && v.leq(&imax, 0));
        let zero = Rc::new(Level::Zero);
        assert!(Rc::new(Level::IMax(v, zero.clone())).equal(&zero));
    }
}
