//! Derived ports: what is touched on which release and with which bytes, and what is made of the answer.
//! Each server sits on a loopback address of its own.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::{Run, Served, listener_at, pikadoctor, recording, serve_at};

/// The client port of every server here.
const CLIENT: u16 = 9221;

/// Every offset that some release uses.
const OFFSETS: [u16; 8] = [100, 200, 300, 1000, 1100, 2000, 3000, 10001];

const POSITION: [u8; 28] = [
    0x00, 0x00, 0x00, 0x18, 0x08, 0x02, 0x10, 0x01, 0x32, 0x12, 0x08, 0x03, 0x12, 0x07, 0x0a, 0x03, 0x64,
    0x62, 0x30, 0x10, 0x00, 0x1a, 0x05, 0x08, 0x00, 0x10, 0xe2, 0x77,
];

/// What was sent to which offset.
type Touched = Arc<Mutex<Vec<(u16, Vec<u8>)>>>;

/// A host with a recorded server and a listener on every derived port.
struct Host {
    ip: String,
    touched: Touched,
    _server: Served,
}

impl Host {
    /// `greet` says what a port sends to whoever connects, before it reads what comes.
    fn new(
        number: u8,
        name: &str,
        greet: impl Fn(u16) -> &'static [u8] + Send + Sync + Copy + 'static,
    ) -> Self {
        Self::with(number, recording(name), &OFFSETS, greet)
    }

    fn with(
        number: u8,
        recording: pikadoctor::lab::recorded::Recording,
        offsets: &[u16],
        greet: impl Fn(u16) -> &'static [u8] + Send + Sync + Copy + 'static,
    ) -> Self {
        let ip = format!("127.77.0.{number}");
        let touched: Touched = Arc::default();
        for offset in offsets.iter().copied() {
            let log = touched.clone();
            listener_at(&format!("{ip}:{}", CLIENT + offset), move |mut stream: TcpStream| {
                let index = {
                    let mut log = log.lock().unwrap();
                    log.push((offset, Vec::new()));
                    log.len() - 1
                };
                let _ = stream.write_all(greet(offset));
                stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
                let mut buffer = [0; 1024];
                while let Ok(count) = stream.read(&mut buffer) {
                    if count == 0 {
                        break;
                    }
                    log.lock().unwrap()[index].1.extend_from_slice(&buffer[..count]);
                    if greet(offset).starts_with(b"@RSYNCD") {
                        let _ = stream.write_all(b"@RSYNCD: AUTHREQD c2FsdA\n");
                    }
                }
            });
        }
        let server = serve_at(recording, &format!("{ip}:{CLIENT}"));
        Self { ip, touched, _server: server }
    }

    fn address(&self) -> String {
        format!("{}:{CLIENT}", self.ip)
    }

    fn check(&self, arguments: &[&str]) -> Run {
        Run::of(pikadoctor().args(["check", &self.address(), "--connect-timeout", "500ms"]).args(arguments))
    }

