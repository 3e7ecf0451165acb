//! Times as text: RFC 3339 and the patterns of `Time.format`, in UTC.
//!
//! Never: a time zone but UTC, a leap second, the clock.

const NS_PER_S: i64 = 1_000_000_000;
const DAY_S: i64 = 86_400;
const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A point of the calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: i64,
    /// 0 is Monday.
    weekday: i64,
    /// 1 is January 1st.
    year_day: i64,
}

/// Days since the epoch of a date (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (month + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil(time_ns: i64) -> Civil {
    let seconds = time_ns.div_euclid(NS_PER_S);
    let (days, of_day) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month,
        day,
        hour: of_day / 3600,
        minute: of_day / 60 % 60,
        second: of_day % 60,
        nanosecond: time_ns.rem_euclid(NS_PER_S),
        weekday: (days + 3).rem_euclid(7),
        year_day: days - days_from_civil(year, 1, 1) + 1,
    }
}

/// `2026-11-22T14:54:36Z`, with 3, 6 or 9 decimals where they are needed.
#[must_use]
pub fn rfc3339(time_ns: i64) -> String {
    let at = civil(time_ns);
    let date = format!("{:04}-{:02}-{:02}", at.year, at.month, at.day);
    let clock = format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second);
    let fraction = match at.nanosecond {
        0 => String::new(),
        ns if ns % 1_000_000 == 0 => format!(".{:03}", ns / 1_000_000),
        ns if ns % 1_000 == 0 => format!(".{:06}", ns / 1_000),
        ns => format!(".{ns:09}"),
    };
    format!("{date}T{clock}{fraction}Z")
}

/// Takes a number of exactly `digits` digits off the front.
fn digits(text: &mut &str, digits: usize) -> Option<i64> {
    let (number, rest) = text.split_at_checked(digits)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *text = rest;
    number.parse().ok()
}

fn expect(text: &mut &str, allowed: &[char]) -> Option<()> {
    *text = text.strip_prefix(allowed)?;
    Some(())
}

/// Reads RFC 3339 with any offset; a date alone is its midnight in UTC.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let year = digits(&mut rest, 4)?;
    expect(&mut rest, &['-'])?;
    let month = digits(&mut rest, 2)?;
    expect(&mut rest, &['-'])?;
    let day = digits(&mut rest, 2)?;
    let days = days_from_civil(year, month, day);
    let written = civil(days.checked_mul(DAY_S)?.checked_mul(NS_PER_S)?);
    if (written.month, written.day) != (month, day) {
        return None;
    }
    let of_day_ns = if rest.is_empty() { 0 } else { clock_ns(&mut rest)? };
    if !rest.is_empty() {
        return None;
    }
    days.checked_mul(DAY_S * NS_PER_S)?.checked_add(of_day_ns)
}

/// `T14:54:36.5+01:00` as nanoseconds of the day in UTC.
fn clock_ns(rest: &mut &str) -> Option<i64> {
    expect(rest, &['T', 't', ' '])?;
    let hour = digits(rest, 2)?;
    expect(rest, &[':'])?;
    let minute = digits(rest, 2)?;
    expect(rest, &[':'])?;
    let second = digits(rest, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut nanoseconds = 0;
    if expect(rest, &['.']).is_some() {
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let shown = length.min(9);
        let value = digits(rest, shown)?;
        digits(rest, length - shown).or((length == shown).then_some(0))?;
        nanoseconds = value * 10i64.pow(9 - shown as u32);
    }
    let offset_min = if expect(rest, &['Z', 'z']).is_some() {
        0
    } else {
        let sign = if rest.starts_with('-') { -1 } else { 1 };
        expect(rest, &['+', '-'])?;
        let hours = digits(rest, 2)?;
        expect(rest, &[':'])?;
        sign * (hours * 60 + digits(rest, 2)?)
    };
    let seconds = hour * 3600 + (minute - offset_min) * 60 + second;
    Some(seconds * NS_PER_S + nanoseconds)
}

/// A time by a pattern: `%Y %m %d %H %M %S %y %j %a %A %b %B %e %I %p %f %3f %F %T %s %z %Z %%`.
/// `Err` is the directive that means nothing.
pub fn format(time_ns: i64, pattern: &str) -> Result<String, String> {
    let at = civil(time_ns);
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let directive = match chars.next() {
            Some('3') if chars.as_str().starts_with('f') => {
                chars.next();
                "3f".to_owned()
            }
            Some(letter) => letter.to_string(),
            None => return Err("%".to_owned()),
        };
        out.push_str(&field(&at, time_ns, &directive).ok_or(format!("%{directive}"))?);
    }
    Ok(out)
}

