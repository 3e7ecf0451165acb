//! Chat completions, as OpenAI, OpenRouter and many servers speak them.

use crate::lane::declared::{LaneSpec, Protocol};
use crate::lane::remote::gathered::{Asked, Gathered};
use crate::lane::remote::{count, text_of, usage};
use crate::lane::request::{Request, ToolSpec};
use crate::value::json::put;
use serde_json::{Value, json};

pub fn body(spec: &LaneSpec, request: &Request) -> Value {
    let messages = request.messages.iter().enumerate().map(|(at, message)| {
        let mut json =
            json!({"role": message.role.name(), "content": text_of(request, at, message)});
        if !message.calls.is_empty() {
            let calls = message.calls.iter().map(|call| {
                let function = json!({"name": &*call.name, "arguments": call.arguments});
                json!({"id": &*call.id, "type": "function", "function": function})
            });
            put(&mut json, "tool_calls", calls.collect());
        }
        if let Some(id) = &message.answers {
            put(&mut json, "tool_call_id", json!(&**id));
        }
        json
    });
    let mut body = json!({
        "model": &*spec.model,
        "messages": messages.collect::<Value>(),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    });
    if !request.tools.is_empty() {
        let tool = |tool: &ToolSpec| json!({"type": "function", "function": tool.to_json()});
        put(&mut body, "tools", request.tools.iter().map(tool).collect());
    }
    if request.stream.is_some() {
        put(&mut body, "stream", json!(true));
        if spec.protocol == Protocol::OpenAi {
            put(&mut body, "stream_options", json!({"include_usage": true}));
        }
    }
    body
}

pub fn whole(answer: &Value, into: &mut Gathered) {
    facts(answer, into);
    let Some(message) = answer.pointer("/choices/0/message") else { return };
    into.text = content(message.get("content"));
    pieces_of_calls(message.get("tool_calls"), into);
    into.is_over = true;
}

pub fn event(data: &str, into: &mut Gathered) {
    if data.trim() == "[DONE]" {
        into.is_over = true;
        return;
    }
    let Ok(chunk) = serde_json::from_str::<Value>(data) else {
        into.error = Some("a piece of its answer is no JSON".to_owned());
        return;
    };
    facts(&chunk, into);
    let Some(choice) = chunk.pointer("/choices/0") else { return };
    if let Some(delta) = choice.get("delta") {
        into.text.push_str(&content(delta.get("content")));
        pieces_of_calls(delta.get("tool_calls"), into);
    }
    into.is_over |= choice.get("finish_reason").is_some_and(|reason| !reason.is_null());
}

/// What stands beside the answer; the last word counts.
fn facts(answer: &Value, into: &mut Gathered) {
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        let said = error.get("message").and_then(Value::as_str).or(error.as_str());
        into.error = Some(said.unwrap_or("it reports an error").to_owned());
    }
    if let Some(model) = answer.get("model").and_then(Value::as_str) {
        into.model = Some(model.into());
    }
    if let Some(id) = answer.get("id").and_then(Value::as_str) {
        into.id = Some(id.to_owned());
    }
    let Some(used) = answer.get("usage").filter(|used| used.is_object()) else { return };
    let part = |of: &str, key: &str| used.get(of).map_or(0, |details| count(details, key));
    // Cached and reasoning tokens are counted in the totals.
    let read = part("prompt_tokens_details", "cached_tokens");
    let thought = part("completion_tokens_details", "reasoning_tokens");
    let input = count(used, "prompt_tokens").saturating_sub(read);
    let output = count(used, "completion_tokens").saturating_sub(thought);
    into.usage = Some(usage(input, read, output, thought));
    into.cost = used.get("cost").and_then(Value::as_f64).or(into.cost);
}

fn content(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text")?.as_str()).collect()
        }
        _ => String::new(),
    }
}

fn pieces_of_calls(calls: Option<&Value>, into: &mut Gathered) {
    let calls = calls.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (at, piece) in calls.iter().enumerate() {
        let index = piece.get("index").and_then(Value::as_u64).unwrap_or(at as u64);
        let Some(call) = into.call(index) else { continue };
        let Asked { id, name, arguments, .. } = call;
        let add = |to: &mut String, at: &str| {
            to.push_str(piece.pointer(at).and_then(Value::as_str).unwrap_or_default());
        };
        add(id, "/id");
        add(name, "/function/name");
        add(arguments, "/function/arguments");
    }
}
