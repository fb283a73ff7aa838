//! Asks over HTTP: one GET, bounded in time and size. Nothing but GET leaves this file, no redirect is
//! followed, and no proxy of the environment is used: what is asked about is inside, and so is whoever asks.

mod connection;

use std::error::Error as _;
use std::future::poll_fn;
use std::io::{self, Read as _};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use hyper::StatusCode;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{self, AsHeaderName};
use serde_json::Value as Json;
use tokio::time::{Instant, timeout_at};
use url::Url;

use self::connection::{Connections, ExchangeError};
use super::connect::ConnectionFailure;
use crate::i18n::{io_error, reasons};
use crate::model::http::HttpFailure;
use crate::model::limits::{MAX_HTTP_ERROR_CHARACTERS, MAX_JSON_VALUES};
use crate::model::reach::ReachState;
use crate::model::reason::Reason;
use crate::parse::document::count::has_more_values_than;

/// What keeps connections between requests.
#[derive(Clone, Debug)]
pub struct Client(Arc<Connections>);

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
    pub detail: Reason,
    /// The status, where there was one.
    pub status: Option<u16>,
    /// The answer's JSON where the status is an error: the reason as the server puts it. Apart, for it is rare and large.
    pub json: Option<Box<Json>>,
}

impl HttpError {
    fn new(failure: HttpFailure, detail: Reason) -> Self {
        Self { failure, detail, status: None, json: None }
    }
}

/// A client that takes `connect` for a connection to one address.
pub fn client(connect: Duration) -> Client {
    Client(Arc::new(Connections::new(connect)))
}

/// Reads a URL of http or https.
pub fn parse_url(text: &str) -> Result<Url, HttpError> {
    let bad = |why: Reason| HttpError::new(HttpFailure::BadUrl, why);
    let url = Url::parse(text).map_err(|error| bad(reasons::not_a_url(error.to_string())))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(bad(reasons::http_url_needed()));
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
    match timeout_at(deadline, ask(client, &url, deadline, limit)).await {
        Ok(result) => result.map(|json| Answer { json, seconds: began.elapsed().as_secs_f64() }),
        Err(_) => Err(HttpError::new(
            HttpFailure::Slow,
            reasons::no_complete_answer_within(format!("{:.1}", began.elapsed().as_secs_f64())),
        )),
    }
}

async fn ask(client: &Client, url: &Url, deadline: Instant, limit: usize) -> Result<Json, HttpError> {
    let mut exchange = client.0.get(url, deadline).await.map_err(|error| explain(&error))?;
    let status = exchange.response.status();
    let content_type = text_of(&exchange.response, header::CONTENT_TYPE).to_owned();
    let location = text_of(&exchange.response, header::LOCATION).to_owned();
    let packed = text_of(&exchange.response, header::CONTENT_ENCODING).eq_ignore_ascii_case("gzip");
    let too_large = || HttpError::new(HttpFailure::TooLarge, reasons::answer_above_bytes(limit));
    let mut body = Vec::new();
    while let Some(chunk) = next_chunk(exchange.response.body_mut()).await {
        let chunk = chunk.map_err(|error| explain(&error.into()))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    client.0.keep(exchange);
    if packed {
        body = unpack(&body, limit)
            .map_err(|error| HttpError::new(HttpFailure::Failed, reasons::answer_not_gzip(io_error(&error))))?
            .ok_or_else(too_large)?;
    }
    if has_more_values_than(&body, MAX_JSON_VALUES) {
        return Err(HttpError::new(HttpFailure::TooLarge, reasons::answer_above_values(MAX_JSON_VALUES)));
    }
    let json = serde_json::from_slice::<Json>(&body);
    if status != StatusCode::OK {
        return Err(refused(status, &location, json.ok()));
    }
    json.map_err(|error| {
        HttpError::new(
            HttpFailure::NotJson,
            reasons::answer_not_json(kind(&content_type, &body), error.to_string()),
        )
    })
}

/// A header, empty where there is none.
fn text_of(response: &hyper::Response<Incoming>, name: impl AsHeaderName) -> &str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// The next piece of a body; `None` at its end.
async fn next_chunk(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await? {
            Ok(frame) => {
                // Anything but data is a trailer, which says nothing here.
                if let Ok(data) = frame.into_data() {
                    return Some(Ok(data));
                }
            }
            Err(error) => return Some(Err(error)),
        }
    }
}

