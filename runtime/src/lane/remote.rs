//! Lanes of providers over HTTP: OpenAI-compatible servers, OpenRouter, Anthropic.
//!
//! The key is read from the environment for each request and is in nothing but its header: whatever a provider or the
//! network says is told without it. An answer that was cut off may have been billed ([`SendError::Lost`]). Never: a retry.

mod anthropic;
mod gathered;
mod openai;
mod refusal;
mod sse;

use crate::clock::Clock;
use crate::lane::declared::{LaneSpec, Protocol};
use crate::lane::pace::pass;
use crate::lane::price::Price;
use crate::lane::remote::gathered::Gathered;
use crate::lane::remote::sse::Lines;
use crate::lane::request::{
    Form, LaneCard, Message, Provider, Reply, Request, SendError, Sending, StreamTo, Usage,
};
use crate::lane::schema::json_schema;
use crate::services::Io;
use parking_lot::Mutex;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use serde_json::Value;
use std::collections::VecDeque;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Until there are measurements.
const LATENCY_NS: u64 = 1_500_000_000;
const CONNECT: Duration = Duration::from_secs(10);
const MINUTE_NS: u64 = 60_000_000_000;
/// Of an error's body.
const ERROR_BYTES: usize = 64 << 10;
/// What roles and delimiters add to a message, at most.
const TURN_TOKENS: u64 = 16;

pub struct Remote {
    spec: LaneSpec,
    card: LaneCard,
    url: String,
    client: Mutex<Option<Client>>,
    clock: Arc<dyn Clock>,
    io: Io,
    /// When the requests of the last minute left.
    sent: Mutex<VecDeque<u64>>,
}

impl Remote {
    #[must_use]
    pub fn new(spec: &LaneSpec, clock: &Arc<dyn Clock>, io: &Io) -> Self {
        let base = spec.url.as_deref().or(spec.protocol.default_url()).unwrap_or_default();
        let path = match spec.protocol {
            Protocol::Anthropic => "messages",
            _ => "chat/completions",
        };
        let flat = Price::flat(spec.price_in, spec.price_out);
        let price = match spec.protocol {
            // No request asks for a cache to be written.
            Protocol::Anthropic => {
                Price { cache_read: spec.price_in.checked_div(10).unwrap_or(spec.price_in), ..flat }
            }
            _ => flat,
        };
        let card = LaneCard {
            name: Arc::clone(&spec.name),
            model: Arc::clone(&spec.model),
            price,
            context_tokens: spec.context,
            latency_ns: LATENCY_NS,
            made_up: false,
        };
        Self {
            url: format!("{}/{path}", base.trim_end_matches('/')),
            card,
            client: Mutex::default(),
            clock: Arc::clone(clock),
            io: io.clone(),
            sent: Mutex::default(),
            spec: spec.clone(),
        }
    }

    async fn answer(&self, request: &Request) -> Result<Reply, SendError> {
        let exchange = self.prepare(request)?;
        self.wait_for_turn().await;
        let refused = |reason: String| SendError::Refused { reason };
        // On a virtual clock the call is not polled by the executor, which sockets need.
        let io = self.io.handle().map_err(|error| refused(error.to_string()))?;
        let timeout = Duration::from_nanos(request.timeout_ns);
        let work = io.spawn(async move {
            match tokio::time::timeout(timeout, exchange.run()).await {
                Ok(result) => result,
                Err(_) => Err(SendError::Lost { reason: format!("no answer within {timeout:?}") }),
            }
        });
        let mut work = CutOff(work);
        match (&mut work.0).await {
            Ok(result) => result,
            Err(_) => Err(SendError::Lost { reason: "the request was cut off".to_owned() }),
        }
    }

