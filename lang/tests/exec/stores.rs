//! Random programs that store into lists which others hold, and do the same sums again: each tier gives the same.
//!
//! What compiled code leaves out because it was checked before (lengths, bounds, overflow, other holders) is what can go wrong.

use crate::tiers::on_all;
use ag_runtime::rng::{Rng, Seed};
use ag_runtime::world::options::Limits;
use std::fmt::Write;

/// Programs for each unit of `AG_TEST_SCALE`.
const PROGRAMS: u64 = 150;

struct Maker {
    rng: Rng,
    text: String,
    loops: usize,
}

impl Maker {
    fn pick(&mut self, count: u64) -> u64 {
        self.rng.below(count)
    }

    fn list(&mut self) -> &'static str {
        ["xs", "xs", "xs", "ys", "grid[1]"][self.pick(5) as usize]
    }

    /// Mostly inside.
    fn index(&mut self) -> String {
        let names = ["i", "j", "0", "1", "2", "i + 1", "i + 1", "j - 1"];
        match self.pick(12) {
            at @ 0..8 => names[at as usize].to_owned(),
            8 | 9 if self.loops > 0 => format!("k{}", self.loops),
            8..11 => "(s % 3 + 3) % 3".to_owned(),
            _ => self.number(1),
        }
    }

    fn number(&mut self, depth: u32) -> String {
        let leaves = ["s", "i", "j", "3", "-2", "1_000_000_007", "xs.len", "ys.len"];
        match (self.pick(8), depth) {
            (0 | 1, _) => format!("{}[{}]", self.list(), self.index()),
            (2..6, 1..) => {
                let sign = ["+", "-", "*", "+", "-", "*", "%", "/"][self.pick(8) as usize];
                format!("({} {sign} {})", self.number(depth - 1), self.number(depth - 1))
            }
            _ => leaves[self.pick(8) as usize].to_owned(),
        }
    }

    fn block(&mut self, depth: u32) {
        for _ in 0..1 + self.pick(4) {
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: u32) {
        let statement = match self.pick(14) {
            0..4 => format!("{}[{}] = {} % 1000", self.list(), self.index(), self.number(2)),
            4 => ["xs = ys", "ys = xs", "grid[0] = xs", "grid[1] = ys"][self.pick(4) as usize]
                .to_owned(),
            5 => "kept.push(xs)".to_owned(),
            6 => format!("xs = xs.slice(0, {})", 3 + self.pick(6)),
            7 => format!("i = ({} % 3 + 3) % 3", self.number(1)),
            8 => "j = (j + 1) % 4".to_owned(),
            9 => format!("s += (() => xs[{}])()", self.index()),
            10 => format!("fs[{}] = fs[{}] * 1.5 - s.to_float", self.index(), self.index()),
            11 if depth > 0 => {
                let (lhs, rhs) = (self.number(1), self.number(1));
                let _ = writeln!(self.text, "if {lhs} < {rhs} {{");
                self.block(depth - 1);
                self.text.push_str("} else {\n");
                self.block(depth - 1);
                "}".to_owned()
            }
            12 | 13 if depth > 0 => {
                self.loops += 1;
                let _ = writeln!(self.text, "for k{} in 0..3 {{", self.loops);
                self.block(depth - 1);
                self.loops -= 1;
                "}".to_owned()
            }
            _ => format!("s = ({}) % 1000", self.number(2)),
        };
        self.text.push_str(&statement);
        self.text.push('\n');
    }
}

fn program(seed: u64) -> String {
    let text = "function run(first : List<Int>) -> Text {
var xs := first
var ys := [5, 6, 7, 8, 9, 10, 11, 12]
var fs := [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
var grid := [[1, 2, 3], [4, 5, 6, 7, 8, 9]]
var kept : List<List<Int>> := []
var i := 0
var j := 1
var s := 0
for outer in 0..4 {
";
    let mut maker = Maker { rng: Seed(seed).rng(), text: text.to_owned(), loops: 0 };
    for _ in 0..4 {
        maker.block(3);
    }
    maker.text.push_str("}\nreturn show((xs, ys, fs, grid, kept, i, j, s))\n}");
    maker.text
}

#[test]
fn stores_and_sums_give_the_same_on_every_tier() {
    let scale = std::env::var("AG_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut finished = 0;
    for seed in 0..PROGRAMS * scale {
        let text = program(seed);
        let given =
            on_all(Limits::default(), &[&text, "run(range(0, 12, 1))", "run([9, 8, 7, 6])"]);
        finished += given.iter().filter(|given| given.starts_with('(')).count() as u64;
        let is_refused = given.iter().any(|given| given.contains("E0"));
        assert!(!is_refused, "{given:?}\n{text}");
    }
    // Most end in a Fault sooner or later; enough do not.
    assert!(finished > PROGRAMS / 5, "{finished}");
}
