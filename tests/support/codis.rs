//! A Codis as it was recorded, served over HTTP.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use flate2::read::GzDecoder;
use pikadoctor::collect::codis::xauth;
use pikadoctor::collect::secret::Password;

use super::{own_address, recordings_directory};

/// The address that everything was recorded at.
pub const RECORDED: &str = "127.0.0.1";

/// Answers by path; what is not there is a 404.
pub type Pages = BTreeMap<String, Page>;

/// One answer.
#[derive(Clone)]
pub struct Page {
    pub status: &'static str,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

pub fn json(body: impl Into<Vec<u8>>) -> Page {
    Page { status: "200 OK", content_type: "application/json; charset=utf-8", body: body.into() }
}

pub fn cause(text: &str) -> Page {
    let body = format!("{{\"Cause\": \"{text}\", \"Stack\": null}}").into_bytes();
    Page { status: "800 status code 800", ..json(body) }
}

/// Addresses of its own below 127/8, for servers at the ports that were recorded.
pub struct Place {
    pub host: String,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

impl Place {
    /// An address that nobody else uses.
    pub fn new() -> Self {
        Self { host: own_address(), asked: Arc::default() }
    }

    /// Serves `pages` at a port of this address until the test is over; returns the URL.
    pub fn serve(&self, port: u16, pages: Pages) -> String {
        let listener = TcpListener::bind((self.host.as_str(), port)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = self.asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (pages, asked) = (pages.clone(), asked.clone());
                thread::spawn(move || answer(stream, &pages, port, &asked));
            }
        });
        url
    }

    /// What was recorded, with this address in the place of the recorded one.
    pub fn recorded(&self, folder: &str, file: &str) -> Option<String> {
        let path = recordings_directory().join("codis").join(folder).join(format!("{file}.json.gz"));
        let mut text = String::new();
        GzDecoder::new(std::fs::File::open(path).ok()?).read_to_string(&mut text).unwrap();
        Some(text.replace(RECORDED, &self.host))
    }
}

/// A recorded dashboard, its overview changed, and its proxy; returns the place and the dashboard's URL.
pub fn serve_changed(folder: &str, change: impl Fn(String) -> String) -> (Place, String) {
    serve_with_auth(folder, "", change)
}

/// The same with a proxy that has this product_auth.
pub fn serve_with_auth(folder: &str, auth: &str, change: impl Fn(String) -> String) -> (Place, String) {
    let place = Place::new();
    let topom = change(place.recorded(folder, "topom").unwrap_or_else(|| panic!("there is no {folder}")));
    let overview: serde_json::Value = serde_json::from_str(&topom).unwrap();
    let mut pages = Pages::from([("/topom".to_owned(), json(topom))]);
    if let Some(model) = place.recorded(folder, "topom-model") {
        pages.insert("/topom/model".to_owned(), json(model));
    }
    if let Some(proxy) = place.recorded(folder, "proxy") {
        let model: serde_json::Value = serde_json::from_str(&proxy).unwrap();
        let port = port_of(model["model"]["admin_addr"].as_str().unwrap());
        let text = |key: &str| model["model"][key].as_str().unwrap();
        let hash = xauth::of_proxy(text("product_name"), &Password::new(auth), text("token"));
        let xping = format!("/api/proxy/xping/{hash}");
        place.serve(port, Pages::from([("/proxy".to_owned(), json(proxy.clone())), (xping, json("\"OK\""))]));
    }
    let port = port_of(overview["model"]["admin_addr"].as_str().unwrap());
    let url = place.serve(port, pages);
    (place, url)
}

fn port_of(address: &str) -> u16 {
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

fn answer(mut stream: TcpStream, pages: &Pages, port: u16, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).unwrap_or(0) == 0 {
                return;
            }
            if header == "\r\n" {
                break;
            }
        }
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        asked.lock().unwrap().push(format!("{method} {port} {path}"));
        let missing = Page {
            status: "404 Not Found",
            content_type: "text/plain",
            body: b"404 page not found\n".to_vec(),
        };
        // A proxy checks the hash before anything else.
        let wrong_auth = cause("invalid xauth, please check product name & auth");
        let otherwise = if path.starts_with("/api/proxy/xping/") { &wrong_auth } else { &missing };
        let page = pages.get(path).unwrap_or(otherwise);
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            page.status,
            page.content_type,
            page.body.len()
        );
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&page.body)).is_err() {
            return;
        }
    }
}
