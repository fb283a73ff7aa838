//! Asks over HTTP: one GET, bounded in time and size. Nothing but GET leaves this file, no redirect is
//! followed, and no proxy of the environment is used: what is asked about is inside, and so is whoever asks.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use reqwest::{StatusCode, Url, header, redirect};
use serde_json::Value as Json;
use tokio::time::{Instant, timeout_at};

use super::connect::ConnectionFailure;
use crate::model::http::HttpFailure;
use crate::model::limits::MAX_HTTP_ERROR_CHARACTERS;

/// What keeps connections between requests.
#[derive(Clone, Debug)]
pub struct Client(reqwest::Client);

/// JSON that a server answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The answer.
    pub json: Json,
    /// From the request to the end of the answer, in seconds; the connection is in it when it was made for this.
    pub seconds: f64,
}

/// Why there is no answer that could be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct HttpError {
    /// In one word.
    pub failure: HttpFailure,
    /// In a sentence, without the URL's password. Texts in it come from the server and may hold anything.
    pub detail: String,
    /// The status, where there was one.
    pub status: Option<u16>,
    /// The answer's JSON where the status is an error: the reason as the server puts it.
    pub json: Option<Json>,
}

impl HttpError {
    fn new(failure: HttpFailure, detail: impl Into<String>) -> Self {
        Self { failure, detail: detail.into(), status: None, json: None }
    }
}

/// A client that takes `connect` for a connection to one address.
pub fn client(connect: Duration) -> Result<Client, HttpError> {
    // Another part of the program may have installed it before; it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        reqwest::Client::builder()
            .user_agent(concat!("pikadoctor/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(connect)
    };
    // A host without any CA certificate can still ask over http; https then trusts nobody.
    let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
    client.map(Client).map_err(|error| HttpError::new(HttpFailure::Failed, chain(&error)))
}

/// Reads a URL of http or https.
pub fn parse_url(text: &str) -> Result<Url, HttpError> {
    let bad = |why: String| HttpError::new(HttpFailure::BadUrl, why);
    let url = Url::parse(text).map_err(|error| bad(format!("this is not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(bad("a URL of http:// or https:// is needed".into()));
    }
    Ok(url)
}

/// A URL without its user and password, for people.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Neither can fail on a URL that has a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

/// GETs `url` and reads JSON. At most `limit` bytes are read, after unpacking.
pub async fn get_json(
    client: &Client,
    url: &str,
    deadline: Instant,
    limit: usize,
) -> Result<Answer, HttpError> {
    let url = parse_url(url)?;
    let began = Instant::now();
    match timeout_at(deadline, ask(client, url, limit)).await {
        Ok(result) => result.map(|json| Answer { json, seconds: began.elapsed().as_secs_f64() }),
        Err(_) => Err(HttpError::new(
            HttpFailure::Slow,
            format!("no complete answer within {:.1} s", began.elapsed().as_secs_f64()),
        )),
    }
}

async fn ask(client: &Client, url: Url, limit: usize) -> Result<Json, HttpError> {
    let mut response = client.0.get(url).send().await.map_err(|error| explain(&error))?;
    let status = response.status();
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let content_type = header(header::CONTENT_TYPE).to_owned();
    let location = header(header::LOCATION).to_owned();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(HttpError::new(
                HttpFailure::TooLarge,
                format!("the answer has more than {limit} bytes"),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    let json = serde_json::from_slice::<Json>(&body);
    if status != StatusCode::OK {
        return Err(refused(status, &location, json.ok()));
    }
    json.map_err(|error| {
        HttpError::new(
            HttpFailure::NotJson,
            format!("the answer is {}, not JSON ({error})", kind(&content_type, &body)),
        )
    })
}

/// An answer with another status than 200.
fn refused(status: StatusCode, location: &str, json: Option<Json>) -> HttpError {
    let code = status.as_u16();
    // Codis says why in `Cause`, etcd in `message`.
    let cause = json.as_ref().and_then(|json| {
        ["Cause", "cause", "message", "Message"].into_iter().find_map(|key| json.get(key)?.as_str())
    });
    let (failure, detail) = match (code, cause) {
        (300..=399, _) => (HttpFailure::Redirect, format!("status {code}: sent to {}", shortened(location))),
        (404, None) => (HttpFailure::NotFound, "status 404: there is no such path".to_owned()),
        (401 | 403, _) => {
            (HttpFailure::Denied, format!("status {code}: {}", shortened(cause.unwrap_or("not allowed"))))
        }
        (_, Some(cause)) => (HttpFailure::Cause, shortened(cause)),
        (_, None) => (HttpFailure::Status, format!("status {code}")),
    };
    HttpError { failure, detail, status: Some(code), json }
}

/// What came instead of JSON, in two words.
fn kind(content_type: &str, body: &[u8]) -> String {
    let start = body.trim_ascii_start();
    let begins = |with: &[u8]| start.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    if start.is_empty() {
        "empty".into()
    } else if begins(b"<!doctype") || begins(b"<html") || content_type.starts_with("text/html") {
        "an HTML page".into()
    } else if content_type.is_empty() {
        "something else".into()
    } else {
        shortened(content_type)
    }
}

/// Why a request came to nothing.
fn explain(error: &reqwest::Error) -> HttpError {
    let text = chain(error);
    let causes = causes(error);
    let io_error = causes.iter().filter_map(|cause| cause.downcast_ref::<io::Error>()).next_back();
    let failure = match io_error.map(ConnectionFailure::from) {
        _ if error.is_dns() => HttpFailure::Unresolved,
        _ if error.is_timeout() && error.is_connect() => HttpFailure::Filtered,
        _ if error.is_timeout() => HttpFailure::Slow,
        _ if causes.iter().any(|cause| cause.is::<rustls::Error>()) => HttpFailure::Tls,
        Some(failure) if failure != ConnectionFailure::Other => failure.into(),
        // The library does not export the type of these; its words are all there is.
        _ if text.contains("invalid HTTP") => HttpFailure::NotHttp,
        _ if text.contains("connection closed") || text.contains("end of file") => HttpFailure::Closed,
        _ => HttpFailure::Failed,
    };
    HttpError::new(failure, shortened(&text))
}

/// The error's causes, outermost first.
fn causes(error: &reqwest::Error) -> Vec<&(dyn std::error::Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause);
        // An I/O error leaves out the error that it carries when it names its source.
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(carried) => Some(carried),
            None => cause.source(),
        };
    }
    causes
}

/// What the error and its causes say, without the URL.
fn chain(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string();
        // Wrappers repeat what they wrap.
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    if parts.is_empty() { "the request failed".into() } else { parts.join(": ") }
}

/// The beginning of a text from a server.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_HTTP_ERROR_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
