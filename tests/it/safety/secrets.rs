//! A secret that was sent never comes back: whoever repeats it, in whatever way of writing, it is in no format, bundle,
//! plan, temporary file, and nothing that is said or handed to a program.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pikadoctor::model::text::escape_control;
use serde_json::json;

use crate::support::codis::{Place, cause, json as page};
use crate::support::etcd::serve_http;
use crate::support::{Run, listener, listener_at, own_address, pikadoctor};

const FORMATS: [&str; 10] =
    ["human", "short", "json", "markdown", "nagios", "junit", "tap", "sarif", "github", "prometheus"];

/// The secrets of the run, each with characters that ways of writing change.
const PASSWORD: &str = "Pl4nted/pa ss+\"w\u{f6}rd\"";
const SENTINEL: &str = "Pl4nted-of-sentinel%2";
const PRODUCT: &str = "Pl4nted.product&auth";
const ETCD: &str = "root:Pl4nted=etcd?word";
const ZOOKEEPER: &str = "digest:Pl4nted~zoo#word";
const URL: &str = "Pl4nted-in-url-1";

/// Everything that a secret may look like. What all of them have in common would hide a fault of the reader.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap();
    let percent = |upper: bool| -> String {
        let encode = |byte: u8| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte if upper => format!("%{byte:02X}"),
            byte => format!("%{byte:02x}"),
        };
        secret.bytes().map(encode).collect()
    };
    vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        percent(true),
        percent(false),
        escape_control(secret),
        STANDARD.encode(secret),
        STANDARD.encode(format!("root:{secret}")),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ]
}

fn all_secrets() -> Vec<&'static str> {
    let parts = |text: &'static str| text.split_once(':').map_or(text, |(_, password)| password);
    [PASSWORD, SENTINEL, PRODUCT, ETCD, ZOOKEEPER, URL].map(parts).to_vec()
}

/// The beginning of every secret, plain and encoded: what is left of one has it.
fn assert_clean(what: &str, text: &str) {
    let unescaped = text.replace("\\\"", "\"").replace("\\\\", "\\");
    for secret in all_secrets() {
        for form in forms(secret) {
            assert!(!text.contains(&form) && !unescaped.contains(&form), "{what}: {form} in {text}");
        }
    }
    assert!(!text.contains("Pl4nt"), "{what}: {text}");
}

/// A text that repeats a secret in every form.
fn repeated(secret: &str) -> String {
    forms(secret).join(" and ")
}

/// A server that repeats whatever it is sent: an error to AUTH, and a field of INFO that says it again.
fn repeats() -> String {
    listener(|stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut out = stream;
        let mut last = String::new();
        while let Some(words) = request(&mut reader) {
            let answer = match words[0].to_ascii_lowercase().as_str() {
                "auth" => {
                    last.clone_from(&words[1]);
                    let shown = repeated(&last);
                    format!("-ERR unknown command `AUTH`, with args beginning with: `{last}`, {shown}\r\n")
                }
                "info" => {
                    let shown = repeated(&last);
                    let text = format!(
                        "# Server\r\npika_version:3.5.5\r\nconfig_file:{last}\r\nos:{shown}\r\n{shown}:1\r\n\
                         run_id:{}\r\n# Replication\r\nrole:slave\r\nmaster_host:{last}\r\nmaster_port:9221\r\n",
                        STANDARD.encode(&last)
                    );
                    format!("${}\r\n{text}\r\n", text.len())
                }
                "config" => {
                    let name = words.last().unwrap();
                    format!("*2\r\n${}\r\n{name}\r\n${}\r\n{last}\r\n", name.len(), last.len())
                }
                _ => format!("-ERR you said {}\r\n", repeated(&last)),
            };
            if out.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    })
}

