//! The table of builtins: functions, members, operators and the forms of LANGUAGE.md section 11.
//!
//! One entry each; the type checker, the interpreter, completion, hover, `docs/builtins.md` and the example
//! tests are derived from it. Never: a builtin named by string anywhere else.

pub mod agent;
pub mod channel;
pub mod concurrent;
pub mod convert;
pub mod coordinate;
pub mod cost;
pub mod declare;
pub mod display;
pub mod document;
pub mod fetch;
pub mod file;
pub mod generated;
pub mod human;
pub mod input;
pub mod invariant;
pub mod lane;
pub mod large;
pub mod list;
pub mod map;
pub mod media;
pub mod memory;
pub mod must;
pub mod num;
pub mod output;
pub mod pattern;
pub mod process;
pub mod record;
pub mod sequence;
pub mod set;
pub mod sort;
pub mod support;
pub mod text;
pub mod vector;

use crate::code::Status;
use crate::context::Cx;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// The body of a builtin: `args` are its parameters and then the shapes of its type variables.
/// The result is left in `(*cx).result`, owned.
pub type Call = extern "C" fn(cx: *mut Cx, args: *const u64) -> Status;

/// One row of the table.
pub struct Builtin {
    pub name: &'static str,
    /// The type whose member it is: `List`, `Text`, ...
    pub receiver: Option<&'static str>,
    pub kind: Kind,
    /// In `.ag` syntax with defaults: `<T: Ord>(self: List<T>) -> List<T>`. A single capital is a type variable;
    /// `<..>` states bounds and is left out when there are none.
    pub signature: &'static str,
    /// Effects it has by itself (L-90); callbacks add theirs.
    pub effects: &'static [&'static str],
    pub doc: &'static str,
    pub example: &'static str,
    /// What the example shows.
    pub gives: &'static str,
    /// Bit `i`: parameter `i` is consumed. All others are borrowed.
    pub own: u32,
    /// How many words `args` has.
    pub words: u32,
    pub form: Form,
    /// What the checker can say about a constant argument before anything runs.
    pub constant: Option<Constant>,
    /// False: parses and is documented, but the checker refuses it with one diagnostic.
    pub supported: bool,
    pub call: Call,
    /// For block forms: what runs on every way out of the block. Its one argument is what `call` gave.
    pub exit: Option<Call>,
}

/// A parameter whose value, if it is a constant Text, can be found wrong without running.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    pub parameter: usize,
    /// What is wrong with it, as a sentence without its end.
    pub wrong: fn(&str) -> Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    Function,
    Member,
    /// What an operator on counted or mixed operands means; named as written: `+`, `[]`, `in`, ...
    Operator,
    /// A row of section 11, written with `@`.
    Intrinsic(Row),
}

/// The kinds of section 11.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Row {
    Attribute,
    Hint,
    Label,
    Call,
    Block,
}

/// How the checker types a use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Form {
    /// By its signature.
    Plain,
    /// By a rule of its own.
    Special(SpecialForm),
    /// `@name(args) { block }`: arguments by the signature, the value is the block's.
    Scope,
}

/// The forms that a signature cannot type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SpecialForm {
    Spawn,
    Signal,
    Stop,
    Await,
    Quorum,
    Shard,
    Broadcast,
    Task,
    Skill,
    LlmCall,
    Ask,
    Judge,
    Eval,
    Sweep,
    Attribute,
    Hint,
    Checkpoint,
    Rollback,
}

/// Index into [`table`]. Good within one build only: never written to disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct BuiltinId(pub u16);

impl BuiltinId {
    #[must_use]
    pub fn get(self) -> Option<&'static Builtin> {
        table().get(usize::from(self.0)).copied()
    }
}

impl Builtin {
    #[must_use]
    pub fn owns(&self, parameter: usize) -> bool {
        parameter < 32 && self.own >> parameter & 1 == 1
    }
}

struct Index {
    rows: Vec<&'static Builtin>,
    plain: FxHashMap<&'static str, BuiltinId>,
    operators: FxHashMap<&'static str, Vec<BuiltinId>>,
    members: FxHashMap<&'static str, FxHashMap<&'static str, Vec<BuiltinId>>>,
    intrinsics: FxHashMap<&'static str, BuiltinId>,
}

/// The prelude's types, as `.ag` source.
pub const PRELUDE: &str = include_str!("builtin/prelude.ag");

/// The parts, in the order of the documentation.
const PARTS: &[&[Builtin]] = &[
    output::TABLE,
    display::TABLE,
    media::TABLE,
    input::TABLE,
    human::TABLE,
    file::TABLE,
    fetch::TABLE,
    process::TABLE,
    num::TABLE,
    text::TABLE,
    pattern::TABLE,
    list::TABLE,
    set::TABLE,
    map::TABLE,
    vector::TABLE,
    convert::TABLE,
    agent::TABLE,
    generated::TABLE,
    coordinate::TABLE,
    concurrent::TABLE,
    channel::TABLE,
    lane::TABLE,
    memory::TABLE,
    cost::TABLE,
    record::TABLE,
];

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index {
        rows: PARTS.iter().copied().flatten().collect(),
        plain: FxHashMap::default(),
        operators: FxHashMap::default(),
        members: FxHashMap::default(),
        intrinsics: FxHashMap::default(),
    };
    for (id, row) in index.rows.iter().enumerate() {
        let id = BuiltinId(id as u16);
        match (row.kind, row.receiver) {
            (Kind::Member, Some(receiver)) => {
                let members = index.members.entry(receiver).or_default();
                members.entry(row.name).or_default().push(id);
            }
            (Kind::Intrinsic(_), _) => {
                index.intrinsics.insert(row.name, id);
            }
            (Kind::Operator, _) => index.operators.entry(row.name).or_default().push(id),
            (Kind::Function | Kind::Member, _) => {
                index.plain.insert(row.name, id);
            }
        }
    }
    index
});

/// All rows; a [`BuiltinId`] is a position in it.
#[must_use]
pub fn table() -> &'static [&'static Builtin] {
    let index: &'static Index = &INDEX;
    &index.rows
}

/// A prelude function by name.
#[must_use]
pub fn function(name: &str) -> Option<BuiltinId> {
    INDEX.plain.get(name).copied()
}

/// A member of a builtin type by name: `member("List", "map")`.
#[must_use]
pub fn member(receiver: &str, name: &str) -> Option<BuiltinId> {
    overloads(receiver, name).first().copied()
}

/// All members of that name: `Map.get` has one with a default and one without.
#[must_use]
pub fn overloads(receiver: &str, name: &str) -> &'static [BuiltinId] {
    let index: &'static Index = &INDEX;
    let members = index.members.get(receiver);
    members.and_then(|members| members.get(name)).map_or(&[], Vec::as_slice)
}

/// What an operator may mean; the checker picks by the operands' types.
#[must_use]
pub fn operators(name: &str) -> &'static [BuiltinId] {
    let index: &'static Index = &INDEX;
    index.operators.get(name).map_or(&[], Vec::as_slice)
}

/// A row of section 11, without the `@`.
#[must_use]
pub fn intrinsic(name: &str) -> Option<BuiltinId> {
    INDEX.intrinsics.get(name).copied()
}

/// The members of a builtin type, for completion and for "no such member" hints.
pub fn members(receiver: &str) -> impl Iterator<Item = &'static Builtin> + '_ {
    table().iter().copied().filter(move |row| row.receiver == Some(receiver))
}
