//! The web: one client a world, whose connections are kept between requests.
//!
//! Never: asks for permission (whoever calls has it), or tells passwords and queries of a URL in a Fault.

use crate::builtin::fetch::Request;
use crate::fault::{Fault, code};
use crate::value::heap;
use parking_lot::Mutex;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, Url};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Redirects followed before there is no answer.
const REDIRECTS: usize = 10;

#[derive(Clone, Debug, Default)]
pub struct Web {
    client: Arc<Mutex<Option<Client>>>,
}

impl Web {
    /// The answer as JSON: status, headers, body.
    pub async fn exchange(&self, request: Request) -> Result<Value, Fault> {
        let url = web_address(&request.url)?;
        let place = place_of(&url);
        let timeout = match u64::try_from(request.timeout_ns) {
            Ok(ns) if ns > 0 => Duration::from_nanos(ns),
            _ => return Err(wrong("a timeout must be longer than nothing")),
        };
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| wrong(format!("`{}` is no method", request.method)))?;
        let headers = headers(&request.headers)?;
        let client = self.client().map_err(|error| no_answer(&place, &error))?;
        let exchange = async {
            let prepared = client.request(method, url).headers(headers).body(request.body);
            let response = prepared.send().await.map_err(|error| no_answer(&place, &error))?;
            read(response, &place, request.memory_bytes).await
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => {
                let seconds = timeout.as_secs_f64();
                Err(failed(format!("no answer from {place} within {seconds} s")))
            }
        }
    }

    fn client(&self) -> Result<Client, reqwest::Error> {
        let mut kept = self.client.lock();
        if let Some(client) = kept.as_ref() {
            return Ok(client.clone());
        }
        // A second world of the process finds the provider of the first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("ag/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::limited(REDIRECTS))
            .build()?;
        *kept = Some(client.clone());
        Ok(client)
    }
}

fn web_address(text: &str) -> Result<Url, Fault> {
    let url = Url::parse(text).map_err(|error| wrong(format!("`{text}` is no URL: {error}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(wrong(format!("`fetch` speaks http and https, not `{other}`"))),
    }
}

/// The URL as Faults tell it.
fn place_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| wrong(format!("`{name}` is no name of a header")))?;
        // The value may be a key: it is not told.
        let value = HeaderValue::from_str(value)
            .map_err(|_| wrong(format!("the value of the header `{name}` has a line end in it")))?;
        headers.append(key, value);
    }
    Ok(headers)
}

async fn read(mut response: Response, place: &str, memory_bytes: u64) -> Result<Value, Fault> {
    let status = response.status().as_u16();
    let headers = told(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_answer(place, &error))? {
        // Once as bytes here, once as the program's text.
        let needed = (body.len() + chunk.len()) as u64 * 2;
        if !heap::has_room(needed, memory_bytes) {
            let message = format!("the body of {place} would exceed the memory limit");
            return Err(Fault::new(code::MEMORY_LIMIT, message));
        }
        body.extend_from_slice(&chunk);
    }
    let body = String::from_utf8(body).map_err(|error| {
        let kind = headers.get("content-type").and_then(Value::as_str).unwrap_or("unknown");
        let at = error.utf8_error().valid_up_to();
        failed(format!("the body of {place} is not valid UTF-8 (byte {at}); its type is {kind}"))
    })?;
    Ok(json!({ "status": status, "headers": headers, "body": body }))
}

/// Headers by their lower-case names; several of one name are joined, as HTTP allows.
fn told(headers: &HeaderMap) -> Map<String, Value> {
    let mut found = Map::new();
    for name in headers.keys() {
        let values =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let joined = values.collect::<Vec<_>>().join(", ");
        found.insert(name.as_str().to_owned(), Value::String(joined));
    }
    found
}

fn wrong(message: impl Into<String>) -> Fault {
    Fault::new(code::INVALID_CONVERSION, message)
}

fn failed(message: impl Into<String>) -> Fault {
    Fault::new(code::TOOL_FAILED, message)
}

/// The innermost cause says what happened ("connection refused"); those around it only that something did.
fn no_answer(place: &str, error: &reqwest::Error) -> Fault {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let why = cause.to_string();
    let why = why.split(" (os error").next().unwrap_or_default().to_lowercase();
    failed(format!("no answer from {place}: {why}"))
}
