//! Numbers, durations and amounts of money: their structure by chumsky, their values exactly.
//!
//! The structure is read as far as it goes (`0..n`, `1.max(2)` and `t.0.1` stop where the table of section 1 says);
//! the value is computed in integers wherever the type is exact.

use chumsky::Parser;
use chumsky::primitive::{any, just, one_of};

use crate::diag::codes::{self, Code};
use crate::syntax::ast::Literal;
use crate::syntax::lexer::prefix::{Extra, prefix};

/// What was read and how many bytes it takes. `Err` says why it has no value; the length holds all the same.
pub struct Scanned {
    pub value: Result<Number, Mistake>,
    pub len: usize,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Number {
    Literal(Literal),
    /// 9223372036854775808, a value only after a minus.
    MinInt,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Mistake {
    pub code: Code,
    pub message: String,
}

fn mistake<T>(code: Code, message: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake { code, message: message.into() })
}

/// The parts of a number as written, underscores included.
#[derive(Debug)]
struct Parts<'a> {
    radix: u32,
    whole: &'a str,
    fraction: Option<&'a str>,
    exponent: Option<&'a str>,
    /// Letters and digits directly behind: a unit, or a mistake.
    suffix: &'a str,
}

fn run<'a>(
    first: fn(&char) -> bool,
) -> impl Parser<'a, &'a str, &'a str, Extra<Parts<'a>>> + Clone {
    let rest = any().filter(|c: &char| c.is_ascii_alphanumeric() || *c == '_').repeated();
    any().filter(first).then(rest).to_slice()
}

fn digits<'a>() -> impl Parser<'a, &'a str, &'a str, Extra<Parts<'a>>> + Clone {
    let more = any().filter(|c: &char| c.is_ascii_digit() || *c == '_').repeated();
    any().filter(char::is_ascii_digit).then(more).to_slice()
}

/// `whole ("." fraction)? (e exponent)? suffix`, or `0x..` and `0b..` with everything in the suffix.
fn parts<'a>() -> impl Parser<'a, &'a str, Parts<'a>, Extra<Parts<'a>>> {
    let suffix = run(|c| c.is_alphabetic() || *c == '_').or_not().map(Option::unwrap_or_default);
    let prefixed =
        just("0x").to(16).or(just("0b").to(2)).then(suffix_of_radix()).map(|(radix, suffix)| {
            Parts { radix, whole: "0", fraction: None, exponent: None, suffix }
        });
    let exponent = one_of("eE").ignore_then(one_of("+-").or_not().then(digits()).to_slice());
    let decimal = digits()
        .then(just('.').ignore_then(digits()).or_not())
        .then(exponent.or_not())
        .then(suffix)
        .map(|(((whole, fraction), exponent), suffix)| Parts {
            radix: 10,
            whole,
            fraction,
            exponent,
            suffix,
        });
    prefixed.or(decimal)
}

fn suffix_of_radix<'a>() -> impl Parser<'a, &'a str, &'a str, Extra<Parts<'a>>> + Clone {
    let word = any().filter(|c: &char| c.is_ascii_alphanumeric() || *c == '_');
    word.repeated().to_slice()
}

/// Read a number at the start of `text`, which begins with a digit.
pub fn number(text: &str) -> Scanned {
    match prefix(parts(), text) {
        Some((parts, len)) => Scanned { value: value(&parts), len },
        None => Scanned { value: mistake(codes::E0007, "not a number"), len: 1 },
    }
}

/// Directly after a dot only digits are taken: `t.0.1`.
pub fn tuple_index(text: &str) -> Scanned {
    let len = text.bytes().take_while(u8::is_ascii_digit).count();
    let value = text.get(..len).unwrap_or("").parse::<u32>();
    let value = match value {
        Ok(value) => Ok(Number::Literal(Literal::Int { value: i64::from(value), decimal: true })),
        Err(_) => mistake(codes::E0005, "no tuple has so many elements"),
    };
    Scanned { value, len }
}

/// Read `$` and an amount at the start of `text`.
pub fn money(text: &str) -> Scanned {
    let rest = text.get(1..).unwrap_or("");
    match prefix(parts(), rest) {
        Some((parts, len)) => Scanned { value: dollars(&parts), len: len + 1 },
        None => Scanned { value: mistake(codes::E0007, "not an amount"), len: 1 },
    }
}

