//! An independent recogniser of the grammar, written in chumsky from the EBNF, against the hand-written parser.
//!
//! Both get the same tokens. On every program of the corpus and on thousands of mutants of it they must agree whether it
//! is a program of the language. Texts the lexer refuses are left out, since they have no tokens to compare.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod program;
mod terms;
mod tokens;

use std::fs;
use std::path::Path;

use ag_lang::diag::codes;
use ag_lang::syntax::lexer::{SourceKind, lex};
use ag_lang::syntax::parse::parse;
use ag_lang::syntax::token::TokenKind as T;

/// The blocks of literate pages and the seed's programs.
fn corpus() -> Vec<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let mut found = Vec::new();
    for folder in ["seed", "spec", "spec/language", "diagnostics"] {
        let mut paths: Vec<_> =
            fs::read_dir(tests.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.is_file());
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(&path).unwrap();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("ag") => found.push(text),
                Some("md") => found.extend(blocks(&text)),
                _ => {}
            }
        }
    }
    found
}

fn blocks(page: &str) -> Vec<String> {
    let parts: Vec<&str> = page.split("```").collect();
    let code = parts.iter().skip(1).step_by(2);
    code.filter_map(|block| block.split_once('\n'))
        .filter(|(info, _)| info.split_whitespace().next() == Some("ag"))
        .map(|(_, text)| text.to_owned())
        .collect()
}

fn errors(text: &str) -> Vec<String> {
    let found = parse(text, SourceKind::Cell).diagnostics;
    found.iter().filter(|diagnostic| diagnostic.is_error()).map(ToString::to_string).collect()
}

/// The two verdicts differ: why.
fn difference(text: &str) -> Option<String> {
    let tokens = tokens::tokens(text)?;
    let errors = errors(text);
    // The depth bound is the parser's, not the grammar's.
    if errors.iter().any(|error| error.contains(codes::E0109.as_str())) {
        return None;
    }
    let accepted = program::accepts(&tokens);
    (accepted != errors.is_empty())
        .then(|| format!("oracle {accepted}, parser {errors:?}:\n{text}"))
}

#[test]
fn the_corpus() {
    let corpus = corpus();
    assert!(corpus.len() > 60, "{}", corpus.len());
    let different: Vec<String> = corpus.iter().filter_map(|text| difference(text)).collect();
    assert!(different.is_empty(), "{}", different.join("\n----\n"));
    assert!(program::accepts(&tokens::tokens(&corpus[0]).unwrap()));
}

/// A small generator of numbers: the mutants are the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

/// Delete, double, exchange or replace one token.
fn mutant(text: &str, spare: &[String], numbers: &mut Numbers) -> String {
    let spans: Vec<_> = lex(text, SourceKind::Cell)
        .tokens
        .iter()
        .filter(|token| {
            !matches!(token.kind, T::Comment | T::DocComment | T::BlockComment)
                && !token.span.is_empty()
        })
        .map(|token| token.span.range())
        .collect();
    if spans.len() < 2 {
        return text.to_owned();
    }
    let at = numbers.below(spans.len() - 1);
    let (one, next) = (spans[at].clone(), spans[at + 1].clone());
    let (head, tail) = (&text[..one.start], &text[one.end..]);
    let token = &text[one.clone()];
    match numbers.below(5) {
        0 => format!("{head}{tail}"),
        1 => format!("{head}{token} {token}{tail}"),
        2 => format!(
            "{head}{}{}{token}{}",
            &text[next.clone()],
            &text[one.end..next.start],
            &text[next.end..]
        ),
        3 => format!("{head}{} {token}{tail}", spare[numbers.below(spare.len())]),
        _ => format!("{head}{}{tail}", spare[numbers.below(spare.len())]),
    }
}

#[test]
fn mutants_of_the_corpus() {
    let corpus: Vec<String> = corpus().into_iter().filter(|text| text.len() < 2000).collect();
    let spare: Vec<String> = corpus
        .iter()
        .flat_map(|text| {
            let tokens = lex(text, SourceKind::Cell).tokens;
            tokens.into_iter().map(|token| token.span.text(text).to_owned()).collect::<Vec<_>>()
        })
        .filter(|token| token.len() < 20 && !token.contains('"') && !token.starts_with("//"))
        .collect();
    let mut numbers = Numbers(7);
    let count = std::env::var("AG_ORACLE_MUTANTS").map_or(3000, |count| count.parse().unwrap());
    let mut different = Vec::new();
    for at in 0..count {
        let mut text = mutant(&corpus[at % corpus.len()], &spare, &mut numbers);
        if numbers.below(3) == 0 {
            text = mutant(&text, &spare, &mut numbers);
        }
        different.extend(difference(&text));
    }
    assert!(
        different.is_empty(),
        "{} of {count}\n{}",
        different.len(),
        different[..different.len().min(12)].join("\n----\n")
    );
}
