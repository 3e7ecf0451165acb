//! Tools of a model's call (L-124): what the model is told of them, and their calls.
//!
//! What a model writes is data: arguments are checked against the parameters' types before anything runs, and whatever goes
//! wrong is told to the model, which may go on. Never: a tool that was not offered.

use crate::builtin::declare::{Outcome, Word};
use crate::builtin::invariant;
use crate::context::Cx;
use crate::fault::Faulted;
use crate::lane::parse::candidates;
use crate::lane::request::{Message, ToolCall, ToolSpec};
use crate::lane::schema::json_schema;
use crate::value::json::{from_json, to_json};
use crate::value::owned::Owned;
use crate::value::shape::{FieldShape, RecordShape, Shape, ShapeId, intern, shape};
use serde_json::{Value, json};
use std::sync::Arc;

/// The tools of one call.
pub struct Toolbox {
    tools: Vec<Tool>,
}

struct Tool {
    spec: ToolSpec,
    function: Owned,
    /// The tool value whose method it is: its first argument.
    receiver: Option<Owned>,
    /// A record of its parameters.
    arguments: ShapeId,
    result: ShapeId,
    destructive: bool,
    /// It began to change something and faulted: doing it again might change it twice.
    withdrawn: bool,
}

impl Toolbox {
    /// What the checker made of `tools: [..]`: a tuple of a description, a function and, for methods, the tool value.
    pub fn of(cx: &Cx, tools: Word, of: ShapeId) -> Self {
        if !matches!(shape(of), Shape::Tuple(_)) {
            return Self { tools: Vec::new() };
        }
        let mut items = cx.tuple_items(&Owned::retained(tools.0, of)).into_iter();
        let mut tools = Vec::new();
        while let (Some(about), Some(function)) = (items.next(), items.next()) {
            let about: Value = serde_json::from_str(&about.show()).unwrap_or_default();
            let is_method = about.get("receiver").and_then(Value::as_bool) == Some(true);
            let receiver = if is_method { items.next() } else { None };
            tools.push(Tool::of(&about, function, receiver));
        }
        Self { tools }
    }

    #[must_use]
    pub fn specs(&self) -> Arc<[ToolSpec]> {
        self.tools.iter().map(|tool| tool.spec.clone()).collect()
    }

    /// Runs what the model asked for, in its order. An error only if this coroutine is to stop.
    pub fn run(&mut self, cx: &mut Cx, calls: &[ToolCall]) -> Outcome<Vec<Message>> {
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            let text = match self.tools.iter_mut().find(|tool| tool.spec.name == call.name) {
                Some(tool) => tool.run(cx, call)?,
                None => refusal(&format!("there is no tool `{}`", call.name)),
            };
            answers.push(Message::answer(call, text));
        }
        Ok(answers)
    }
}

impl Tool {
    fn of(about: &Value, function: Owned, receiver: Option<Owned>) -> Self {
        let text = |key: &str| about.get(key).and_then(Value::as_str).unwrap_or_default();
        let (params, result) = match shape(function.shape()) {
            Shape::Function(signature) => (&*signature.params, signature.result),
            _ => (&[] as &[ShapeId], ShapeId::UNIT),
        };
        let params = params.get(usize::from(receiver.is_some())..).unwrap_or_default();
        let named = about.get("params").and_then(Value::as_array).map(Vec::as_slice);
        let fields = named.unwrap_or_default().iter().zip(params).map(|(param, &of)| {
            let text = |key: &str| param.get(key).and_then(Value::as_str).unwrap_or_default();
            FieldShape { doc: text("doc").into(), ..FieldShape::new(text("name"), of) }
        });
        let record = RecordShape { name: None, fields: fields.collect(), is_tool: false };
        let arguments = intern(Shape::Record(record));
        let spec = ToolSpec {
            name: text("name").into(),
            description: text("doc").into(),
            // The checker refused parameters without a JSON form.
            parameters: json_schema(arguments).unwrap_or_else(|_| json!({"type": "object"})),
        };
        let destructive = about.get("destructive").and_then(Value::as_bool) == Some(true);
        Self { spec, function, receiver, arguments, result, destructive, withdrawn: false }
    }

    /// What the model is told.
    fn run(&mut self, cx: &mut Cx, call: &ToolCall) -> Outcome<String> {
        if self.withdrawn {
            let why = "it changes things and failed after it had begun; it is not offered any more";
            return Ok(refusal(&format!("`{}` cannot be used again: {why}", self.spec.name)));
        }
        let arguments = match self.arguments_of(cx, &call.arguments) {
            Ok(arguments) => arguments,
            Err(problems) => {
                return Ok(
                    json!({"error": "the arguments do not fit", "problems": problems}).to_string()
                );
            }
        };
        let mut words: Vec<u64> =
            self.receiver.iter().map(|tool| tool.clone().into_word()).collect();
        words.extend(cx.tuple_items(&arguments).into_iter().map(Owned::into_word));
        drop(arguments);
        let depth = cx.scope_depth();
        match cx.call(self.function.value(), &words) {
            Ok(word) => {
                let given = Owned::new(word, self.result);
                Ok(told(&given))
            }
            Err(Faulted) if cx.is_cancelled() => Err(Faulted),
            Err(Faulted) => {
                let fault = cx.take_fault();
                cx.close_scopes(depth);
                self.withdrawn = self.destructive;
                Ok(refusal(&format!("{}: {}", fault.code, fault.message)))
            }
        }
    }

    /// The arguments as a record, or what is wrong with them.
    fn arguments_of(&self, cx: &mut Cx, written: &str) -> Result<Owned, Vec<String>> {
        let written = if written.trim().is_empty() { "{}" } else { written };
        let mut first = None;
        for value in candidates(written) {
            match self.read(cx, &value) {
                Ok(arguments) => return Ok(arguments),
                Err(problems) => {
                    first.get_or_insert(problems);
                }
            }
        }
        Err(first.unwrap_or_default())
    }

    /// Types and the invariants of structs, as in a reply.
    fn read(&self, cx: &mut Cx, value: &Value) -> Result<Owned, Vec<String>> {
        let problem = |path: &str, message: &str| format!("{path}: {message}");
        let arguments = match from_json(value, self.arguments) {
            Ok(word) => Owned::new(word, self.arguments),
            Err(errors) => {
                return Err(errors.iter().map(|e| problem(&e.path, &e.message)).collect());
            }
        };
        match invariant::broken(cx, arguments.value(), self.arguments) {
            Some(broken) => Err(vec![problem(&broken.path, &broken.fault.message)]),
            None => Ok(arguments),
        }
    }
}

fn refusal(what: &str) -> String {
    json!({ "error": what }).to_string()
}

/// A Text as it is, everything else as JSON.
fn told(given: &Owned) -> String {
    match to_json(given.value(), given.shape()) {
        Ok(Value::String(text)) => text,
        Ok(value) => value.to_string(),
        Err(_) => given.show(),
    }
}