/// One request of RESP.
fn request(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let mut line = String::new();
    (reader.read_line(&mut line).ok()? > 0).then_some(())?;
    let count: usize = line.trim().strip_prefix('*')?.parse().ok()?;
    let mut words = Vec::new();
    for _ in 0..count {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let mut bytes = vec![0; line.trim().strip_prefix('$')?.parse::<usize>().ok()? + 2];
        reader.read_exact(&mut bytes).ok()?;
        bytes.truncate(bytes.len() - 2);
        words.push(String::from_utf8(bytes).ok()?);
    }
    Some(words)
}

/// What logs in, for a call of the program.
fn with_secrets(command: &mut Command) -> &mut Command {
    command
        .env("PIKADOCTOR_PASSWORD", PASSWORD)
        .env("PIKADOCTOR_SENTINEL_PASSWORD", SENTINEL)
        .env("PIKADOCTOR_ETCD_AUTH", ETCD)
        .env("PIKADOCTOR_ZOOKEEPER_AUTH", ZOOKEEPER)
}

/// Runs a check in every format and as a bundle, and looks at all that it leaves behind.
fn look_everywhere(what: &str, arguments: &[&str], environment: &[(&str, &str)]) {
    let directory = tempfile::tempdir().unwrap();
    let call = |more: &[&str]| {
        let mut command = pikadoctor();
        with_secrets(&mut command).envs(environment.iter().copied());
        command.env("TMPDIR", directory.path()).args(more);
        let run = Run::of(&mut command);
        for text in [&run.stdout, &run.stderr] {
            assert_clean(what, text);
        }
        run
    };
    let common = ["--no-ports", "--reply-timeout", "3s", "-t", "9s"];
    for format in FORMATS {
        let file = directory.path().join(format);
        let output = ["-v", "--format", format, "-o", file.to_str().unwrap()];
        let run = call(&[&["check"], arguments, &common, &output].concat());
        assert!(matches!(run.code, 2 | 3), "{what}: {run:?}");
        // It was repeated, or there is nothing to hide.
        let text = fs::read_to_string(&file).unwrap();
        assert_clean(what, &text);
        assert!(format != "json" || text.contains("(hidden)"), "{what}: nothing was repeated: {text}");
    }
    let bundle = directory.path().join("bundle");
    let output = ["-o", bundle.to_str().unwrap()];
    call(&[&["capture"], arguments, &common, &output].concat());
    let mut unpacked = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::GzDecoder::new(fs::File::open(&bundle).unwrap()),
        &mut unpacked,
    )
    .unwrap();
    assert_clean(what, &unpacked);
    for entry in fs::read_dir(directory.path()).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(
            FORMATS.iter().any(|format| name == *format) || name == "bundle",
            "{} was left behind",
            name.display()
        );
    }
}

#[test]
fn a_server_that_repeats_its_password() {
    look_everywhere("Pika", &[&repeats()], &[]);
}

#[test]
fn a_sentinel_that_repeats_its_password() {
    look_everywhere("Sentinel", &["--sentinel", &repeats()], &[]);
}

#[test]
fn an_etcd_that_repeats_what_logs_in() {
    for status in [401, 302, 500, 200] {
        let address = serve_http(move |_, authorization| {
            let password = ETCD.split_once(':').unwrap().1;
            let message = format!("{} {} {}", authorization.unwrap_or_default(), repeated(password), ETCD);
            Some((status, "application/json", json!({"message": message, "cause": message}).to_string()))
        });
        let arguments = ["--etcd", address.as_str(), "--no-servers"];
        if status == 401 {
            look_everywhere("etcd", &arguments, &[]);
        } else {
            let mut command = pikadoctor();
            let run =
                Run::of(with_secrets(&mut command).args(["check", "-v", "--format", "json"]).args(arguments));
            assert_clean("etcd", &run.stdout);
            assert_clean("etcd", &run.stderr);
        }
    }
}