    fn prepare(&self, request: &Request) -> Result<Exchange, SendError> {
        let refused = |reason: String| SendError::Refused { reason };
        let key = match &self.spec.key_env {
            Some(name) => match std::env::var(&**name) {
                Ok(key) if !key.trim().is_empty() => Some(key.trim().to_owned()),
                _ => return Err(refused(format!("{name} is not set"))),
            },
            None => None,
        };
        let body = match self.spec.protocol {
            Protocol::Anthropic => anthropic::body(&self.spec, request),
            _ => openai::body(&self.spec, request),
        };
        let bad_key = || refused("its key is not one line of text".to_owned());
        let headers = headers(self.spec.protocol, key.as_deref()).ok_or_else(bad_key)?;
        let client = self.client().map_err(|error| refused(cause(&error)))?;
        let bound = self.count_tokens(&request.messages, request.form.as_ref())
            + self.count_tools(&request.tools);
        Ok(Exchange {
            client,
            url: self.url.clone(),
            headers,
            body,
            protocol: self.spec.protocol,
            stream: request.stream.clone(),
            key,
            model: Arc::clone(&self.spec.model),
            tokens_in: bound,
            // A piece of one token is an event of some hundred bytes.
            most_bytes: (1 << 20) + 1_024 * request.max_tokens as usize,
            is_free: self.card.price == Price::default(),
        })
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
            .connect_timeout(CONNECT)
            // A key must not follow a redirect to somebody else.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        *kept = Some(client.clone());
        Ok(client)
    }

    /// Waits until a request more stays within `rpm`.
    async fn wait_for_turn(&self) {
        let Some(rpm) = self.spec.rpm.filter(|rpm| *rpm > 0) else { return };
        loop {
            let now_ns = self.clock.monotonic_ns();
            let wait_ns = {
                let mut sent = self.sent.lock();
                while sent.front().is_some_and(|at| now_ns.saturating_sub(*at) >= MINUTE_NS) {
                    sent.pop_front();
                }
                if sent.len() < rpm as usize {
                    sent.push_back(now_ns);
                    return;
                }
                let oldest = sent.front().copied().unwrap_or(now_ns);
                (oldest + MINUTE_NS).saturating_sub(now_ns).max(1)
            };
            pass(self.clock.as_ref(), wait_ns).await;
        }
    }
}

impl Provider for Remote {
    fn card(&self) -> &LaneCard {
        &self.card
    }

    /// Bytes: no tokenizer makes more tokens of a text than it has bytes.
    fn count_tokens(&self, messages: &[Message], form: Option<&Form>) -> u64 {
        let texts: u64 = messages.iter().map(|message| message.bytes() + TURN_TOKENS).sum();
        texts + instruction(form).len() as u64
    }

    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a> {
        Box::pin(self.answer(request))
    }
}

struct CutOff(tokio::task::JoinHandle<Result<Reply, SendError>>);

