//! The pages of words and types of the language: `:doc agent`, `:doc List`, `:doc Fault`.
//!
//! Nothing is written here: words come from docs/by-example.md, types from the prelude and the table of builtins.

use std::collections::BTreeSet;

use ag_runtime::builtin::{self, PRELUDE};

use crate::output::Page;

const EXAMPLES: &str = include_str!("../../../../docs/by-example.md");

/// The page of a word or a type.
pub fn page(name: &str) -> Option<Page> {
    word(name).or_else(|| declared(name)).or_else(|| members(name))
}

/// Every name that has a page here.
pub fn words() -> Vec<String> {
    let words = sections().flat_map(|(heading, _)| quoted(heading)).map(str::to_owned);
    let receivers = builtin::table().iter().filter_map(|row| row.receiver);
    let types: BTreeSet<&str> = receivers.chain(declarations().map(|(name, _)| name)).collect();
    words.chain(types.into_iter().map(str::to_owned)).collect()
}

/// The headings of the examples, and what stands below each.
fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    EXAMPLES.split("\n## ").skip(1).filter_map(|section| section.split_once('\n'))
}

fn quoted(heading: &str) -> impl Iterator<Item = &str> {
    heading.split('`').skip(1).step_by(2)
}

fn word(name: &str) -> Option<Page> {
    let (_, body) = sections().find(|(heading, _)| quoted(heading).any(|word| word == name))?;
    let body = body.trim();
    let text = body
        .split_inclusive('\n')
        .filter(|line| !line.trim_start().starts_with("```"))
        .collect::<String>();
    Some(of(&format!("{}\n", text.trim_end().replace("\n\n\n", "\n\n")), body))
}

/// The structs and enums of the prelude, with their doc comments.
fn declarations() -> impl Iterator<Item = (&'static str, &'static str)> {
    PRELUDE.split("\n\n").flat_map(|part| {
        // Short ones stand line by line without a blank one between.
        let is_block = part.contains("{\n");
        let lines: Vec<&str> =
            if is_block { vec![part] } else { part.split_inclusive('\n').collect() };
        let documented = !is_block && lines.iter().any(|line| line.starts_with("///"));
        let parts = if documented { vec![part] } else { lines };
        parts.into_iter().filter_map(|part| Some((declared_name(part)?, part)))
    })
}

fn declared_name(part: &str) -> Option<&str> {
    let line = part.lines().find(|line| !line.starts_with("//"))?;
    let rest = line.strip_prefix("struct ").or_else(|| line.strip_prefix("enum "))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

fn declared(name: &str) -> Option<Page> {
    let (_, source) = declarations().find(|(declared, _)| *declared == name)?;
    let source = source.trim();
    let mut page = of(&format!("{source}\n"), &format!("```ag\n{source}\n```"));
    if let Some(more) = members(name) {
        page.text.push_str(&more.text);
        page.markdown.push_str(&more.markdown);
    }
    Some(page)
}

/// What may stand behind the dot of a builtin type.
fn members(name: &str) -> Option<Page> {
    let rows = builtin::table().iter().filter(|row| row.receiver == Some(name));
    let lines: Vec<String> = rows.clone().map(|row| written(row.name, row.signature)).collect();
    let member = rows.clone().next()?.name;
    let source = lines.join("\n");
    let more = format!("`:doc {name}.{member}` explains a member.");
    Some(of(&format!("{source}\n{more}\n"), &format!("```ag\n{source}\n```\n\n{more}\n")))
}

/// `(self: List<T>, value: T) -> List<T>` of `push`, as it is called: `List<T>.push(value: T) -> List<T>`.
fn written(name: &str, signature: &str) -> String {
    let Some((generics, rest)) = signature.split_once("(self: ") else {
        return format!("{name}{signature}");
    };
    let mut depth = 0;
    let end = rest.find(|c: char| {
        depth += i32::from(matches!(c, '<' | '('))
            - i32::from(matches!(c, '>') || (c == ')' && depth > 0));
        depth == 0 && matches!(c, ',' | ')')
    });
    let (receiver, rest) = rest.split_at(end.unwrap_or(rest.len()));
    format!("{receiver}.{name}{generics}({}", rest.trim_start_matches(", "))
}

fn of(text: &str, markdown: &str) -> Page {
    Page { text: text.to_owned(), markdown: markdown.to_owned(), pager: false }
}

#[cfg(test)]
mod tests {
    use super::{page, words};

    #[test]
    fn words_and_types_have_pages() {
        for name in ["agent", "tool", "struct", "let", "for", "cost_policy", "match", "test"] {
            let page = page(name).expect(name);
            assert!(page.markdown.contains("```ag") && !page.text.contains("```"), "{name}");
        }
        for (name, part) in [
            ("List", "List<T>.push(value: T) -> List<T>"),
            ("Option", "T?.or(default: T) -> T"),
            ("List", "List<T>.len() -> Int"),
            ("Text", "Text.split(separator: Text) -> List<Text>"),
            ("Recollection", "score : Float"),
            ("Episode", "outcome : Outcome = pending"),
            ("Fault", "code : Text"),
            ("Response", "latency : Duration"),
            ("Priority", "High"),
            ("Outcome", "Known(Text)"),
        ] {
            assert!(page(name).expect(name).text.contains(part), "{name}");
        }
        assert!(page("nonsense").is_none());
        assert!(words().iter().all(|name| page(name).is_some()));
    }
}
