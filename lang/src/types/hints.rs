//! What people who know another language, or this one half, are told beside a mistake of the checker.
//!
//! Tables of words only: where one of them fits is decided where the mistake is found. Never: a mistake of its own.

use ag_runtime::builtin::{self, Kind};

use crate::types::ty::Ty;

/// More arguments than the function of that name takes.
pub fn too_many_arguments(function: &str) -> Option<&'static str> {
    Some(match function {
        "print" | "eprint" | "display" => {
            "one text takes in several values: `print(\"$a and ${b + 1}\")`"
        }
        "round" => {
            "`fixed(x, 2)` gives the Text of a number with two decimals; `round(x)` the nearest Int"
        }
        "min" => "of more than two: `[a, b, c].min`, an Option",
        "max" => "of more than two: `[a, b, c].max`, an Option",
        "sum" => "it takes a list: `sum([a, b])`, or `[a, b].sum`",
        _ => return None,
    })
}

/// Fewer than it needs.
pub fn too_few_arguments(function: &str) -> Option<&'static str> {
    Some(match function {
        "range" => "from 0 on: `range(0, n)`, or `0..n`",
        "print" | "eprint" => "an empty line is `print(\"\")`",
        _ => return None,
    })
}

/// A name that is called and does not exist, because it is a method of something: how it is called.
pub fn is_method(name: &str) -> Option<String> {
    let rows = builtin::table().iter().filter(|row| row.kind == Kind::Member && row.name == name);
    let row = rows.min_by_key(|row| row.receiver != Some("List"))?;
    Some(format!("`{name}` is a method of {}: `{}`", row.receiver?, row.example))
}

/// A type that is called as if it converted.
pub fn converts(ty: &str) -> Option<&'static str> {
    Some(match ty {
        "Int" => {
            "`text.to_int` gives an `Int?`; `round(x)`, `floor(x)` and `ceil(x)` the Int of a Float"
        }
        "Float" => "`text.to_float` gives a `Float?`, `n.to_float` the Float of an Int",
        "Text" => "`show(x)` and \"${x}\" give the Text of any value",
        "Bool" => "compare: `n != 0`, `text == \"yes\"`, `!xs.is_empty`",
        "List" => {
            "a list is written `[1, 2]`; an empty one says its type: `let xs : List<Int> := []`"
        }
        "Map" => {
            "a map is written `{ \"a\": 1 }`; an empty one says its type: `let m : Map<Text, Int> := {}`"
        }
        "Set" => "a set says its type: `let s : Set<Int> := [1, 2]`",
        "Money" => "money is written `$1.50`; `$1 * 1.5` multiplies it",
        "Duration" => "a duration is written `5s` or `100ms`; `1s * n` multiplies it",
        _ => return None,
    })
}

/// Why an operator does not take these operands.
pub fn operands(op: &str, left: &Ty, right: &Ty) -> Option<&'static str> {
    Some(match (op, left, right) {
        ("*", Ty::Text, Ty::Int) | ("*", Ty::Int, Ty::Text) => "`text.repeat(3)` repeats a text",
        ("*", Ty::List(_), Ty::Int) | ("*", Ty::Int, Ty::List(_)) => {
            "`range(0, 3).map(i => 0)` makes a list of equal elements"
        }
        ("+" | "-", Ty::Money, Ty::Int | Ty::Float)
        | ("+" | "-", Ty::Int | Ty::Float, Ty::Money) => {
            "an amount of money is written with `$`: `$5 + $1`"
        }
        ("+" | "-", Ty::Duration | Ty::Time, Ty::Int | Ty::Float) => {
            "a duration is written with its unit: `5s + 1s`"
        }
        ("+", Ty::List(_), _) => {
            "`xs.push(x)` gives the list with one more element; `xs + [x]` too"
        }
        _ => return None,
    })
}

/// A member of other languages that is several words here.
pub fn foreign_member(name: &str) -> Option<&'static str> {
    Some(match name {
        "to_string" | "toString" | "format" | "str" => {
            "`show(x)` and \"${x}\" give the Text of any value"
        }
        "max_by" | "maxBy" => "`xs.sort_by(key, descending: true).first` gives it, an Option",
        "min_by" | "minBy" => "`xs.sort_by(key).first` gives it, an Option",
        "search" | "findall" => {
            "`t.matches(pattern)` tests, `t.find_all(pattern)` gives what was found"
        }
        "join" => "the list comes first: `xs.join(\"-\")`",
        "extend" | "concat" => "`xs + ys` is one list after the other",
        _ => return None,
    })
}

/// A name in a cell that was meant for the session or for a shell.
pub fn no_value(name: &str) -> Option<&'static str> {
    Some(match name {
        "help" => {
            "`:help` lists the commands, `?print` explains a name, `:tour` shows the language"
        }
        "exit" | "quit" => {
            "`:quit` leaves the terminal; a program ends behind its last statement, and a Fault ends it with exit code 1"
        }
        "dir" | "vars" | "globals" | "locals" => "`:defs` lists what the session has",
        "clear" | "cls" => "`clear_output()` takes away what the cell has shown",
        "input" | "raw_input" => "`input(\"question \")` asks",
        _ => return None,
    })
}
