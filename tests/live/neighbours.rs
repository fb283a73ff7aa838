//! Real servers from Debian's packages that are not Pikas. Run with `PIKADOCTOR_NEIGHBOURS=1` where
//! redis-server, redis-sentinel and rsync are installed; ignored elsewhere.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::support::process::{free_port, start};
use crate::support::{Run, pikadoctor, recording, serve_at};

fn check(port: u16, password: &str) -> Run {
    Run::of(pikadoctor().args(["check", &format!("127.0.0.1:{port}")]).env("PIKADOCTOR_PASSWORD", password))
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs redis-server: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_real_redis() {
    let port = free_port("127.0.0.1");
    let directory = tempfile::tempdir().unwrap();
    let dir = directory.path().to_string_lossy().into_owned();
    let _redis = start(
        ("127.0.0.1", port),
        "redis-server",
        &["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir", &dir],
    );
    let run = check(port, "");
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.text().contains("Redis 7.") && run.text().contains("not Pika"), "{}", run.stdout);
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs redis-server: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_real_redis_with_a_password() {
    let port = free_port("127.0.0.1");
    let directory = tempfile::tempdir().unwrap();
    let conf = write(
        directory.path(),
        "redis.conf",
        &format!(
            "port {port}\nbind 127.0.0.1\nsave \"\"\nrequirepass sesame\ndir {}\n",
            directory.path().display()
        ),
    );
    let _redis = start(("127.0.0.1", port), "redis-server", &[&conf]);
    assert_eq!(check(port, "").code, 3, "it cannot be told from a Pika of 3.5.3");
    let wrong = check(port, "wrong");
    assert_eq!(wrong.code, 2, "{}", wrong.stdout);
    assert!(wrong.text().contains("the password that was given is refused"), "{}", wrong.stdout);
    let right = check(port, "sesame");
    assert_eq!(right.code, 2, "{}", right.stdout);
    assert!(right.text().contains("not Pika"), "{}", right.stdout);
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs redis-sentinel: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_real_sentinel() {
    let port = free_port("127.0.0.1");
    let directory = tempfile::tempdir().unwrap();
    let conf = write(
        directory.path(),
        "sentinel.conf",
        &format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor m 127.0.0.1 1 1\ndir {}\n",
            directory.path().display()
        ),
    );
    let _sentinel = start(("127.0.0.1", port), "redis-sentinel", &[&conf]);
    let run = check(port, "");
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.text().contains("a sentinel, not the server that it watches"), "{}", run.stdout);
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs rsync: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_real_rsync_daemon() {
    let port = free_port("127.0.0.1");
    let directory = tempfile::tempdir().unwrap();
    let conf = write(directory.path(), "rsyncd.conf", "use chroot = no\nlist = no\n");
    let log = directory.path().join("log").to_string_lossy().into_owned();
    let arguments = [
        "--daemon",
        "--no-detach",
        "--address=127.0.0.1",
        "--port",
        &port.to_string(),
        "--config",
        &conf,
        "--log-file",
        &log,
    ];
    let _rsync = start(("127.0.0.1", port), "rsync", &arguments);
    let run = check(port, "");
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.text().contains("an rsync daemon answers"), "{}", run.stdout);
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs rsync: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_real_rsync_daemon_is_told_by_its_module() {
    // As Pika 3.1 to 3.4 configures it, and without the module.
    for (module, state) in [("[document]\npath = /tmp\nauth users = rsync_user\n", "proven"), ("", "other")] {
        let directory = tempfile::tempdir().unwrap();
        let secrets = write(directory.path(), "secrets", "rsync_user:default\n");
        let conf =
            format!("use chroot = no\nlist = no\nstrict modes = no\nsecrets file = {secrets}\n{module}");
        let conf = write(directory.path(), "rsyncd.conf", &conf);
        let log = directory.path().join("log").to_string_lossy().into_owned();
        // The port of rsync is that of Pika plus 1000.
        let port = loop {
            let port = free_port("127.0.0.1");
            if port < 60_000 && TcpListener::bind(("127.0.0.1", port + 1000)).is_ok() {
                break port;
            }
        };
        let rsync_port = (port + 1000).to_string();
        let arguments = [
            "--daemon",
            "--no-detach",
            "--address=127.0.0.1",
            "--port",
            &rsync_port,
            "--config",
            &conf,
            "--log-file",
            &log,
        ];
        let _rsync = start(("127.0.0.1", port + 1000), "rsync", &arguments);
        let pika = serve_at(recording("v3.3.6/standalone/standalone"), &format!("127.0.0.1:{port}"));
        let run = Run::of(pikadoctor().args(["check", &pika.address, "--format", "json"]));
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let ports = report["facts"]["nodes"][0]["ports"].as_array().unwrap();
        let rsync = ports.iter().find(|port| port["role"] == "rsync").unwrap();
        assert_eq!(rsync["state"], state, "{rsync}");
    }
}