fn value(parts: &Parts<'_>) -> Result<Number, Mistake> {
    if parts.radix != 10 {
        return radix_int(parts.suffix, parts.radix).map(Number::Literal);
    }
    let written = [Some(parts.whole), parts.fraction, parts.exponent];
    if written.iter().flatten().any(|part| part.ends_with('_')) {
        return mistake(codes::E0007, "a number cannot end with `_`");
    }
    if !parts.suffix.is_empty() {
        return duration(parts).map(Number::Literal);
    }
    if parts.fraction.is_some() || parts.exponent.is_some() {
        return float(parts).map(Number::Literal);
    }
    match plain(parts.whole).parse::<u64>() {
        Ok(value) if value == 1 << 63 => Ok(Number::MinInt),
        Ok(value) => match i64::try_from(value) {
            Ok(value) => Ok(Number::Literal(Literal::Int { value, decimal: true })),
            Err(_) => out_of_range(),
        },
        Err(_) => out_of_range(),
    }
}

fn out_of_range<T>() -> Result<T, Mistake> {
    mistake(codes::E0005, "the number does not fit in 64 bits")
}

fn plain(digits: &str) -> String {
    digits.chars().filter(|c| *c != '_').collect()
}

fn radix_int(digits: &str, radix: u32) -> Result<Literal, Mistake> {
    let bare = plain(digits);
    if bare.is_empty() || digits.ends_with('_') {
        return mistake(codes::E0007, "digits are missing");
    }
    if let Some(wrong) = bare.chars().find(|c| !c.is_digit(radix)) {
        return mistake(codes::E0007, format!("`{wrong}` is no digit here"));
    }
    match i64::from_str_radix(&bare, radix) {
        Ok(value) => Ok(Literal::Int { value, decimal: false }),
        Err(_) => out_of_range(),
    }
}

fn float(parts: &Parts<'_>) -> Result<Literal, Mistake> {
    let fraction = parts.fraction.map_or("0".to_owned(), plain);
    let exponent = parts.exponent.map_or("0".to_owned(), plain);
    let text = format!("{}.{fraction}e{exponent}", plain(parts.whole));
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Literal::Float(value.to_bits())),
        _ => mistake(codes::E0005, "the number is too large for a Float"),
    }
}

/// Nanoseconds of each unit.
const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

fn duration(parts: &Parts<'_>) -> Result<Literal, Mistake> {
    let Some((_, unit)) = UNITS.iter().find(|(name, _)| *name == parts.suffix) else {
        let message = format!("`{}` is no unit; the units are ns us ms s m h d w", parts.suffix);
        return mistake(codes::E0007, message);
    };
    let scaled = decimal(parts, 30).and_then(|(digits, scale)| scaled(digits, scale, *unit));
    match scaled.and_then(|nanoseconds| i64::try_from(nanoseconds).ok()) {
        Some(nanoseconds) => Ok(Literal::Duration(nanoseconds)),
        None => mistake(codes::E0005, "a Duration is a whole number of nanoseconds in 64 bits"),
    }
}

/// All digits as one integer, and the power of ten it is to be multiplied by. `None` beyond `limit` digits.
fn decimal(parts: &Parts<'_>, limit: usize) -> Option<(i128, i32)> {
    let fraction = parts.fraction.map_or(String::new(), plain);
    let exponent: i32 = parts.exponent.map_or(Ok(0), |text| plain(text).parse()).ok()?;
    let digits = plain(parts.whole) + &fraction;
    let bare = digits.trim_start_matches('0');
    if bare.len() > limit {
        return None;
    }
    let value = if bare.is_empty() { 0 } else { bare.parse().ok()? };
    Some((value, exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?))
}

/// `digits * unit * 10^scale` if that is whole and fits.
fn scaled(digits: i128, scale: i32, unit: i128) -> Option<i128> {
    let value = digits.checked_mul(unit)?;
    let power = 10_i128.checked_pow(scale.unsigned_abs());
    match (scale >= 0, power) {
        (_, _) if value == 0 => Some(0),
        (true, Some(power)) => value.checked_mul(power),
        (false, Some(power)) => (value % power == 0).then(|| value / power),
        (_, None) => None,
    }
}

