//! The language reference: `docs/language` is made from `tests/spec/language`, and every rule has a test or a line in the
//! list of gaps.
//!
//! A section `## L-41 Title` of a page holds the rule's words and, where no other page shows it, an example that runs.
//! How a rule was read stands in `docs/design/0005-readings.md`, what is missing in `gaps.md`: the pages of the reference
//! bring the three together with links to the tests that cite the rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::generated::expect_file;
use crate::tree::{expect_none, read, root, sources};

const SOURCE: &str = "tests/spec/language";
const MADE: &str = "docs/language";

/// A heading with what stands under it.
struct Section {
    heading: String,
    lines: Vec<String>,
}

impl Section {
    fn runs(&self) -> bool {
        self.lines.iter().any(|line| line.starts_with("```ag"))
    }

    /// The rule it states, and the rule's title.
    fn rule(&self) -> Option<(u32, &str)> {
        let (rule, title) = self.heading.strip_prefix("## L-")?.split_once(' ')?;
        Some((rule.parse().ok()?, title))
    }
}

/// The sections of a page. A `#` within a block is no heading.
fn sections(text: &str) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.starts_with('#') && !is_code {
            found.push(Section { heading: line.to_owned(), lines: Vec::new() });
            continue;
        }
        is_code ^= line.starts_with("```");
        if let Some(section) = found.last_mut() {
            section.lines.push(line.to_owned());
        }
    }
    found
}

/// The pages of a folder, by name.
fn pages(folder: &str) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(Result::unwrap);
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names
        .filter(|name| name.ends_with(".md"))
        .map(|name| (name.clone(), read(&format!("{folder}/{name}"))))
        .collect()
}

/// The numbers of the rules that a text cites.
fn cited(text: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("L-") {
        let is_word = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let digits: String = text[at + 2..].chars().take_while(char::is_ascii_digit).collect();
        if !is_word {
            found.extend(digits.parse::<u32>());
        }
    }
    found
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Where a rule is tested: a title and a link from the folder of the reference.
type Tests = BTreeMap<u32, Vec<(String, String)>>;

fn tests() -> Tests {
    let mut found: Tests = BTreeMap::new();
    for (name, text) in pages("tests/spec") {
        for section in sections(&text).iter().filter(|section| section.runs()) {
            let place = section.heading.trim_start_matches('#').trim();
            let place = (place.to_owned(), format!("../../tests/spec/{name}#{}", anchor(place)));
            for rule in cited(&format!("{}\n{}", section.heading, section.lines.join("\n"))) {
                found.entry(rule).or_default().push(place.clone());
            }
        }
    }
    for source in sources() {
        let tests = match source.is_test() {
            true => Some(source.text.as_str()),
            false => source.text.find("#[cfg(test)]").map(|at| &source.text[at..]),
        };
        let is_here = source.path.contains("/tests/tidy");
        for rule in tests.filter(|_| !is_here).map(cited).unwrap_or_default() {
            let place = (source.path.clone(), format!("../../{}", source.path));
            found.entry(rule).or_default().push(place);
        }
    }
    found
}

/// The rows of a table whose first column names rules, by rule: the other columns.
fn rows(text: &str) -> BTreeMap<u32, Vec<Vec<String>>> {
    let mut found: BTreeMap<u32, Vec<Vec<String>>> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| L-") || line.starts_with("| 1")) {
        // `||` and `\|` stand in cells; a column ends with a bar between blanks.
        let cells = line.trim().trim_matches('|').split(" | ");
        let cells: Vec<String> = cells.map(|cell| cell.trim().to_owned()).collect();
        for rule in cited(&cells[0]) {
            found.entry(rule).or_default().push(cells[1..].to_vec());
        }
    }
    found
}

/// All rules: number, title, page.
fn rules() -> Vec<(u32, String, String)> {
    let mut found = Vec::new();
    for (name, text) in pages(SOURCE) {
        for section in sections(&text) {
            if let Some((rule, title)) = section.rule() {
                found.push((rule, title.to_owned(), name.clone()));
            }
        }
    }
    assert!(found.len() > 90, "the rules are elsewhere now");
    found
}

#[test]
fn every_rule_has_a_test_or_a_line_in_the_list_of_gaps() {
    let tests = tests();
    let gaps = rows(&read(&format!("{SOURCE}/gaps.md")));
    let mut shown = BTreeSet::new();
    for text in pages(SOURCE).values() {
        let sections = sections(text);
        let running = sections.iter().filter(|section| section.runs());
        shown.extend(running.filter_map(Section::rule).map(|(rule, _)| rule));
    }
    let has = |rule| shown.contains(rule) || tests.contains_key(rule) || gaps.contains_key(rule);
    let rules: Vec<u32> = rules().into_iter().map(|(rule, ..)| rule).collect();
    let without = rules.iter().filter(|rule| !has(rule)).map(|rule| format!("L-{rule}"));
    expect_none("a rule without a test", &without.collect::<Vec<_>>());
}

