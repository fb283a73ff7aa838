//! Whatever answers, or does not, has a sentence of its own and the right exit code, in time.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Run, answering, listener, pikadoctor, recording, run, serve};

/// Checks `address` with short deadlines. That the run ends by them is the promise, so real time is looked at: servers
/// that say nothing do so for 30 s, and the bound between the two is wide, for a machine that is busy.
fn check(address: &str) -> Run {
    let began = Instant::now();
    let run = run(&[
        "check",
        "--no-ports",
        address,
        "-t",
        "3s",
        "--connect-timeout",
        "700ms",
        "--reply-timeout",
        "700ms",
    ]);
    assert!(began.elapsed() < Duration::from_secs(20), "{address}: {:?}", began.elapsed());
    assert_eq!(run.stderr, "", "nothing but the report");
    run
}

#[track_caller]
fn assert_says(run: &Run, code: i32, sentence: &str) {
    assert!(run.text().contains(sentence), "`{sentence}` is not in:\n{}", run.stdout);
    assert_eq!(run.code, code, "{}", run.stdout);
}

#[test]
fn a_closed_port() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    assert_says(&check(&address), 2, "refuses the connection: the host is there, and nothing listens");
}

#[test]
fn nothing_is_ok_about_a_server_that_was_not_examined() {
    let redis = serve(recording("other/redis-7/standalone/standalone"));
    for address in ["127.0.0.1:1", "no-such-host.invalid:9221", redis.address.as_str()] {
        let run = run(&["check", "--no-ports", address, "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let reached = if address == redis.address { vec!["node/reachable"] } else { Vec::new() };
        let fine: Vec<&str> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|finding| {
                ["ok", "not-applicable", "skipped"].contains(&finding["state"].as_str().unwrap())
            })
            .map(|finding| finding["check"].as_str().unwrap())
            .collect();
        assert_eq!(fine, reached, "{address}");
    }
}

#[test]
fn a_black_hole() {
    // A listener whose queue is full lets the kernel drop further attempts, as a packet filter does.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut fillers = Vec::new();
    while let Ok(filler) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        fillers.push(filler);
        assert!(fillers.len() < 100, "the queue never fills");
    }
    assert_says(
        &check(&address.to_string()),
        2,
        "does not answer to connecting: a packet filter drops it, or the host is down",
    );
}

#[test]
fn a_name_that_does_not_resolve() {
    assert_says(&check("no-such-host.invalid:9221"), 3, "the name no-such-host.invalid has no address");
}

#[test]
fn a_server_that_says_nothing() {
    let address = listener(|stream| {
        thread::sleep(Duration::from_secs(20));
        drop(stream);
    });
    assert_says(&check(&address), 2, "takes the connection and then says nothing");
}

#[test]
fn a_server_that_closes_at_once() {
    let address = listener(|stream| {
        let _ = stream.shutdown(Shutdown::Both);
    });
    assert_says(&check(&address), 2, "closes the connection without an answer");
}

#[test]
fn half_an_answer() {
    assert_says(
        &check(&answering(b"$500\r\n# Server\r\npika_version:2.3.6\r\n")),
        2,
        "begins an answer and does not end it",
    );
}

#[test]
fn one_byte_at_a_time() {
    let address = listener(|mut stream| {
        for byte in b"$100000\r\n# Server\r\n".iter().cycle() {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
    });
    assert_says(&check(&address), 2, "begins an answer and does not end it");
}

#[test]
fn an_answer_without_end() {
    let address = listener(|mut stream| {
        let block = vec![b'x'; 1 << 16];
        let _ = stream.write_all(b"$999999999\r\n");
        while stream.write_all(&block).is_ok() {}
    });
    assert_says(&check(&address), 2, "more than 4 MiB came in answer");
}

#[test]
fn an_array_of_a_billion() {
    assert_says(&check(&answering(b"*1000000000\r\n")), 2, "begins an answer and does not end it");
}

#[test]
fn arrays_in_arrays() {
    let address = listener(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&b"*1\r\n".repeat(100_000));
        thread::sleep(Duration::from_secs(5));
    });
    assert_says(&check(&address), 2, "does not speak Redis' protocol");
}

