//! Anthropic's Messages.

use crate::lane::declared::LaneSpec;
use crate::lane::remote::gathered::Gathered;
use crate::lane::remote::{count, text_of};
use crate::lane::request::{Request, Role, ToolSpec, Usage};
use crate::value::json::put;
use serde_json::{Value, json};

pub fn body(spec: &LaneSpec, request: &Request) -> Value {
    let mut system = Vec::new();
    let mut messages: Vec<Value> = Vec::new();
    for (at, message) in request.messages.iter().enumerate() {
        let text = text_of(request, at, message);
        let (role, blocks) = match message.role {
            Role::System => {
                system.push(text);
                continue;
            }
            Role::User => ("user", vec![json!({"type": "text", "text": text})]),
            Role::Assistant => {
                let said = (!text.is_empty()).then(|| json!({"type": "text", "text": text}));
                let asked = message.calls.iter().map(|call| {
                    let input: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
                    let input = if input.is_object() { input } else { json!({}) };
                    json!({"type": "tool_use", "id": &*call.id, "name": &*call.name, "input": input})
                });
                ("assistant", said.into_iter().chain(asked).collect())
            }
            Role::Tool => {
                let id = message.answers.as_deref().unwrap_or_default();
                let result = json!({"type": "tool_result", "tool_use_id": id, "content": text});
                ("user", vec![result])
            }
        };
        push(&mut messages, role, blocks);
    }
    let mut body = json!({
        "model": &*spec.model,
        "messages": messages,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    });
    if !system.is_empty() {
        put(&mut body, "system", json!(system.join("\n\n")));
    }
    if !request.tools.is_empty() {
        let tool = |tool: &ToolSpec| json!({"name": &*tool.name, "description": &*tool.description, "input_schema": tool.parameters});
        put(&mut body, "tools", request.tools.iter().map(tool).collect());
    }
    if request.stream.is_some() {
        put(&mut body, "stream", json!(true));
    }
    body
}

/// Turns must alternate: what one side says in a row is one turn.
fn push(messages: &mut Vec<Value>, role: &str, blocks: Vec<Value>) {
    if let Some(last) = messages.last_mut()
        && last.get("role").and_then(Value::as_str) == Some(role)
        && let Some(content) = last.get_mut("content").and_then(Value::as_array_mut)
    {
        content.extend(blocks);
        return;
    }
    messages.push(json!({"role": role, "content": blocks}));
}

pub fn whole(answer: &Value, into: &mut Gathered) {
    if let Some(error) = answer.get("error") {
        into.error = Some(said(error));
        return;
    }
    facts(answer, into);
    let Some(blocks) = answer.get("content").and_then(Value::as_array) else { return };
    for (index, block) in (0..).zip(blocks) {
        begin(index, block, into);
        if let Some(input) = block.get("input")
            && let Some(call) = into.call(index)
        {
            call.arguments = input.to_string();
        }
    }
    into.is_over = true;
}

pub fn event(data: &str, into: &mut Gathered) {
    let Ok(event) = serde_json::from_str::<Value>(data) else {
        into.error = Some("a piece of its answer is no JSON".to_owned());
        return;
    };
    let index = count(&event, "index");
    match event.get("type").and_then(Value::as_str).unwrap_or_default() {
        "message_start" => event.get("message").into_iter().for_each(|start| facts(start, into)),
        "content_block_start" => {
            event.get("content_block").into_iter().for_each(|block| begin(index, block, into));
        }
        "content_block_delta" => {
            let piece = |key: &str| event.pointer(key).and_then(Value::as_str);
            into.text.push_str(piece("/delta/text").unwrap_or_default());
            if let Some(json) = piece("/delta/partial_json")
                && let Some(call) = into.call(index)
            {
                call.arguments.push_str(json);
            }
        }
        "message_delta" => facts(&event, into),
        "message_stop" => into.is_over = true,
        "error" => into.error = Some(event.get("error").map_or_else(String::new, said)),
        _ => {}
    }
}

fn said(error: &Value) -> String {
    error.get("message").and_then(Value::as_str).unwrap_or("it reports an error").to_owned()
}

fn begin(index: u64, block: &Value, into: &mut Gathered) {
    let text = |key: &str| block.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    match block.get("type").and_then(Value::as_str) {
        Some("text") => into.text.push_str(&text("text")),
        Some("tool_use") => {
            if let Some(call) = into.call(index) {
                call.id = text("id");
                call.name = text("name");
            }
        }
        _ => {}
    }
}

/// The counts of a stream are cumulative: the last of each kind counts. Cached tokens are not among `input_tokens`.
fn facts(message: &Value, into: &mut Gathered) {
    if let Some(model) = message.get("model").and_then(Value::as_str) {
        into.model = Some(model.into());
    }
    if let Some(id) = message.get("id").and_then(Value::as_str) {
        into.id = Some(id.to_owned());
    }
    let Some(used) = message.get("usage").filter(|used| used.is_object()) else { return };
    let mut known = into.usage.unwrap_or_default();
    let set = |to: &mut u64, key: &str| {
        if let Some(count) = used.pointer(key).and_then(Value::as_u64) {
            *to = count;
        }
    };
    set(&mut known.input, "/input_tokens");
    set(&mut known.cache_read, "/cache_read_input_tokens");
    set(&mut known.cache_write_5m, "/cache_creation_input_tokens");
    if used.get("cache_creation").is_some_and(Value::is_object) {
        set(&mut known.cache_write_5m, "/cache_creation/ephemeral_5m_input_tokens");
        set(&mut known.cache_write_1h, "/cache_creation/ephemeral_1h_input_tokens");
    }
    set(&mut known.output, "/output_tokens");
    into.usage = Some(Usage { reasoning: 0, ..known });
}
