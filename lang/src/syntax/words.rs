//! The words of L-3: the reserved ones, and the contextual keywords by the place where they are one.
//!
//! Everywhere else the latter are ordinary names; only the parser decides where that is.

/// The reserved words of L-3: what the lexer never gives as a name.
pub const RESERVED: [&str; 24] = [
    "as", "assert", "await", "break", "continue", "else", "enum", "false", "for", "function", "if",
    "import", "in", "is", "let", "loop", "match", "require", "return", "struct", "true", "try",
    "var", "while",
];

/// At the start of an item, followed by a name.
pub const ITEM: &[&str] =
    &["agent", "orchestration", "tool", "lane", "type", "theorem", "lemma", "policy"];

/// At the start of a member, followed by `{`.
pub const SECTION: &[&str] = &["skills", "tools", "memory", "cost_policy", "policy", "state"];

/// At the start of a member, followed by a name.
pub const BEHAVIOR: &[&str] = &["behavior", "decision", "critical_section", "alert"];

/// After a signature.
pub const CONTRACT: &[&str] = &["uses", "requires", "ensures", "decreases", "by"];

/// Before a type; `ref` also before an argument.
pub const CAPABILITY: &[&str] = &["iso", "val", "ref", "tag"];

/// In contracts, before a binder.
pub const QUANTIFIER: &[&str] = &["forall", "exists"];

/// What other languages write, with what is written here. The parser only uses it to hint.
pub const FOREIGN: &[(&str, &str)] = &[
    ("def", "functions are declared with `function`"),
    ("fn", "functions are declared with `function`"),
    ("func", "functions are declared with `function`"),
    ("fun", "functions are declared with `function`"),
    ("const", "constants are declared with `let`"),
    ("mut", "variables that change are declared with `var`"),
    ("class", "data is declared with `struct`, acting things with `agent`"),
    ("interface", "sets of operations are declared with `tool`"),
    ("trait", "sets of operations are declared with `tool`"),
    ("elif", "write `else if`"),
    ("elsif", "write `else if`"),
    ("switch", "write `match value { pattern => result }`"),
    ("case", "write `match value { pattern => result }`"),
    ("until", "write `while !condition`"),
    ("do", "write `loop` or `while`"),
    ("throw", "there are no exceptions: return an `Err`, or use `require`"),
    ("raise", "there are no exceptions: return an `Err`, or use `require`"),
    ("catch", "write `match try e { Ok(v) => .., Err(fault) => .. }`"),
    ("except", "write `match try e { Ok(v) => .., Err(fault) => .. }`"),
    ("finally", "scopes such as `@with_lease` close by themselves"),
    ("and", "write `&&`"),
    ("or", "write `||`"),
    ("not", "write `!`"),
    ("then", "a block in braces follows the condition"),
    ("async", "every function may wait; there is no `async`"),
    ("new", "values are made by their type's name: `Point(1, 2)`"),
    ("export", "everything at the top level is visible"),
    ("from", "write `import { name } from \"file.ag\"`"),
    ("where", "bounds stand directly after the name: `<T : Eq>`"),
    ("elseif", "write `else if`"),
];

/// The hint for a word of another language.
pub fn foreign(word: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|(foreign, _)| *foreign == word).map(|(_, hint)| *hint)
}

/// Our word for a declaring word of another language, where one can simply replace the other.
pub fn declaring(word: &str) -> Option<&'static str> {
    match word {
        "def" | "fn" | "func" | "fun" => Some("function"),
        "const" => Some("let"),
        "mut" => Some("var"),
        _ => None,
    }
}