/// What `packed` holds. `None`: more than `limit` bytes.
fn unpack(packed: &[u8], limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut plain = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    GzDecoder::new(packed).take(most).read_to_end(&mut plain)?;
    Ok((plain.len() <= limit).then_some(plain))
}

/// An answer with another status than 200.
fn refused(status: StatusCode, location: &str, json: Option<Json>) -> HttpError {
    let code = status.as_u16();
    // Codis says why in `Cause`, etcd in `message`.
    let cause = json.as_ref().and_then(|json| {
        ["Cause", "cause", "message", "Message"].into_iter().find_map(|key| json.get(key)?.as_str())
    });
    let (failure, detail) = match (code, cause) {
        (300..=399, _) => (HttpFailure::Redirect, reasons::status_redirected(code, shortened(location))),
        (404, None) => (HttpFailure::NotFound, reasons::status_not_found()),
        (401 | 403, _) => {
            let cause = cause.map_or_else(reasons::not_allowed, |cause| Reason::verbatim(shortened(cause)));
            (HttpFailure::Denied, reasons::status_with_reason(code, cause))
        }
        (_, Some(cause)) => (HttpFailure::Cause, Reason::verbatim(shortened(cause))),
        (_, None) => (HttpFailure::Status, reasons::status(code)),
    };
    HttpError { failure, detail, status: Some(code), json: json.map(Box::new) }
}

/// What came instead of JSON, in two words.
fn kind(content_type: &str, body: &[u8]) -> Reason {
    let start = body.trim_ascii_start();
    let begins = |with: &[u8]| start.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    if start.is_empty() {
        reasons::empty()
    } else if begins(b"<!doctype") || begins(b"<html") || content_type.starts_with("text/html") {
        reasons::an_html_page()
    } else if content_type.is_empty() {
        reasons::something_else()
    } else {
        Reason::verbatim(shortened(content_type))
    }
}

/// Why a request came to nothing.
fn explain(error: &ExchangeError) -> HttpError {
    let failure = match error {
        ExchangeError::Connect { state, .. } => match state {
            ReachState::Unresolved => HttpFailure::Unresolved,
            ReachState::Refused => HttpFailure::Refused,
            ReachState::Filtered => HttpFailure::Filtered,
            ReachState::Unreachable => HttpFailure::Unreachable,
            ReachState::Closed => HttpFailure::Closed,
            ReachState::NotTried => HttpFailure::Slow,
            ReachState::Answered | ReachState::Silent | ReachState::Stalled | ReachState::Failed => {
                HttpFailure::Failed
            }
        },
        ExchangeError::Handshake(error) if !is_of_tls(error) => ConnectionFailure::from(error).into(),
        ExchangeError::Handshake(_) | ExchangeError::Tls(_) => HttpFailure::Tls,
        ExchangeError::SlowHandshake(_) => HttpFailure::Slow,
        ExchangeError::Request(_) => HttpFailure::BadUrl,
        ExchangeError::Http(error) if error.is_parse() => HttpFailure::NotHttp,
        ExchangeError::Http(error) if error.is_incomplete_message() || error.is_closed() => {
            HttpFailure::Closed
        }
        ExchangeError::Http(error) => match io_cause(error) {
            Some(error) if is_of_tls(error) => HttpFailure::Tls,
            Some(error) => ConnectionFailure::from(error).into(),
            None => HttpFailure::Failed,
        },
    };
    HttpError::new(failure, chain(error))
}

/// Whether it was rustls that failed.
fn is_of_tls(error: &io::Error) -> bool {
    error.get_ref().and_then(|carried| carried.downcast_ref::<rustls::Error>()).is_some()
}

/// The I/O error below an error of HTTP.
fn io_cause(error: &hyper::Error) -> Option<&io::Error> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

/// What the error and its causes say.
fn chain(error: &ExchangeError) -> Reason {
    let mut parts = vec![Reason::from(error)];
    let mut next = error.source();
    while let Some(cause) = next {
        let text = Reason::verbatim(shortened(&cause.to_string()));
        let text = cause.downcast_ref::<io::Error>().map_or(text, io_error);
        // Wrappers repeat what they wrap.
        if !parts.iter().any(|known| known.as_str().contains(text.as_str())) {
            parts.push(text);
        }
        next = cause.source();
    }
    let chain = parts.into_iter().rev().reduce(|inner, outer| reasons::about(outer, inner));
    chain.unwrap_or_else(reasons::request_failed)
}

/// The beginning of a text from a server.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_HTTP_ERROR_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
