//! Server-sent events: the data of each, whatever way the bytes are cut.
//!
//! Comments and names of events are passed over: both protocols repeat what they mean in the data.

/// Bytes that are no whole line yet, and the data of an event that is no whole event yet.
#[derive(Default)]
pub struct Lines {
    rest: Vec<u8>,
    data: Option<String>,
}

impl Lines {
    /// The events that these bytes complete.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for &byte in bytes {
            if byte != b'\n' {
                self.rest.push(byte);
                continue;
            }
            let line = std::mem::take(&mut self.rest);
            let line = String::from_utf8_lossy(&line);
            self.line(line.trim_end_matches('\r'), &mut found);
        }
        found
    }

    fn line(&mut self, line: &str, found: &mut Vec<String>) {
        if line.is_empty() {
            found.extend(self.data.take());
        } else if let Some(data) = line.strip_prefix("data:") {
            let data = data.strip_prefix(' ').unwrap_or(data);
            match &mut self.data {
                Some(known) => {
                    known.push('\n');
                    known.push_str(data);
                }
                None => self.data = Some(data.to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use proptest::prelude::{prop_assert_eq, proptest};

    const EVENTS: &str = ": PROCESSING\n\nevent: a\r\ndata: {\"x\": \"é\"}\r\n\r\ndata:1\ndata: 2\n\ndata: [DONE]\n\n";

    proptest! {
        #[test]
        fn events_are_the_same_however_they_are_cut(size in 1usize..20) {
            let mut lines = Lines::default();
            let found: Vec<String> =
                EVENTS.as_bytes().chunks(size).flat_map(|chunk| lines.take(chunk)).collect();
            prop_assert_eq!(found, ["{\"x\": \"é\"}", "1\n2", "[DONE]"]);
        }
    }
}