fn dollars(parts: &Parts<'_>) -> Result<Number, Mistake> {
    if parts.radix != 10 || parts.exponent.is_some() || !parts.suffix.is_empty() {
        return mistake(codes::E0007, "an amount is written as digits with at most six decimals");
    }
    let fraction = parts.fraction.map_or(String::new(), plain);
    if parts.whole.ends_with('_') || parts.fraction.is_some_and(|text| text.contains('_')) {
        return mistake(codes::E0007, "`_` only stands between the digits of whole dollars");
    }
    if fraction.len() > 6 {
        return mistake(codes::E0006, "money has at most six decimals");
    }
    let micros = decimal(parts, 30).and_then(|(digits, scale)| scaled(digits, scale, 1_000_000));
    match micros.and_then(|micros| i64::try_from(micros).ok()) {
        Some(micros) => Ok(Number::Literal(Literal::Money(micros))),
        None => mistake(codes::E0005, "the amount is too large"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Literal, Number, money, number, tuple_index};
    use crate::diag::codes::{self, Code};

    fn ok(text: &str) -> (Literal, usize) {
        let scanned = number(text);
        match scanned.value {
            Ok(Number::Literal(literal)) => (literal, scanned.len),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn int(value: i64) -> Literal {
        Literal::Int { value, decimal: true }
    }

    #[test]
    fn where_numbers_end() {
        assert_eq!(ok("0..n"), (int(0), 1));
        assert_eq!(ok("1.max(2)"), (int(1), 1));
        assert_eq!(ok("1_000)"), (int(1000), 5));
        assert_eq!(ok("2.5e6+"), (Literal::Float(2.5e6_f64.to_bits()), 5));
        assert_eq!(ok("1e-3"), (Literal::Float(1e-3_f64.to_bits()), 4));
        assert_eq!(ok("0xff"), (Literal::Int { value: 255, decimal: false }, 4));
        assert_eq!(tuple_index("0.1").len, 1);
    }

    #[test]
    fn durations_are_exact() {
        assert_eq!(ok("1.5s").0, Literal::Duration(1_500_000_000));
        assert_eq!(ok("100ms").0, Literal::Duration(100_000_000));
        assert_eq!(ok("1h").0, Literal::Duration(3_600_000_000_000));
        assert_eq!(ok("1e-3s").0, Literal::Duration(1_000_000));
        assert_eq!(ok("0.1w").0, Literal::Duration(60_480_000_000_000));
    }

    #[test]
    fn money_is_exact() {
        let micros = |text| match money(text).value {
            Ok(Number::Literal(Literal::Money(micros))) => micros,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(micros("$0.10"), 100_000);
        assert_eq!(micros("$1_000"), 1_000_000_000);
        assert_eq!(micros("$0.000001"), 1);
        assert_eq!(micros("$0"), 0);
        assert_eq!(money("$1.max").len, 2);
    }

    #[test]
    fn mistakes() {
        let code = |text: &str| -> Code {
            let scanned = if text.starts_with('$') { money(text) } else { number(text) };
            scanned.value.err().map(|mistake| mistake.code).unwrap()
        };
        assert_eq!(code("9223372036854775809"), codes::E0005);
        assert_eq!(code("1e999"), codes::E0005);
        assert_eq!(code("0.5ns"), codes::E0005);
        assert_eq!(code("1000000w"), codes::E0005);
        assert_eq!(code("5q"), codes::E0007);
        assert_eq!(code("1h30m"), codes::E0007);
        assert_eq!(code("1_"), codes::E0007);
        assert_eq!(code("0x"), codes::E0007);
        assert_eq!(code("0b12"), codes::E0007);
        assert_eq!(code("$0.0000001"), codes::E0006);
        assert_eq!(code("$99999999999999"), codes::E0005);
        assert_eq!(code("$5s"), codes::E0007);
        assert_eq!(number("9223372036854775808").value, Ok(Number::MinInt));
    }
}