    /// The ports of the report: number and state.
    fn ports(&self) -> Vec<(u64, String, serde_json::Value)> {
        let run = self.check(&["--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let ports = report["facts"]["nodes"][0]["ports"].as_array().expect("ports").clone();
        ports
            .into_iter()
            .map(|port| (port["offset"].as_u64().unwrap(), port["state"].as_str().unwrap().into(), port))
            .collect()
    }

    /// What was sent, once every connection has ended.
    fn touched(&self) -> Vec<(u16, String)> {
        thread::sleep(Duration::from_millis(700));
        let mut touched: Vec<(u16, String)> = self
            .touched
            .lock()
            .unwrap()
            .iter()
            .map(|(offset, bytes)| (*offset, bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
            .collect();
        touched.sort();
        touched
    }
}

/// What the ports of a healthy server say.
fn healthy(release: &str) -> fn(u16) -> &'static [u8] {
    if release.starts_with("v3.1") || release.starts_with("v3.3") {
        |offset| match offset {
            1000 => b"@RSYNCD: 31.0\n",
            2000 => &POSITION,
            _ => b"",
        }
    } else if release.starts_with("v3.5") || release.starts_with("v4") {
        |offset| if offset == 2000 { &POSITION } else { b"" }
    } else {
        |_| b""
    }
}

#[test]
fn what_is_touched_on_each_release_and_with_which_bytes() {
    let mut table = String::new();
    let names = [
        "v2.3.0/standalone/standalone",
        "v2.3.0/replica-up/slave",
        "v2.3.3/standalone/standalone",
        "v2.3.6/standalone/standalone",
        "v2.3.6/double-master-up/a",
        "v3.0.16/standalone/standalone",
        "v3.0.16/replica-up/slave",
        "v3.1.0/standalone/standalone",
        "v3.3.6/replica-up/slave",
        "v3.5.5/standalone/standalone",
        "v4.0.1/replica-up/slave",
    ];
    for (index, name) in names.iter().enumerate() {
        let host = Host::new(u8::try_from(index + 1).unwrap(), name, healthy(name));
        host.check(&[]);
        let _ = writeln!(table, "{name}");
        for (offset, bytes) in host.touched() {
            let _ = writeln!(table, "    +{offset}: {}", if bytes.is_empty() { "connect" } else { &bytes });
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn the_port_that_believes_every_connection_is_never_touched() {
    for (number, name) in [
        (21, "v2.3.3/standalone/standalone"),
        (22, "v2.3.6/standalone/standalone"),
        (23, "v2.3.6/replica-up/slave"),
        (24, "v2.3.6/replica-up/master"),
    ] {
        let host = Host::new(number, name, |_| b"");
        host.check(&[]);
        assert!(host.touched().iter().all(|(offset, _)| ![1000, 1100].contains(offset)), "{name}");
    }
}

#[test]
fn a_server_that_reports_another_release_is_found_out_before_its_ports_are_touched() {
    let saying = |name: &str, from: &str, to: &str| {
        let mut other = recording(name);
        for reply in &mut other.replies {
            reply.reply = reply.reply.replace(&format!("pika_version:{from}"), &format!("pika_version:{to}"));
            // A build of no commit that is known.
            let sha = reply.reply.find("pika_git_sha:").map(|at| at + "pika_git_sha:".len());
            if let Some(sha) = sha {
                reply.reply.replace_range(sha..sha + 40, &"0".repeat(40));
            }
        }
        other
    };
    for (number, name, from, to) in [
        (91, "v2.3.6/standalone/standalone", "2.3.6", "2.3.0"),
        (92, "v2.3.6/standalone/standalone", "2.3.6", "2.2.6"),
        (93, "v2.3.6/standalone/standalone", "2.3.6", "3.3.6"),
        (94, "v2.3.6/standalone/standalone", "2.3.6", "3.0.6"),
    ] {
        let host = Host::with(number, saying(name, from, to), &OFFSETS, |_| b"");
        let run = host.check(&["--format", "short"]);
        assert!(run.stdout.contains("WARNING node/release-recognised"), "{name} as {to}: {}", run.stdout);
        assert!(host.touched().is_empty(), "{name} as {to}: {:?}", host.touched());
    }
    // Nothing speaks against these, and nothing proves them: the port that could believe it is left alone.
    for (number, name, own) in
        [(95, "v2.3.0/standalone/standalone", "2.3.0"), (96, "v3.0.16/standalone/standalone", "3.0.16")]
    {
        let host = Host::with(number, saying(name, own, own), &OFFSETS, |_| b"");
        let run = host.check(&["--format", "short", "-v"]);
        assert!(run.stdout.contains("ok node/release-recognised"), "{name}: {}", run.stdout);
        let touched: Vec<u16> = host.touched().into_iter().map(|(offset, _)| offset).collect();
        assert!(touched.contains(&2000) && !touched.contains(&1000), "{name}: {touched:?}");
    }
}

#[test]
fn nothing_but_the_client_port_is_touched_when_the_release_is_unknown() {
    let mut unknown = recording("v3.5.5/standalone/standalone");
    for reply in &mut unknown.replies {
        if reply.command.join(" ") == "INFO server" {
            reply.reply = reply.reply.replace("pika_version:3.5.5", "pika_version:7.5.5");
        }
    }
    let host = Host::with(31, unknown, &OFFSETS, |_| b"");
    assert_eq!(host.check(&[]).code, 3);
    assert!(host.touched().is_empty());
    let host = Host::new(32, "other/redis-7/standalone/standalone", |_| b"");
    assert_eq!(host.check(&[]).code, 2);
    assert!(host.touched().is_empty());
    let host = Host::new(33, "v3.5.5/standalone/standalone", healthy("v3.5.5"));
    assert_eq!(host.check(&["--no-ports"]).code, 0);
    assert!(host.touched().is_empty());
}

#[test]
fn healthy_ports_of_every_generation_are_silent() {
    for (number, name) in
        [(41, "v3.1.0"), (42, "v3.3.6"), (43, "v3.5.5"), (44, "v4.0.1"), (45, "v2.3.6"), (46, "v3.0.16")]
    {
        let host = Host::new(number, &format!("{name}/standalone/standalone"), healthy(name));
        let run = host.check(&[]);
        assert_eq!(run.code, 0, "{name}: {}", run.stdout);
    }
}

#[test]
fn the_position_is_read_from_the_replication_port() {
    let host = Host::new(51, "v3.5.5/standalone/standalone", healthy("v3.5.5"));
    let ports = host.ports();
    let (_, state, port) = ports.iter().find(|(offset, _, _)| *offset == 2000).unwrap();
    assert_eq!(state, "proven");
    assert_eq!(port["position"]["offset"], 15330);
}

#[test]
fn another_program_on_a_port_is_named() {
    let host = Host::new(52, "v3.5.5/standalone/standalone", |offset| match offset {
        2000 => b"HTTP/1.1 400 Bad Request\r\n\r\n",
        10001 => b"SSH-2.0-OpenSSH_9.2p1\r\n",
        _ => b"",
    });
    let run = host.check(&[]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    let text = run.text();
    assert!(
        text.contains("port 11221 (+2000, serves replicas as a master) is taken by something else"),
        "{text}"
    );
    assert!(text.contains("SSH-2.0-OpenSSH_9.2p1"), "{text}");
}

#[test]
fn a_closed_port_is_named_with_its_direction() {
    let host = Host::with(53, recording("v3.3.6/standalone/standalone"), &[2000], healthy("v3.3.6"));
    let run = host.check(&[]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    let text = run.text();
    assert!(text.contains("its master must reach 127.77.0.53:10221"), "{text}");
    assert!(!text.contains("port 11221 "), "only the closed port is named: {text}");
    let run = host.check(&["--lang", "zh"]);
    assert!(run.stdout.contains("它的主库必须能连到 127.77.0.53:10221"), "{}", run.stdout);
}

#[test]
fn a_dropped_port_is_named_as_filtered() {
    let host = Host::with(54, recording("v3.5.5/standalone/standalone"), &[2000], healthy("v3.5.5"));
    // A full queue makes the kernel drop further attempts.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.77.0.54:19222".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.listen(0).unwrap();
    let mut fillers = Vec::new();
    while let Ok(filler) =
        TcpStream::connect_timeout(&"127.77.0.54:19222".parse().unwrap(), Duration::from_millis(200))
    {
        fillers.push(filler);
        assert!(fillers.len() < 100, "the queue never fills");
    }
    let run = host.check(&[]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(
        run.text().contains("port 19222 (+10001, gives the full copy to replicas) does not answer"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_full_sync_port_that_is_closed_is_not_missing() {
    let host = Host::with(55, recording("v3.0.16/standalone/standalone"), &[1000, 2000], |_| b"");
    let run = host.check(&[]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(host.ports().iter().any(|(offset, state, _)| *offset == 3000 && state == "closed"));
}

#[test]
fn a_replication_port_that_closes_without_a_word_is_open_and_not_proven() {
    let server = serve_at(recording("v3.3.6/sharding-standalone/standalone"), "127.77.0.56:9221");
    listener_at("127.77.0.56:10221", |mut stream| {
        let _ = stream.write_all(b"@RSYNCD: 31.0\n");
        thread::sleep(Duration::from_secs(1));
    });
    listener_at("127.77.0.56:11221", |mut stream| {
        let _ = stream.read(&mut [0; 256]);
        let _ = stream.shutdown(Shutdown::Both);
    });
    let run = Run::of(pikadoctor().args(["check", &server.address, "--format", "json"]));
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let ports = &report["facts"]["nodes"][0]["ports"];
    assert_eq!(ports[1]["state"], "open", "{ports}");
    assert_eq!(ports[1]["detail"]["text"], "no answer to TrySync");
}

#[test]
fn a_client_port_that_is_too_high_is_a_finding() {
    let server = serve_at(recording("v3.5.5/standalone/standalone"), "127.77.0.57:60000");
    listener_at("127.77.0.57:62000", |mut stream| {
        let _ = stream.write_all(&POSITION);
        thread::sleep(Duration::from_secs(1));
    });
    let run = Run::of(pikadoctor().args(["check", &server.address]));
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.text().contains("client port 60000 + 10001 is 70001"), "{}", run.stdout);
}

#[test]
fn two_servers_of_one_run_that_want_the_same_port() {
    let first = Host::with(58, recording("v3.0.16/standalone/standalone"), &[1000, 2000], |_| b"");
    // The client port of the second is the port of the first one's full sync.
    let second = serve_at(recording("v3.0.16/standalone/standalone"), "127.77.0.58:12221");
    let run = Run::of(pikadoctor().args(["check", "--no-ports", &first.address(), &second.address]));
    assert_eq!(run.code, 2, "{}", run.stdout);
    let text = run.text();
    assert!(
        text.contains("port 12221 is wanted by this server (rsync) and by 127.77.0.58:12221 (client)"),
        "{text}"
    );
    let elsewhere = Host::with(59, recording("v3.0.16/standalone/standalone"), &[1000, 2000], |_| b"");
    let run = Run::of(pikadoctor().args(["check", "--no-ports", &elsewhere.address(), &second.address]));
    assert_eq!(run.code, 0, "{}", run.stdout);
}

#[test]
fn the_rsync_of_3_1_to_3_4_must_have_the_module_of_full_copies_and_ask_for_a_secret() {
    for (number, answer, state) in [
        (71, "@RSYNCD: AUTHREQD qzPOLmBjkaKaBDKkKMiAJw\n", "proven"),
        (72, "@ERROR: Unknown module 'document'\n", "other"),
        (73, "@RSYNCD: OK\n", "other"),
        (74, "", "open"),
    ] {
        let others: Vec<u16> = OFFSETS.into_iter().filter(|offset| *offset != 1000).collect();
        let host = Host::with(number, recording("v3.3.6/standalone/standalone"), &others, |_| b"");
        listener_at(&format!("{}:{}", host.ip, CLIENT + 1000), move |mut stream: TcpStream| {
            let _ = stream.write_all(b"@RSYNCD: 32.0 sha512 sha256 sha1 md5 md4\n");
            let mut question = [0; 64];
            let read = stream.read(&mut question).unwrap_or(0);
            assert_eq!(&question[..read], b"@RSYNCD: 31.0\ndocument\n");
            let _ = stream.write_all(answer.as_bytes());
        });
        let seen = host.ports().into_iter().find(|(offset, ..)| *offset == 1000).unwrap();
        assert_eq!(seen.1, state, "{answer}: {}", seen.2);
    }
}
