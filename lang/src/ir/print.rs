//! The text form of Core IR: for `:ir`, for tests, for people.
//!
//! Never: read back.

use crate::hir::Coordinate;
use crate::ir::core::{
    Aux, Block, BlockId, BlockKind, End, Function, Op, StmtKind, Tied, Var, Word,
};
use ag_runtime::value::shape::{Shape, ShapeId, shape};
use std::fmt::{self, Write};

/// The whole function.
pub fn text(function: &Function) -> String {
    let mut out = String::new();
    let printer = Printer { function };
    match printer.function(&mut out) {
        Ok(()) => out,
        Err(fmt::Error) => out,
    }
}

struct Printer<'a> {
    function: &'a Function,
}

impl Printer<'_> {
    fn function(&self, out: &mut String) -> fmt::Result {
        let name = &self.function.name;
        writeln!(
            out,
            "function {name}({}) -> {}",
            self.typed(&self.function.params),
            shape_name(self.function.result)
        )?;
        for (id, block) in self.function.blocks_with_ids() {
            self.block(out, id, block)?;
        }
        Ok(())
    }

    fn block(&self, out: &mut String, id: BlockId, block: &Block) -> fmt::Result {
        match block.kind {
            BlockKind::Entry => {}
            BlockKind::Arm => writeln!(out, "arm {}:", id.0)?,
            BlockKind::Join => writeln!(out, "join {}({}):", id.0, self.typed(&block.params))?,
            BlockKind::Loop => writeln!(out, "loop {}({}):", id.0, self.typed(&block.params))?,
            BlockKind::Handler => writeln!(out, "handler {}:", id.0)?,
        }
        for stmt in &block.stmts {
            match &stmt.kind {
                StmtKind::Dup(var) => writeln!(out, "  dup {}", self.name(*var))?,
                StmtKind::Drop(var) => writeln!(out, "  drop {}", self.name(*var))?,
                StmtKind::Let(var, op) => {
                    write!(out, "  ")?;
                    if self.shape(*var) != ShapeId::UNIT {
                        write!(out, "{}: {} = ", self.name(*var), shape_name(self.shape(*var)))?;
                    }
                    self.op(out, op)?;
                    if let Some(handler) = stmt.handler() {
                        write!(out, " or {}", handler.0)?;
                    }
                    writeln!(out)?;
                }
            }
        }
        self.end(out, &block.end)
    }

    fn end(&self, out: &mut String, end: &End) -> fmt::Result {
        match end {
            End::Return(value) => writeln!(out, "  return {}", self.name(*value)),
            End::Jump(to, args) => writeln!(out, "  jump {}({})", to.0, self.list(args)),
            End::If { cond, then, otherwise } => {
                writeln!(out, "  if {} then {} else {}", self.name(*cond), then.0, otherwise.0)
            }
            End::Switch { tag, arms, otherwise } => {
                write!(out, "  switch {}", self.name(*tag))?;
                for (tag, to) in arms {
                    write!(out, " {tag} => {},", to.0)?;
                }
                writeln!(out, " else {}", otherwise.0)
            }
            End::Unreachable => writeln!(out, "  unreachable"),
        }
    }

    fn op(&self, out: &mut String, op: &Op) -> fmt::Result {
        match op {
            Op::Const(word) => write!(out, "{}", *word as i64),
            Op::Text(text) => write!(out, "{text:?}"),
            Op::Arith { word, op, lhs, rhs } => {
                let op = format!("{op:?}").to_lowercase();
                write!(out, "{}.{op} {} {}", word_name(*word), self.name(*lhs), self.name(*rhs))
            }
            Op::Compare { float, op, lhs, rhs } => {
                let word = if *float { "float" } else { "int" };
                let op = format!("{op:?}").to_lowercase();
                write!(out, "{word}.{op} {} {}", self.name(*lhs), self.name(*rhs))
            }
            Op::Neg(word, v) => write!(out, "{}.neg {}", word_name(*word), self.name(*v)),
            Op::Field(v, at) => write!(out, "field {}.{at}", self.name(*v)),
            Op::Payload(v, at) => write!(out, "payload {}.{at}", self.name(*v)),
            Op::TakeField(v, at) => write!(out, "take {}.{at}", self.name(*v)),
            Op::PutField(v, at, new) => {
                write!(out, "put {}.{at} {}", self.name(*v), self.name(*new))
            }
            Op::Variant(tag, all) => write!(out, "variant {tag}({})", self.list(all)),
            Op::Closure(key, all, Tied::Free) => write!(out, "closure {key}({})", self.list(all)),
            Op::Closure(key, all, Tied::Stays) => write!(out, "tied {key}({})", self.list(all)),
            Op::Call(key, all) => write!(out, "call {key}({})", self.list(all)),
            Op::CallValue(v, all) => write!(out, "call {}({})", self.name(*v), self.list(all)),
            Op::Builtin { id, args, .. } => {
                let name = id.get().map_or("?", |row| row.name);
                write!(out, "builtin {name}({})", self.list(args))
            }
            Op::Exit(id, token) => {
                let name = id.get().map_or("?", |row| row.name);
                write!(out, "exit {name}({})", self.name(*token))
            }
            Op::Aux(aux, args) => write!(out, "{}({})", aux_name(aux), self.list(args)),
            Op::Safepoint => write!(out, "safepoint"),
            other => {
                let mut all = Vec::new();
                other.operands(|var, _| all.push(var));
                write!(out, "{} {}", plain_name(other), self.list(&all))
            }
        }
    }

    fn shape(&self, var: Var) -> ShapeId {
        self.function.vars.get(var.0 as usize).map_or(ShapeId::UNIT, |info| info.shape)
    }

    fn name(&self, var: Var) -> String {
        match self.function.vars.get(var.0 as usize).and_then(|info| info.name.clone()) {
            Some(name) => format!("{name}.{}", var.0),
            None => format!("v{}", var.0),
        }
    }

    fn list(&self, vars: &[Var]) -> String {
        let names: Vec<String> = vars.iter().map(|var| self.name(*var)).collect();
        names.join(", ")
    }

    fn typed(&self, vars: &[Var]) -> String {
        let typed =
            vars.iter().map(|var| format!("{}: {}", self.name(*var), shape_name(self.shape(*var))));
        typed.collect::<Vec<_>>().join(", ")
    }
}