#[test]
fn a_codis_that_repeats_what_logs_in() {
    let place = Place::new();
    let text = serde_json::to_string(&format!("{} {}", repeated(PRODUCT), repeated(URL))).unwrap();
    let text = text.trim_matches('"');
    let page = page(format!("{{\"version\": \"{text}\", \"model\": {{\"product_name\": \"{text}\"}}}}"));
    let url = place.serve(0, [("/topom".to_owned(), cause(text)), ("/".to_owned(), page)].into());
    let credentials = format!("me:{URL}");
    let product = [("PIKADOCTOR_PRODUCT_AUTH", PRODUCT), ("PIKADOCTOR_CODIS_AUTH", credentials.as_str())];
    look_everywhere("Codis", &["--codis", &url, "--no-servers"], &product);
}

#[test]
fn an_ssh_that_repeats_its_environment() {
    let directory = tempfile::tempdir().unwrap();
    let (ssh, seen) = (directory.path().join("ssh"), directory.path().join("seen"));
    // What it inherits and what it is told is written down, and said on its standard error as a proxy command may.
    let script = format!("#!/bin/sh\n{{ env; echo \"$@\"; }} | tee -a '{}' >&2\nexit 255\n", seen.display());
    fs::write(&ssh, script).unwrap();
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap());
    let server = repeats();
    let mut command = pikadoctor();
    with_secrets(&mut command).env("PATH", path).env("PIKADOCTOR_PASSWORD_X", PASSWORD);
    command.args(["check", &server, "--ssh", "nowhere.invalid", "--no-ports", "-v", "--format", "json"]);
    let run = Run::of(&mut command);
    assert_clean("ssh", &run.stdout);
    assert_clean("ssh", &run.stderr);
    let seen = fs::read_to_string(Path::new(&seen)).expect("ssh was called");
    assert!(seen.contains("LC_ALL=C") && seen.contains("answer-host"), "{seen}");
    assert_clean("what ssh was handed", &seen);
    assert!(!seen.contains("PIKADOCTOR_"), "{seen}");
}

#[test]
fn a_log_that_holds_the_password_of_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("pika.ERROR");
    let line = |text: &str| format!("E1122 18:41:15.146634  2012 pika_server.cc:12] {text}\n");
    let text =
        format!("Log file created at: 2026/11/22 18:41:15\n{}{}", line(&repeated(PASSWORD)), line(PASSWORD));
    fs::write(&log, text).unwrap();
    let mut command = pikadoctor();
    with_secrets(&mut command).args(["check", &repeats(), "--no-ports", "-v", "--format", "json"]);
    let run = Run::of(command.args(["--logs", log.to_str().unwrap()]));
    assert!(run.stdout.contains("\"logs\""), "{run:?}");
    assert_clean("log", &run.stdout);
    assert_clean("log", &run.stderr);
}