fn field(at: &Civil, time_ns: i64, directive: &str) -> Option<String> {
    let name = |names: &[&'static str], at: i64| names.get(at as usize).copied();
    let short = |name: &str| name.get(..3).unwrap_or(name).to_owned();
    let hour12 = if at.hour % 12 == 0 { 12 } else { at.hour % 12 };
    Some(match directive {
        "Y" => format!("{:04}", at.year),
        "y" => format!("{:02}", at.year.rem_euclid(100)),
        "m" => format!("{:02}", at.month),
        "d" => format!("{:02}", at.day),
        "e" => format!("{:2}", at.day),
        "j" => format!("{:03}", at.year_day),
        "H" => format!("{:02}", at.hour),
        "I" => format!("{hour12:02}"),
        "M" => format!("{:02}", at.minute),
        "S" => format!("{:02}", at.second),
        "f" => format!("{:09}", at.nanosecond),
        "3f" => format!("{:03}", at.nanosecond / 1_000_000),
        "p" => if at.hour < 12 { "AM" } else { "PM" }.to_owned(),
        "a" => short(name(&WEEKDAYS, at.weekday)?),
        "A" => name(&WEEKDAYS, at.weekday)?.to_owned(),
        "b" => short(name(&MONTHS, at.month - 1)?),
        "B" => name(&MONTHS, at.month - 1)?.to_owned(),
        "F" => format!("{:04}-{:02}-{:02}", at.year, at.month, at.day),
        "T" => format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second),
        "s" => time_ns.div_euclid(NS_PER_S).to_string(),
        "z" => "+0000".to_owned(),
        "Z" => "UTC".to_owned(),
        "%" => "%".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{format, parse_rfc3339, rfc3339};
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn known_times() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(rfc3339(1_709_164_800_500_000_000), "2024-02-29T00:00:00.500Z");
        assert_eq!(parse_rfc3339("2024-02-29"), Some(1_709_164_800_000_000_000));
        assert_eq!(parse_rfc3339("2024-02-29T01:00:00.5+01:00"), Some(1_709_164_800_500_000_000));
        for bad in ["", "2023-02-29", "2024-13-01", "2024-01-01T25:00:00Z", "2024-01-01T", "x"] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn patterns() {
        let noon = 1_709_208_000_000_000_000;
        assert_eq!(format(noon, "%Y-%m-%d"), Ok("2024-02-29".to_owned()));
        assert_eq!(
            format(noon, "%a %e %B, %I:%M %p, 100%%"),
            Ok("Thu 29 February, 12:00 PM, 100%".to_owned())
        );
        assert_eq!(format(noon, "%F %T.%3f %j"), Ok("2024-02-29 12:00:00.000 060".to_owned()));
        assert_eq!(format(noon, "%Q"), Err("%Q".to_owned()));
        assert_eq!(format(noon, "%"), Err("%".to_owned()));
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(time in any::<i64>()) {
            prop_assert_eq!(parse_rfc3339(&rfc3339(time)), if rfc3339(time).is_empty() { None } else { Some(time) });
        }

        #[test]
        fn reading_never_panics(text in "[0-9TZ:.+-]{0,40}|.*") {
            let _ = parse_rfc3339(&text);
        }
    }
}
