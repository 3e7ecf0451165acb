//! Amounts as people read them. Money is exact; durations and shares are rounded to what an eye compares.

/// `$0.10`, `$0.000025`, `-$3.00`: two to six decimals, as `show` writes Money.
pub fn money(micro_usd: i64) -> String {
    let sign = if micro_usd < 0 { "-" } else { "" };
    let amount = micro_usd.unsigned_abs();
    let (whole, fraction) = (amount / 1_000_000, amount % 1_000_000);
    let digits = format!("{fraction:06}");
    let kept = digits.trim_end_matches('0').len().max(2);
    let decimals = digits.get(..kept).unwrap_or(&digits);
    format!("{sign}${whole}.{decimals}")
}

/// Three significant digits and the unit that suits: `0`, `740 ns`, `12.3 µs`, `5.00 ms`, `1.25 s`, `2.0 min`.
pub fn duration(ns: u64) -> String {
    const UNITS: [(f64, &str); 6] =
        [(86_400e9, "d"), (3_600e9, "h"), (60e9, "min"), (1e9, "s"), (1e6, "ms"), (1e3, "µs")];
    let value = ns as f64;
    for (size, unit) in UNITS {
        if value >= size {
            return format!("{} {unit}", significant(value / size));
        }
    }
    if ns == 0 { "0".to_owned() } else { format!("{ns} ns") }
}

/// At least three significant digits of a number >= 0.
pub fn significant(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// `1 row`, `990 rows`.
pub fn count(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// A part of a whole, from 0.0 to 1.0, also for an empty whole.
pub fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::{count, duration, money, share};

    #[test]
    fn money_has_two_to_six_decimals() {
        let shown: Vec<String> = [0, 25, 100_000, 1_000_000, -3_000_000, 1_234_560, i64::MIN]
            .into_iter()
            .map(money)
            .collect();
        assert_eq!(
            shown,
            [
                "$0.00",
                "$0.000025",
                "$0.10",
                "$1.00",
                "-$3.00",
                "$1.23456",
                "-$9223372036854.775808"
            ]
        );
    }

    #[test]
    fn durations_pick_their_unit() {
        assert_eq!(duration(0), "0");
        assert_eq!(duration(740), "740 ns");
        assert_eq!(duration(12_345), "12.3 µs");
        assert_eq!(duration(5_000_000), "5.00 ms");
        assert_eq!(duration(125 * 1_000_000_000), "2.08 min");
        assert_eq!(duration(u64::MAX), "213504 d");
    }

    #[test]
    fn nouns_and_shares() {
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(990, "row"), "990 rows");
        assert_eq!(share(1.0, 0.0), 0.0);
        assert_eq!(share(3.0, 2.0), 1.0);
    }
}