impl Drop for CutOff {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn headers(protocol: Protocol, key: Option<&str>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if protocol == Protocol::Anthropic {
        let version = HeaderValue::from_static("2023-06-01");
        headers.insert(HeaderName::from_static("anthropic-version"), version);
    }
    if let Some(key) = key {
        let (name, value) = match protocol {
            Protocol::Anthropic => ("x-api-key", key.to_owned()),
            _ => ("authorization", format!("Bearer {key}")),
        };
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Some(headers)
}

/// What a model is told of the form of its answer; nothing if any text will do.
fn instruction(form: Option<&Form>) -> String {
    let Some(schema) = form.and_then(|form| json_schema(form.shape).ok()) else {
        return String::new();
    };
    format!("\n\nAnswer with JSON only, without any other text. Its JSON schema: {schema}")
}

/// The text of a message as it is sent: the question says what form its answer has.
fn text_of(request: &Request, at: usize, message: &Message) -> String {
    let is_question = at == request.question;
    let form = request.form.as_ref().filter(|_| is_question);
    format!("{}{}", message.text, instruction(form))
}

/// One request, with all it needs.
struct Exchange {
    client: Client,
    url: String,
    headers: HeaderMap,
    body: Value,
    protocol: Protocol,
    stream: Option<Arc<StreamTo>>,
    key: Option<String>,
    model: Arc<str>,
    /// What is charged if the provider does not say.
    tokens_in: u64,
    most_bytes: usize,
    is_free: bool,
}

impl Exchange {
    async fn run(self) -> Result<Reply, SendError> {
        let asked = self.client.post(&self.url).headers(self.headers.clone()).json(&self.body);
        let response = asked.send().await.map_err(|error| {
            let reason = self.hide(&cause(&error));
            match error.is_connect() || error.is_builder() {
                true => SendError::Busy { reason, retry_after_ns: None },
                false => SendError::Lost { reason },
            }
        })?;
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        let is_stream = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        let gathered = match is_stream {
            true => self.read_events(response).await?,
            false => self.read_whole(response).await?,
        };
        let (tokens_in, is_free) = (self.tokens_in, self.is_free);
        Ok(gathered.into_reply(&self.model, tokens_in, is_free))
    }

    async fn refused(&self, mut response: Response) -> SendError {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while body.len() < ERROR_BYTES
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend_from_slice(&chunk);
        }
        let said = self.hide(&refusal::message(&body));
        refusal::of(status, &headers, &body, &said)
    }

    async fn read_whole(&self, mut response: Response) -> Result<Gathered, SendError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.lost(&cause(&e)))? {
            body.extend_from_slice(&chunk);
            self.within(body.len())?;
        }
        let no_json = || self.lost("its answer is no JSON");
        let answer: Value = serde_json::from_slice(&body).map_err(|_| no_json())?;
        let mut gathered = Gathered::default();
        match self.protocol {
            Protocol::Anthropic => anthropic::whole(&answer, &mut gathered),
            _ => openai::whole(&answer, &mut gathered),
        }
        if let Some(error) = gathered.error.take() {
            return Err(self.lost(&error));
        }
        if !gathered.is_over {
            return Err(self.lost("its answer is not what the protocol says"));
        }
        self.show(&gathered.text);
        Ok(gathered)
    }

    async fn read_events(&self, mut response: Response) -> Result<Gathered, SendError> {
        let mut gathered = Gathered::default();
        let mut lines = Lines::default();
        let mut bytes = 0;
        while let Some(chunk) = response.chunk().await.map_err(|e| self.lost(&cause(&e)))? {
            bytes += chunk.len();
            self.within(bytes)?;
            for data in lines.take(&chunk) {
                let shown = gathered.text.len();
                match self.protocol {
                    Protocol::Anthropic => anthropic::event(&data, &mut gathered),
                    _ => openai::event(&data, &mut gathered),
                }
                if let Some(error) = gathered.error.take() {
                    return Err(self.lost(&error));
                }
                self.show(gathered.text.get(shown..).unwrap_or_default());
            }
        }
        match gathered.is_over {
            true => Ok(gathered),
            false => Err(self.lost("its answer broke off")),
        }
    }

    fn show(&self, text: &str) {
        if let Some(stream) = &self.stream {
            stream.deliver(text);
        }
    }

    fn within(&self, bytes: usize) -> Result<(), SendError> {
        if bytes <= self.most_bytes {
            return Ok(());
        }
        Err(self.lost("its answer is longer than `max_tokens` can be"))
    }

    fn lost(&self, reason: &str) -> SendError {
        SendError::Lost { reason: self.hide(reason) }
    }

    /// What others say may repeat the key.
    fn hide(&self, text: &str) -> String {
        match &self.key {
            Some(key) => text.replace(key.as_str(), "***"),
            None => text.to_owned(),
        }
    }
}

/// The innermost cause says what happened ("connection refused"); those around it only that something did.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let why = cause.to_string();
    why.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// A JSON number of tokens.
fn count(usage: &Value, key: &str) -> u64 {
    usage.get(key).and_then(Value::as_u64).unwrap_or(0)
}

/// Buckets that do not overlap.
fn usage(input: u64, cache_read: u64, output: u64, reasoning: u64) -> Usage {
    Usage { input, cache_read, output, reasoning, ..Usage::default() }
}