fn plain_name(op: &Op) -> &'static str {
    match op {
        Op::Not(_) => "not",
        Op::Tag(_) => "tag",
        Op::Record(_) => "record",
        Op::Fresh(_) => "fresh",
        Op::CellNew(_) => "cell",
        Op::CellGet(_) => "cell.get",
        Op::CellSet(..) => "cell.set",
        Op::CellTake(_) => "cell.take",
        Op::ListLen(_) => "list.len",
        Op::ListGet(..) => "list.get",
        _ => "?",
    }
}

fn word_name(word: Word) -> &'static str {
    match word {
        Word::Int => "int",
        Word::Money => "money",
        Word::Duration => "duration",
        Word::Float => "float",
        Word::Index => "index",
    }
}

fn aux_name(aux: &Aux) -> String {
    match aux {
        Aux::GlobalGet(name) => format!("global.get {name}"),
        Aux::GlobalSet(name) => format!("global.set {name}"),
        Aux::GlobalTake(name) => format!("global.take {name}"),
        Aux::AgentTake(at) => format!("agent.take {at}"),
        Aux::AgentGet(at) => format!("agent.get {at}"),
        Aux::AgentSet(at) => format!("agent.set {at}"),
        Aux::Coordinate(Coordinate::Shard(name)) => format!("shard {name}"),
        Aux::Coordinate(Coordinate::Quorum { agent, behavior }) => {
            format!("quorum {agent}.{behavior}")
        }
        Aux::Coordinate(Coordinate::Broadcast { agent, behavior }) => {
            format!("broadcast {agent}.{behavior}")
        }
        Aux::Spawn(name) => format!("spawn {name}"),
        Aux::Request { agent, behavior } => format!("request {agent}.{behavior}"),
        Aux::Signal { agent, behavior } => format!("signal {agent}.{behavior}"),
        other => {
            let debug = format!("{other:?}");
            let end = debug.find([' ', '(', '{']).unwrap_or(debug.len());
            debug.get(..end).unwrap_or("").to_lowercase()
        }
    }
}

/// A shape as one word or two.
pub fn shape_name(id: ShapeId) -> String {
    match shape(id) {
        Shape::List(element) => format!("List<{}>", shape_name(*element)),
        Shape::Set(element) => format!("Set<{}>", shape_name(*element)),
        Shape::Map(key, value) => format!("Map<{}, {}>", shape_name(*key), shape_name(*value)),
        Shape::Tuple(items) => {
            let items: Vec<String> = items.iter().map(|item| shape_name(*item)).collect();
            format!("({})", items.join(", "))
        }
        Shape::Record(record) => record.name.as_deref().unwrap_or("record").to_owned(),
        Shape::Enum(shape) => shape.name.to_string(),
        Shape::Function(_) => "Function".to_owned(),
        Shape::AgentRef(name) => format!("AgentRef<{name}>"),
        Shape::Future(of) => format!("Future<{}>", shape_name(*of)),
        Shape::Channel(of) => format!("Channel<{}>", shape_name(*of)),
        Shape::Opaque(name) => (*name).to_owned(),
        plain => format!("{plain:?}"),
    }
}
