//! One GET over HTTP: bounded in time and size, and every way in which it can fail has its name.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::support::{answering, closed_address, listener};
use flate2::Compression;
use flate2::write::GzEncoder;
use pikadoctor::collect::net::http::{Answer, HttpError, client, get_json, parse_url, shown};
use pikadoctor::model::http::HttpFailure;
use tokio::time::Instant;

const LIMIT: usize = 64 * 1024;

fn get(url: &str) -> Result<Answer, HttpError> {
    get_within(url, Duration::from_secs(10))
}

fn get_within(url: &str, time: Duration) -> Result<Answer, HttpError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = client(Duration::from_secs(2));
        get_json(&client, url, Instant::now() + time, LIMIT).await
    })
}

fn failure(url: &str) -> HttpError {
    get(url).expect_err("it fails")
}

/// Answers every request with `head`, `Content-Length` and `body`.
fn server(head: &'static str, body: Vec<u8>) -> String {
    let address = listener(move |mut stream| {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&body);
    });
    format!("http://{address}/topom")
}

#[test]
fn json_is_read_and_the_time_that_it_took_is_kept() {
    let answer = get(&server("200 OK\r\nContent-Type: application/json", b"{\"a\":1}".to_vec())).unwrap();
    assert_eq!(answer.json["a"], 1);
    assert!(answer.seconds > 0.0 && answer.seconds < 10.0);
    assert_eq!(get(&server("200 OK", b"null".to_vec())).unwrap().json, serde_json::Value::Null);
}

#[test]
fn gzip_is_unpacked_and_bounded_by_what_it_unpacks_to() {
    let packed = |text: &[u8]| {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    };
    let head = "200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip";
    assert_eq!(get(&server(head, packed(b"{\"a\":2}"))).unwrap().json["a"], 2);
    let large = format!("\"{}\"", "x".repeat(100 * LIMIT));
    let packed = packed(large.as_bytes());
    assert!(packed.len() < LIMIT, "it is small as long as it is packed");
    assert_eq!(failure(&server(head, packed)).failure, HttpFailure::TooLarge);
    let broken = failure(&server(head, b"not packed".to_vec()));
    assert_eq!(broken.failure, HttpFailure::Failed, "{broken:?}");
}

#[test]
fn an_error_of_codis_carries_its_cause() {
    let body = br#"{"Cause": "topom is not online", "Stack": null}"#.to_vec();
    let error = failure(&server("800 status code 800\r\nContent-Type: application/json", body));
    assert_eq!((error.failure, error.status), (HttpFailure::Cause, Some(800)));
    assert_eq!(error.detail.as_str(), "topom is not online");
    assert_eq!(error.json.unwrap()["Stack"], serde_json::Value::Null);
    let long = format!("{{\"Cause\": \"{}\"}}", "y".repeat(5000)).into_bytes();
    assert!(failure(&server("800 x", long)).detail.as_str().chars().count() < 400, "a long cause is cut off");
}

#[test]
fn what_is_not_an_answer_has_a_name() {
    let html = b"<!DOCTYPE html><title>Codis</title>".to_vec();
    let page = failure(&server("200 OK\r\nContent-Type: text/html", html));
    assert_eq!(page.failure, HttpFailure::NotJson);
    assert!(page.detail.as_str().contains("an HTML page"), "{page}");
    let empty = failure(&server("200 OK", Vec::new()));
    assert!(empty.detail.as_str().contains("empty"), "{empty}");
    let missing = failure(&server("404 Not Found", b"404 page not found".to_vec()));
    assert_eq!((missing.failure, missing.status), (HttpFailure::NotFound, Some(404)));
    assert_eq!(failure(&server("403 Forbidden", b"no".to_vec())).failure, HttpFailure::Denied);
    assert_eq!(failure(&server("500 Oh", b"no".to_vec())).failure, HttpFailure::Status);
    let pika = answering(b"-ERR unknown or unsupported command 'GET'\r\n");
    assert_eq!(failure(&format!("http://{pika}/")).failure, HttpFailure::NotHttp);
    let endless = format!("\"{}\"", "x".repeat(2 * LIMIT)).into_bytes();
    assert_eq!(failure(&server("200 OK", endless)).failure, HttpFailure::TooLarge);
}

#[test]
fn no_redirect_is_followed() {
    let behind = TcpListener::bind("127.0.0.1:0").unwrap();
    let head = format!("302 Found\r\nLocation: http://{}/topom", behind.local_addr().unwrap());
    let error = failure(&server(Box::leak(head.into_boxed_str()), Vec::new()));
    assert_eq!(error.failure, HttpFailure::Redirect);
    assert!(error.detail.as_str().contains("sent to http://127.0.0.1:"), "{error}");
    behind.set_nonblocking(true).unwrap();
    assert!(behind.accept().is_err(), "nobody connected");
}

#[test]
fn a_server_that_is_slow_or_goes_away_does_not_hold_up_the_run() {
    let silent = listener(|_stream| thread::sleep(Duration::from_secs(30)));
    let slow = |address: &str| {
        let began = std::time::Instant::now();
        let error = get_within(&format!("http://{address}/"), Duration::from_millis(300)).unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(5));
        error.failure
    };
    assert_eq!(slow(&silent), HttpFailure::Slow);
    let trickle = listener(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(slow(&trickle), HttpFailure::Slow);
    let gone = listener(drop);
    let error = failure(&format!("http://{gone}/"));
    assert_eq!(error.failure, HttpFailure::Closed, "{error}");
    let half = listener(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
    });
    let error = failure(&format!("http://{half}/"));
    assert_eq!(error.failure, HttpFailure::Closed, "{error}");
}

#[test]
fn nobody_there_is_told_from_an_unknown_name() {
    let free = closed_address();
    assert_eq!(failure(&format!("http://{free}/")).failure, HttpFailure::Refused);
    let unknown = failure("http://no-such-host.invalid/");
    assert_eq!(unknown.failure, HttpFailure::Unresolved, "{unknown}");
    let plain = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let error = failure(&format!("https://{plain}/"));
    assert_eq!(error.failure, HttpFailure::Tls, "{error}");
    for bad in ["", "127.0.0.1:18080", "ftp://127.0.0.1/", "http://"] {
        assert_eq!(failure(bad).failure, HttpFailure::BadUrl, "{bad}");
    }
}

#[test]
fn a_password_in_the_url_is_sent_and_not_shown() {
    let url = parse_url("http://someone:planted-secret@127.0.0.1:1/topom?forward=a").unwrap();
    assert_eq!(shown(&url), "http://127.0.0.1:1/topom?forward=a");
    let (tell, told) = std::sync::mpsc::channel();
    let server = listener(move |mut stream| {
        let mut request = [0; 4096];
        let count = stream.read(&mut request).unwrap();
        let _ = tell.send(String::from_utf8_lossy(&request[..count]).to_lowercase());
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
    });
    get(&format!("http://someone:planted-secret@{server}/topom")).unwrap();
    let request = told.recv().unwrap();
    assert!(request.contains("authorization: basic ") && !request.contains("planted"), "{request}");
    let error = failure("http://someone:planted-secret@127.0.0.1:1/topom");
    assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
}
