//! Money: exact whole micro-dollars. Floats come in only where the language multiplies money by one.
//!
//! Never: rounding without being asked, wrapping.

use std::fmt;

/// Micro-dollars; `MicroUsd(100_000)` is `$0.10`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroUsd(pub i64);

const MICROS_PER_USD: i64 = 1_000_000;

impl MicroUsd {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(i64::MAX);

    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    #[must_use]
    pub fn checked_mul(self, factor: i64) -> Option<Self> {
        self.0.checked_mul(factor).map(Self)
    }

    /// `Money * Float`, round half even; `None` for what is no amount (NaN, out of range).
    #[must_use]
    pub fn checked_mul_f64(self, factor: f64) -> Option<Self> {
        let product = (self.0 as f64 * factor).round_ties_even();
        // 2^63 is exact as a float; i64::MAX is not.
        let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&product);
        fits.then_some(Self(product as i64))
    }

    /// `Money / Int`, round half even; `None` on division by zero.
    #[must_use]
    pub fn checked_div(self, divisor: i64) -> Option<Self> {
        if divisor == 0 {
            return None;
        }
        let (a, b) = (i128::from(self.0), i128::from(divisor));
        let (floor, rest) = (a.div_euclid(b), a.rem_euclid(b));
        // The remainder is never negative, so the exact quotient lies between `floor` and `floor + sign(b)`.
        let up = match (2 * rest).cmp(&b.abs()) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => floor % 2 != 0,
        };
        let quotient = if up { floor + b.signum() } else { floor };
        i64::try_from(quotient).ok().map(Self)
    }

    /// `Money / Money`.
    #[must_use]
    pub fn ratio(self, other: Self) -> f64 {
        self.0 as f64 / other.0 as f64
    }

    /// Dollars as a float: for charts and JSON of people's scripts, never for sums.
    #[must_use]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / MICROS_PER_USD as f64
    }

    /// Reads a decimal number of dollars exactly: `0.1`, `-3`, `2.5e-5`; more than six decimals is refused.
    #[must_use]
    pub fn from_decimal(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((m, e)) => (m, e.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut value: i128 = 0;
        for c in whole.chars().chain(fraction.chars()) {
            value = value.checked_mul(10)?.checked_add(i128::from(c.to_digit(10)?))?;
        }
        let shift = 6i32.checked_add(exponent)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let scaled = shift_decimal(value, shift)?;
        i64::try_from(if negative { -scaled } else { scaled }).ok().map(Self)
    }

    /// A JSON number of dollars (L-121).
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Number(n) => Self::from_decimal(&n.to_string()),
            _ => None,
        }
    }
}

/// `value * 10^shift`, exactly or not at all.
fn shift_decimal(value: i128, shift: i32) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    let power = 10i128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 {
        value.checked_mul(power)
    } else if value % power == 0 {
        Some(value / power)
    } else {
        None
    }
}

impl fmt::Display for MicroUsd {
    /// `$0.10`: at least two and at most six decimals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let (whole, micros) = (magnitude / 1_000_000, magnitude % 1_000_000);
        let digits = format!("{micros:06}");
        let kept = digits.trim_end_matches('0').len().max(2);
        let decimals = digits.get(..kept).unwrap_or(&digits);
        write!(f, "{sign}${whole}.{decimals}")
    }
}

#[cfg(test)]
mod tests {
    use super::MicroUsd;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn shows_two_to_six_decimals() {
        let show = |n: i64| MicroUsd(n).to_string();
        assert_eq!(show(100_000), "$0.10");
        assert_eq!(show(25), "$0.000025");
        assert_eq!(show(8), "$0.000008");
        assert_eq!(show(1_500_000), "$1.50");
        assert_eq!(show(10_000_000_000), "$10000.00");
        assert_eq!(show(-1_234_567), "-$1.234567");
        assert_eq!(show(i64::MIN), "-$9223372036854.775808");
    }

    #[test]
    fn division_rounds_half_to_even() {
        let div = |a: i64, b: i64| MicroUsd(a).checked_div(b).map(MicroUsd::micros);
        assert_eq!(div(5, 2), Some(2));
        assert_eq!(div(7, 2), Some(4));
        assert_eq!(div(-5, 2), Some(-2));
        assert_eq!(div(-7, 2), Some(-4));
        assert_eq!(div(5, -2), Some(-2));
        assert_eq!(div(7, -2), Some(-4));
        assert_eq!(div(8, 3), Some(3));
        assert_eq!(div(-8, 3), Some(-3));
        assert_eq!(div(1, 0), None);
        assert_eq!(div(i64::MIN, -1), None);
    }

    #[test]
    fn multiplication_by_a_float_rounds_half_to_even() {
        let mul = |a: i64, b: f64| MicroUsd(a).checked_mul_f64(b).map(MicroUsd::micros);
        assert_eq!(mul(5, 0.5), Some(2));
        assert_eq!(mul(7, 0.5), Some(4));
        assert_eq!(mul(1, f64::NAN), None);
        assert_eq!(mul(i64::MAX, 2.0), None);
        assert_eq!(mul(i64::MAX, -2.0), None);
    }

    #[test]
    fn reads_decimals_exactly() {
        let read = |t: &str| MicroUsd::from_decimal(t).map(MicroUsd::micros);
        assert_eq!(read("0.1"), Some(100_000));
        assert_eq!(read("2.5e-5"), Some(25));
        assert_eq!(read("-3"), Some(-3_000_000));
        assert_eq!(read("1e3"), Some(1_000_000_000));
        assert_eq!(read("0.0000001"), None);
        assert_eq!(read("0.1000000"), Some(100_000));
        assert_eq!(read("0e-300"), Some(0));
        for bad in ["", "-", ".", "1.2.3", "x", "1e", "99999999999999999999", "1e999999999999"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_read(micros in any::<i64>()) {
            let shown = MicroUsd(micros).to_string().replace('$', "");
            prop_assert_eq!(MicroUsd::from_decimal(&shown), Some(MicroUsd(micros)));
        }

        #[test]
        fn division_is_nearest(a in any::<i64>(), b in any::<i32>()) {
            if let Some(q) = MicroUsd(a).checked_div(i64::from(b)) {
                let (a, b) = (i128::from(a), i128::from(b));
                let error = (a - i128::from(q.0) * b).abs() * 2;
                prop_assert_eq!(error <= b.abs(), true);
            }
        }

        #[test]
        fn reading_never_panics(text in ".*") {
            let _ = MicroUsd::from_decimal(&text);
        }
    }
}
