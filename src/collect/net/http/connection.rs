//! GETs over connections of our own: dialled within deadlines, over TLS where the URL wants it, and kept for the
//! next request to the same server. HTTP itself is spoken by hyper.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use url::{Host, Position, Url};

use crate::collect::net::connect::dial;
use crate::collect::net::deadlines::Deadlines;
use crate::i18n::{io_error, reasons};
use crate::model::address::Address;
use crate::model::reach::ReachState;
use crate::model::reason::Reason;

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// No connection was made.
    #[error("{}", Reason::from(self))]
    Connect {
        /// How it ended.
        state: ReachState,
        /// What the operating system or the resolver said.
        detail: Option<Reason>,
    },
    /// A connection was made, and TLS failed on it.
    #[error("{0}")]
    Handshake(io::Error),
    /// A connection was made, and its TLS handshake took too long.
    #[error("{}", Reason::from(self))]
    SlowHandshake(Duration),
    /// There is no TLS with this URL or in this program.
    #[error("{0}")]
    Tls(rustls::Error),
    /// The host or the path of the URL is none for a request.
    #[error("{0}")]
    Request(String),
    /// HTTP failed on the connection.
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

impl From<&ExchangeError> for Reason {
    fn from(error: &ExchangeError) -> Self {
        match error {
            ExchangeError::Connect { detail, .. } => {
                detail.clone().unwrap_or_else(reasons::no_answer_to_connection_attempt)
            }
            ExchangeError::Handshake(error) => io_error(error),
            ExchangeError::SlowHandshake(time) => {
                reasons::no_tls_handshake_within(format!("{:.1}", time.as_secs_f64()))
            }
            ExchangeError::Tls(error) => Self::verbatim(error.to_string()),
            ExchangeError::Request(error) => Self::verbatim(error),
            ExchangeError::Http(error) => Self::verbatim(error.to_string()),
        }
    }
}

/// A response, whose body is to be read, and the connection that it came over.
#[derive(Debug)]
pub struct Exchange {
    /// The head, and the body as it comes.
    pub response: Response<Incoming>,
    kept: Kept,
}

/// A connection and whom it goes to.
#[derive(Debug)]
struct Kept {
    endpoint: Endpoint,
    sender: SendRequest<String>,
}

/// Whom a connection goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Endpoint {
    tls: bool,
    address: Address,
}

/// Connections to any number of servers.
#[derive(Debug)]
pub struct Connections {
    connect: Duration,
    idle: Mutex<Vec<Kept>>,
    /// Made for the first URL of https: reading the certificates of the system takes milliseconds.
    tls: OnceLock<Result<Arc<ClientConfig>, rustls::Error>>,
}

impl Connections {
    /// No connection yet. `connect`: the most that connecting to one address may take.
    pub fn new(connect: Duration) -> Self {
        Self { connect, idle: Mutex::default(), tls: OnceLock::new() }
    }

    /// Sends one GET and reads the head of the response.
    pub async fn get(&self, url: &Url, deadline: Instant) -> Result<Exchange, ExchangeError> {
        let request = request(url)?;
        let endpoint = endpoint(url)?;
        while let Some(mut kept) = self.take(&endpoint) {
            // The server may have closed it since; then the same is asked over another one.
            if kept.sender.ready().await.is_err() {
                continue;
            }
            match kept.sender.send_request(request.clone()).await {
                Ok(response) => return Ok(Exchange { response, kept }),
                Err(error) if error.is_parse() => return Err(error.into()),
                Err(_) => {}
            }
        }
        let mut sender = self.open(url, &endpoint, deadline).await?;
        let response = sender.send_request(request).await?;
        Ok(Exchange { response, kept: Kept { endpoint, sender } })
    }

    /// Keeps the connection of an exchange whose body was read to its end.
    pub fn keep(&self, exchange: Exchange) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(exchange.kept);
    }

    fn take(&self, endpoint: &Endpoint) -> Option<Kept> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle.iter().position(|kept| kept.endpoint == *endpoint)?;
        Some(idle.swap_remove(found))
    }

    async fn open(
        &self,
        url: &Url,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<SendRequest<String>, ExchangeError> {
        let deadlines = Deadlines { run: deadline, connect: self.connect, reply: self.connect };
        let (reach, stream) = dial(&endpoint.address, &deadlines).await;
        let Some(stream) = stream else {
            return Err(ExchangeError::Connect { state: reach.state, detail: reach.detail });
        };
        if !endpoint.tls {
            return Ok(speak(stream).await?);
        }
        let config = self.tls.get_or_init(tls_config).clone().map_err(ExchangeError::Tls)?;
        let handshake = TlsConnector::from(config).connect(server_name(url)?, stream);
        match timeout_at(deadlines.of(self.connect), handshake).await {
            Ok(Ok(stream)) => Ok(speak(stream).await?),
            Ok(Err(error)) => Err(ExchangeError::Handshake(error)),
            Err(_) => Err(ExchangeError::SlowHandshake(self.connect)),
        }
    }
}

/// Begins to speak HTTP over a connection. It is closed when nothing sends over it any more.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<SendRequest<String>, hyper::Error> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Its errors reach whoever waits for a response.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// Trusts whom the system trusts. A system without any certificate trusts nobody; http still works there.
fn tls_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn endpoint(url: &Url) -> Result<Endpoint, ExchangeError> {
    let missing = || ExchangeError::Request("the URL has no host and port".into());
    let host = match url.host().ok_or_else(missing)? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    let port = url.port_or_known_default().ok_or_else(missing)?;
    Ok(Endpoint { tls: url.scheme() == "https", address: Address { host, port } })
}

fn server_name(url: &Url) -> Result<ServerName<'static>, ExchangeError> {
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(ServerName::from(std::net::IpAddr::V4(address))),
        Some(Host::Ipv6(address)) => Ok(ServerName::from(std::net::IpAddr::V6(address))),
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned())
            .map_err(|error| ExchangeError::Request(format!("{name}: {error}"))),
        None => Err(ExchangeError::Request("the URL has no host".into())),
    }
}

fn request(url: &Url) -> Result<Request<String>, ExchangeError> {
    let mut request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(ACCEPT, "*/*")
        .header(ACCEPT_ENCODING, "gzip")
        .header(USER_AGENT, concat!("pikadoctor/", env!("CARGO_PKG_VERSION")));
    if let Some(credentials) = credentials(url) {
        request = request.header(AUTHORIZATION, credentials);
    }
    request.body(String::new()).map_err(|error| ExchangeError::Request(error.to_string()))
}

/// The user and the password of a URL, as a server wants them.
fn credentials(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut plain: Vec<u8> = percent_decode_str(url.username()).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(url.password().unwrap_or_default()));
    let encoded = base64::engine::general_purpose::STANDARD.encode(plain);
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}
