//! Answers that are refusals: which of them may be tried again, and when.

use crate::lane::request::SendError;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// Characters of what a provider says that are told.
const TOLD: usize = 300;
/// What stands in a 429 that no patience helps against: money has run out, not time.
const SPENT: [&str; 3] =
    ["enforced_spend_limit_reached", "insufficient_quota", "billing_hard_limit_reached"];

/// What a provider says went wrong, in one line.
pub fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let error = json.get("error").unwrap_or(&json);
    let said = error.get("message").and_then(Value::as_str).or(error.as_str());
    let said = said.map_or_else(|| text.to_string(), str::to_owned);
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(TOLD).collect()
}

/// `said` is [`message`] without what must not be told.
pub fn of(status: u16, headers: &HeaderMap, body: &[u8], said: &str) -> SendError {
    let reason = match said {
        "" => format!("status {status}"),
        said => format!("status {status}: {said}"),
    };
    let text = String::from_utf8_lossy(body);
    let is_spent = SPENT.iter().any(|code| text.contains(code));
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let may_retry = match word("x-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => matches!(status, 408 | 409 | 424 | 429) || status >= 500,
    };
    if is_spent || !may_retry {
        return SendError::Refused { reason };
    }
    let number = |name: &str| word(name)?.trim().parse::<f64>().ok().filter(|n| *n >= 0.0);
    let seconds = number("retry-after-ms").map(|ms| ms / 1e3).or_else(|| number("retry-after"));
    SendError::Busy { reason, retry_after_ns: seconds.map(|s| (s * 1e9) as u64) }
}

#[cfg(test)]
mod tests {
    use super::{message, of};
    use crate::lane::request::SendError;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    fn busy(
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: &str,
    ) -> Option<Option<u64>> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        match of(status, &map, body.as_bytes(), "") {
            SendError::Busy { retry_after_ns, .. } => Some(retry_after_ns),
            _ => None,
        }
    }

    #[test]
    fn what_passes_is_busy_and_what_stays_is_refused() {
        for status in [408, 409, 424, 429, 500, 502, 503, 529] {
            assert_eq!(busy(status, &[], ""), Some(None), "{status}");
        }
        for status in [400, 401, 402, 403, 404, 413, 422] {
            assert_eq!(busy(status, &[], ""), None, "{status}");
        }
        assert_eq!(busy(500, &[("x-should-retry", "false")], ""), None);
        assert_eq!(busy(400, &[("x-should-retry", "true")], ""), Some(None));
        assert_eq!(busy(429, &[("retry-after", "2")], ""), Some(Some(2_000_000_000)));
        let both = [("retry-after", "2"), ("retry-after-ms", "50")];
        assert_eq!(busy(429, &both, ""), Some(Some(50_000_000)));
        let spent = r#"{"error": {"details": {"error_code": "enforced_spend_limit_reached"}}}"#;
        assert_eq!(busy(429, &[("retry-after", "2")], spent), None);
    }

    #[test]
    fn a_page_of_html_is_told_in_one_short_line() {
        assert_eq!(message(br#"{"error": {"message": "No such\n model"}}"#), "No such model");
        assert_eq!(message(br#"{"error": "no"}"#), "no");
        assert_eq!(message(&b"<html>\n".repeat(1_000)).chars().count(), 300);
    }
}