#[test]
fn what_cites_a_rule_cites_one_that_exists() {
    let known: BTreeSet<u32> = rules().into_iter().map(|(rule, ..)| rule).collect();
    let mut found = Vec::new();
    let mut look = |place: &str, text: &str| {
        let unknown = cited(text).into_iter().filter(|rule| !known.contains(rule));
        found.extend(unknown.map(|rule| format!("{place}: L-{rule}")));
    };
    for folder in [SOURCE, "tests/spec", "tests/diagnostics", "docs", "docs/design"] {
        for (name, text) in pages(folder) {
            look(&format!("{folder}/{name}"), &text);
        }
    }
    for source in sources().iter().filter(|source| !source.path.contains("/tests/tidy")) {
        let comments = source.text.lines().filter_map(|line| line.split_once("//"));
        let comments: Vec<&str> = comments.map(|(_, comment)| comment).collect();
        look(&source.path, &comments.join("\n"));
    }
    expect_none("a citation of a rule that is none", &found);
}

#[test]
fn rules_are_in_order_and_stand_once() {
    let rules = rules();
    let wrong = rules.windows(2).filter(|pair| pair[0].0 >= pair[1].0);
    let found: Vec<String> =
        wrong.map(|pair| format!("L-{} after L-{}", pair[1].0, pair[0].0)).collect();
    expect_none("rules follow each other", &found);
}

#[test]
fn the_reference_is_what_its_sources_give() {
    let tests = tests();
    let readings = rows(&read("docs/design/0005-readings.md"));
    let gaps = rows(&read(&format!("{SOURCE}/gaps.md")));
    let mut kept: BTreeSet<String> = BTreeSet::from(["README.md".to_owned()]);
    for (name, text) in pages(SOURCE) {
        let note = format!(
            "Made from [tests/spec/language/{name}](../../{SOURCE}/{name}), whose examples run; do not edit."
        );
        let mut page = String::new();
        for (at, section) in sections(&text).iter().enumerate() {
            writeln!(page, "{}\n", section.heading).unwrap();
            if at == 0 {
                writeln!(page, "{note}\n").unwrap();
            }
            let body = section.lines.join("\n");
            if !body.trim().is_empty() {
                writeln!(page, "{}\n", body.trim()).unwrap();
            }
            let Some((rule, _)) = section.rule() else { continue };
            let about = about(rule, &readings, &gaps, &tests);
            if !about.is_empty() {
                writeln!(page, "{about}").unwrap();
            }
        }
        expect_file(&format!("{MADE}/{name}"), &format!("{}\n", page.trim_end()));
        kept.insert(name);
    }
    expect_file(&format!("{MADE}/README.md"), &index(&tests, &gaps));
    let left: Vec<String> = pages(MADE).into_keys().filter(|name| !kept.contains(name)).collect();
    expect_none("pages of the reference without a source", &left);
}

/// What a reader of a rule also wants to know.
fn about(
    rule: u32,
    readings: &BTreeMap<u32, Vec<Vec<String>>>,
    gaps: &BTreeMap<u32, Vec<Vec<String>>>,
    tests: &Tests,
) -> String {
    let mut out = String::new();
    for row in gaps.get(&rule).into_iter().flatten() {
        writeln!(out, "- **Not yet:** {} ({})", row[0], row[1]).unwrap();
    }
    for row in readings.get(&rule).into_iter().flatten() {
        writeln!(out, "- Read as: {} - {}", row[0], row[1]).unwrap();
    }
    let links = tests.get(&rule).into_iter().flatten();
    let links: Vec<String> = links.map(|(title, link)| format!("[{title}]({link})")).collect();
    if !links.is_empty() {
        writeln!(out, "- Tests: {}", links.join(", ")).unwrap();
    }
    out
}

fn index(tests: &Tests, gaps: &BTreeMap<u32, Vec<Vec<String>>>) -> String {
    let mut page = format!(
        "# The language\n\nMade from the pages in [{SOURCE}](../../{SOURCE}), whose examples run; do not edit. Each rule has a number that tests \
         and messages cite; under its words stand how it was read where a choice was left (all of it in \
         [0005](../design/0005-readings.md)), what is not there yet ([gaps](gaps.md)), and the tests that cite it. \
         [ag in ten minutes](../ten-minutes.md) and [by example](../by-example.md) are for learning, [builtins](../builtins.md) and \
         [codes](../diagnostics.md) are lists.\n\n"
    );
    for (name, text) in pages(SOURCE) {
        let title = sections(&text)[0].heading.trim_start_matches('#').trim().to_owned();
        writeln!(page, "- [{title}]({name})").unwrap();
    }
    page.push_str("\n## Rules\n\n| rule | about | tests |\n|---|---|---|\n");
    for (rule, title, name) in rules() {
        let link = format!("{name}#{}", anchor(&format!("L-{rule} {title}")));
        let count = tests.get(&rule).map_or(0, Vec::len);
        let count = match gaps.contains_key(&rule) {
            true => format!("{count}, and a [gap](gaps.md)"),
            false => count.to_string(),
        };
        writeln!(page, "| [L-{rule}]({link}) | {title} | {count} |").unwrap();
    }
    page
}