#[test]
fn a_web_server() {
    assert_says(
        &check(&answering(b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n")),
        2,
        "a web server answers",
    );
}

#[test]
fn a_tls_port() {
    assert_says(&check(&answering(&[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x46])), 2, "expects TLS");
}

#[test]
fn an_ssh_server() {
    assert_says(&check(&answering(b"SSH-2.0-OpenSSH_9.2p1\r\n")), 2, "SSH-2.0-OpenSSH_9.2p1");
}

#[test]
fn an_rsync_daemon() {
    assert_says(&check(&answering(b"@RSYNCD: 31.0\n")), 2, "an rsync daemon answers");
}

#[test]
fn garbage() {
    assert_says(&check(&answering(b"\xff\xfe\x00\x01garbage\r\n")), 2, "it sends the bytes ff fe 00 01");
}

#[test]
fn a_redis() {
    let server = serve(recording("other/redis-7/standalone/standalone"));
    assert_says(&check(&server.address), 2, "Redis 7.0.15 answers at");
}

#[test]
fn a_redis_in_protected_mode() {
    let server = serve(recording("other/redis-7/protected-mode/standalone"));
    assert_says(&check(&server.address), 2, "Redis in protected mode answers");
}

#[test]
fn a_redis_behind_a_password() {
    let server = serve(recording("other/redis-7/auth/unauthenticated"));
    assert_says(&check(&server.address), 3, "it wants a password before it says what it is");
}

#[test]
fn a_codis_proxy() {
    assert_says(
        &check(&answering(b"-ERR backend server 'server' not found\r\n")),
        2,
        "a Codis proxy answers",
    );
}

#[test]
fn a_sentinel() {
    let info: &'static [u8] = b"$45\r\nredis_version:7.0.15\r\nredis_mode:sentinel\r\n\r\n\r\n";
    assert_says(&check(&answering(info)), 2, "a sentinel, not the server that it watches");
}

#[test]
fn a_valkey() {
    let info: &'static [u8] = b"$43\r\nredis_version:7.2.4\r\nvalkey_version:8.0.1\r\n\r\n";
    assert_says(&check(&answering(info)), 2, "Valkey 8.0.1 answers");
}

#[test]
fn a_pika_behind_a_password() {
    let server = serve(recording("v2.3.6/auth/standalone-unauthenticated"));
    let run = check(&server.address);
    assert_says(&run, 3, "it wants a password, and none was given");
    assert!(run.text().contains("PIKADOCTOR_PASSWORD"));
}

#[test]
fn a_wrong_password() {
    for release in ["v2.3.6", "v3.3.6", "v3.5.5"] {
        let server = serve(recording(&format!("{release}/auth/standalone-unauthenticated")));
        let run = Run::of(
            pikadoctor()
                .args(["check", "--no-ports", &server.address])
                .env("PIKADOCTOR_PASSWORD", "wrongpass"),
        );
        assert_says(&run, 2, "the password that was given is refused");
    }
}

#[test]
fn a_wrong_password_that_is_accepted() {
    // What 3.5.5 says to AUTH with any word while userpass is empty, before everything else it says.
    let mut recording = crate::support::recording("v3.5.5/auth-requirepass-only/standalone-requirepass");
    let wrong = crate::support::recording("v3.5.5/auth-any-password/standalone-wrong-password");
    recording.replies.splice(0..0, wrong.replies);
    let server = serve(recording);
    let run = Run::of(
        pikadoctor().args(["check", "--no-ports", &server.address]).env("PIKADOCTOR_PASSWORD", "wrongpass"),
    );
    assert_says(
        &run,
        2,
        "AUTH answered OK to a password that is neither requirepass nor userpass, as user limit",
    );
}

#[test]
fn the_right_password_from_a_file() {
    let server = serve(recording("v2.3.6/auth/standalone-requirepass"));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    std::fs::write(&file, "secret-root\n").unwrap();
    let run = run(&["check", "--no-ports", &server.address, "--password-file", file.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stdout);
}

#[test]
fn a_server_that_breaks_off_after_the_first_batch() {
    let address = listener(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let server = "# Server\r\npika_version:2.3.6\r\n";
        let replication = "# Replication(MASTER)\r\nrole:master\r\nconnected_slaves:0\r\n";
        let _ =
            write!(stream, "${}\r\n{server}\r\n${}\r\n{replication}\r\n", server.len(), replication.len());
        let _ = stream.read(&mut [0; 16384]);
        let _ = stream.shutdown(Shutdown::Both);
    });
    let run = check(&address);
    assert_says(&run, 3, "the server closed the connection");
}

#[test]
fn replies_that_are_out_of_step() {
    // The third reply is that of another command: nothing in it is taken for INFO.
    let address = listener(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let server = "# Server\r\npika_version:2.3.6\r\n";
        let _ = write!(stream, "${}\r\n{server}\r\n:7\r\n", server.len());
        let _ = stream.read(&mut [0; 16384]);
        while stream.write_all(b":1\r\n*3\r\n:1\r\n:2\r\n:3\r\n$-1\r\n").is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
    });
    let run = check(&address);
    assert_eq!(run.code, 3, "{}", run.stdout);
}

#[test]
fn every_address_of_a_name_is_tried() {
    // localhost is ::1 and 127.0.0.1; the server listens on one of them.
    let server = serve(recording("v3.5.5/standalone/standalone"));
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    let run = run(&["check", "--no-ports", &format!("localhost:{port}"), "--format", "json"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
}

#[test]
fn terminal_escapes_of_a_server_do_not_reach_the_terminal() {
    let address = listener(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let info = "# Server\r\npika_version:\u{1b}[2J\u{1b}]0;owned\u{7}7.0.0|\r\n";
        let _ = write!(stream, "${}\r\n{info}\r\n$0\r\n\r\n", info.len());
        thread::sleep(Duration::from_secs(5));
    });
    for format in ["human", "nagios", "json"] {
        let run = run(&["check", "--no-ports", &address, "--format", format]);
        assert!(!run.stdout.contains('\u{1b}'), "{format}: {:?}", run.stdout);
        assert!(!run.stdout.contains('\u{7}'), "{format}: {:?}", run.stdout);
        assert_eq!(run.code, 3, "{format}");
    }
    // With colours there are escapes of ours, and they are colours only.
    let run = Run::of(pikadoctor().args(["check", "--no-ports", &address]).env("CLICOLOR_FORCE", "1"));
    let mut styles = run.stdout.split('\u{1b}').skip(1);
    assert!(
        styles.all(|rest| rest.starts_with('[') && rest[1..].find('m').is_some_and(|end| end <= 5)),
        "{:?}",
        run.stdout
    );
}

#[test]
fn the_run_ends_at_its_deadline_whatever_the_targets_do() {
    let silent = listener(|stream| {
        thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    let began = Instant::now();
    let run = run(&["check", &silent, "-t", "500ms"]);
    // Far from both ends: a busy machine takes seconds, and a run that waited for an answer takes a minute.
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(run.code, 2, "{}", run.stdout);
}