/// A server that writes down whether it was sent a password, and follows `master`, where there is one.
fn listens(host: &str, master: Option<&str>, seen: Arc<Mutex<Vec<String>>>) {
    let own = host.to_owned();
    let role = master.map_or("role:master\r\n".to_owned(), |master| {
        format!("role:slave\r\nmaster_host:{master}\r\nmaster_port:9221\r\nmaster_link_status:up\r\n")
    });
    listener_at(&format!("{host}:9221"), move |stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut out = stream;
        while let Some(words) = request(&mut reader) {
            let answer = match words[0].to_ascii_lowercase().as_str() {
                "auth" => {
                    seen.lock().unwrap().push(format!("{own} {}", words[1]));
                    "+OK\r\n".to_owned()
                }
                "info" => {
                    let text = format!(
                        "# Server\r\npika_version:3.5.5\r\n# Replication\r\n{role}connected_slaves:0\r\n"
                    );
                    format!("${}\r\n{text}\r\n", text.len())
                }
                _ => "-ERR no\r\n".to_owned(),
            };
            if out.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
}

#[test]
fn a_password_goes_to_hosts_that_somebody_named_and_to_no_other() {
    let (named, told) = (own_address(), own_address());
    let seen = Arc::new(Mutex::new(Vec::new()));
    listens(&named, Some(&told), seen.clone());
    listens(&told, None, seen.clone());
    let init = |more: &[&str]| {
        seen.lock().unwrap().clear();
        let mut command = pikadoctor();
        command.args(["init", &format!("{named}:9221"), "--no-ports", "-t", "20s"]).args(more);
        let run = Run::of(command.env("PIKADOCTOR_PASSWORD", PASSWORD));
        assert!(run.stdout.contains(&told), "it is followed: {run:?}");
        let mut hosts: Vec<String> = seen.lock().unwrap().clone();
        hosts.sort();
        hosts.dedup();
        hosts
    };
    let (own, other) = (format!("{named} {PASSWORD}"), format!("{told} {PASSWORD}"));
    assert_eq!(init(&[]), std::slice::from_ref(&own));
    let both = BTreeSet::from([own, other]);
    for hosts in [told.as_str(), "any", "127.0.0.0/8"] {
        assert_eq!(init(&["--password-to", hosts]).into_iter().collect::<BTreeSet<_>>(), both, "{hosts}");
    }
    let mut command = pikadoctor();
    assert_eq!(Run::of(command.args(["init", &named, "--password-to", "10.0.0.0/99"])).code, 3);
}

#[test]
fn a_password_goes_to_no_server_that_a_sentinel_tells_of() {
    let told = own_address();
    let seen = Arc::new(Mutex::new(Vec::new()));
    listens(&told, None, seen.clone());
    let master = format!(
        "*1\r\n*8\r\n$4\r\nname\r\n$1\r\nm\r\n$2\r\nip\r\n${}\r\n{told}\r\n$4\r\nport\r\n$4\r\n9221\r\n$5\r\nflags\r\n$6\r\nmaster\r\n",
        told.len()
    );
    let sentinel = listener_at(&format!("{}:0", own_address()), move |stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut out = stream;
        while let Some(words) = request(&mut reader) {
            let answer = match words.join(" ").to_ascii_lowercase().as_str() {
                "sentinel masters" => master.clone(),
                info if info.starts_with("info") => {
                    let text = "# Server\r\nredis_version:6.0.0\r\nredis_mode:sentinel\r\n# Sentinel\r\nsentinel_masters:1\r\n";
                    format!("${}\r\n{text}\r\n", text.len())
                }
                _ => "*0\r\n".to_owned(),
            };
            if out.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    for (more, count) in [(vec![], 0), (vec!["--password-to", told.as_str()], 1)] {
        seen.lock().unwrap().clear();
        let mut command = pikadoctor();
        command.args(["check", "--sentinel", &sentinel, "--no-ports", "--format", "json"]).args(more);
        let run = Run::of(command.env("PIKADOCTOR_PASSWORD", PASSWORD));
        assert!(run.stdout.contains("3.5.5"), "it is looked at: {run:?}");
        assert_eq!(seen.lock().unwrap().len(), count, "{run:?}");
    }
}

#[test]
fn a_plan_makes_no_address_of_a_password() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("plan.yaml");
    for (variable, value) in [("PIKADOCTOR_PASSWORD", "addr"), ("OF_A", "conf"), ("OF_A", "ssh")] {
        let (addr, more) = match value {
            "addr" => (format!("\"${{{variable}}}.example:9221\""), String::new()),
            key => ("10.0.0.1:9221".to_owned(), format!(", {key}: \"x${{{variable}}}\"")),
        };
        let text = format!("nodes: {{a: {{addr: {addr}, password: {{env: OF_A}}{more}}}}}\n");
        fs::write(&path, text).unwrap();
        let mut command = pikadoctor();
        command.env("OF_A", PASSWORD).env("PIKADOCTOR_PASSWORD", PASSWORD);
        let run = Run::of(command.args(["check", "-f", path.to_str().unwrap()]));
        assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{run:?}");
        assert!(run.stderr.contains(&format!("{variable} holds a password")), "{run:?}");
    }
}
