//! Hosts over a real ssh server. Run with `PIKADOCTOR_NEIGHBOURS=1` as root where openssh-server and
//! openssh-client are installed; ignored elsewhere.

mod common;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Run, pikadoctor, recording, serve};
use serde_json::Value;

/// A place with keys, and a `ssh` that knows them.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap() };
        for key in ["host_key", "other_host_key", "key", "other_key"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(place.path(key))
                .status()
                .unwrap();
            assert!(made.success());
        }
        fs::copy(place.path("key.pub"), place.path("authorized_keys")).unwrap();
        for directory in ["bin", "there", "temporary"] {
            fs::create_dir(place.path(directory)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_pikadoctor"), place.path("there/pikadoctor")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A program that this machine, or the other one, finds in its PATH.
    fn program(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The system's ssh with a configuration of its own: its `~` is that of the password file, whatever HOME says.
    fn client(&self, port: u16, key: &str, known: &str) {
        let config = format!(
            "Host db1\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {}\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n",
            self.path(key).display(),
            self.path("known_hosts").display()
        );
        fs::write(self.path("config"), config).unwrap();
        let known: Vec<&str> = known.split_whitespace().take(2).collect();
        let line = if known.is_empty() {
            String::new()
        } else {
            format!("[127.0.0.1]:{port} {}\n", known.join(" "))
        };
        fs::write(self.path("known_hosts"), line).unwrap();
        let ssh = format!("#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n", self.path("config").display());
        self.program("bin/ssh", ssh);
    }

    /// An ssh server that sets `PATH` and whatever `more` says.
    fn server(&self, path: &str, more: &str) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        fs::create_dir_all("/run/sshd").unwrap();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             SetEnv PATH={path} TMPDIR={}\n{more}\n",
            self.path("host_key").display(),
            self.path("authorized_keys").display(),
            self.path("temporary").display(),
        );
        fs::write(self.path("sshd_config"), config).unwrap();
        let child = Command::new("unshare")
            .args(["--mount", "sh", "-c"])
            .arg(format!(
                "mount --make-rprivate /; {} exec /usr/sbin/sshd -D -f {}",
                if more.contains("#noexec") {
                    format!("mount -t tmpfs -o noexec none {};", self.path("temporary").display())
                } else {
                    String::new()
                },
                self.path("sshd_config").display()
            ))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, port };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "sshd does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        self.client(port, "key", &self.text("host_key.pub"));
        server
    }

    fn there(&self) -> String {
        format!("{}:/usr/bin:/bin", self.path("there").display())
    }

    /// `check` of a recorded server whose host is behind ssh.
    fn check(&self, arguments: &[&str]) -> Checked {
        let server = serve(recording("v3.3.6/standalone/standalone"));
        let mut command = pikadoctor();
        command.args(["check", "--no-ports", &server.address]).args(arguments);
        if !arguments.contains(&"--timeout") {
            command.args(["--timeout", "20s"]);
        }
        command.env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()));
        let human = Run::of(&mut command);
        let run = Run::of(command.args(["--format", "json"]));
        let report: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr));
        Checked { human, report }
    }

    fn is_clean(&self) {
        let left: Vec<_> =
            fs::read_dir(self.path("temporary")).unwrap().flatten().map(|e| e.path()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Checked {
    human: Run,
    report: Value,
}

impl Checked {
    fn host(&self) -> &Value {
        assert_eq!(self.report["facts"]["hosts"].as_array().map(Vec::len), Some(1), "{}", self.human.stderr);
        &self.report["facts"]["hosts"][0]
    }

    fn finding(&self, check: &str) -> &Value {
        let findings = self.report["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("no {check}"))
    }

    fn was_looked_at(&self) {
        assert_eq!(self.host()["ssh"], Value::Null, "{:#}", self.host()["ssh"]);
        assert_eq!(self.finding("host/ssh")["state"], "ok");
        assert_eq!(self.host()["seen"], "ssh");
        assert_eq!(self.host()["name"], "db1");
        assert!(self.host()["kernel"]["release"].is_string());
    }

    /// The trouble, and the sentence that a person reads about it.
    fn failed(&self, kind: &str, sentence: &str) {
        assert_eq!(self.host()["ssh"]["kind"], kind, "{:#}", self.host()["ssh"]);
        assert_eq!(self.finding("host/ssh")["state"], "unknown");
        assert!(self.human.text().contains(sentence), "{sentence:?} is not in {}", self.human.stdout);
        assert_eq!(self.human.code, 3, "{}", self.human.stdout);
        // What was not seen is not judged.
        assert_eq!(self.finding("host/rsync")["state"], "skipped");
    }
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_host_is_looked_at_over_ssh() {
    let place = Place::new();
    let _server = place.server(&place.there(), "");
    let checked = place.check(&["--ssh", "db1"]);
    checked.was_looked_at();
    // The recorded server is not a process of that host, and nothing is made up about it.
    assert_eq!(checked.finding("host/processes")["state"], "warning");
    assert_eq!(checked.finding("host/clock")["state"], "ok");
    // A greeting before the answer does no harm.
    let greeting = "ForceCommand echo Welcome to db1; eval \"$SSH_ORIGINAL_COMMAND\"";
    let _server = place.server(&place.there(), greeting);
    place.check(&["--ssh", "db1"]).was_looked_at();
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd: set PIKADOCTOR_NEIGHBOURS=1")]
fn a_host_without_the_program_gets_a_copy_for_the_moment() {
    let place = Place::new();
    let _server = place.server("/usr/bin:/bin", "");
    place.check(&["--ssh", "db1"]).failed("no-binary", "there is no pikadoctor in the PATH of db1");
    place.check(&["--ssh", "db1", "--ssh-copy"]).was_looked_at();
    place.is_clean();
    let _server = place.server("/usr/bin:/bin", "#noexec");
    let checked = place.check(&["--ssh", "db1", "--ssh-copy"]);
    checked.failed("not-executable", "nothing may be run from the temporary directory of db1");
    // Whoever has to wait for the copy too long leaves nothing behind either.
    place.program("there/cat", "#!/bin/sh\nsleep 3\n");
    let _server = place.server(&place.there(), "");
    place
        .check(&["--ssh", "db1", "--ssh-copy", "--timeout", "1s"])
        .failed("timed-out", "no answer from db1 in time");
    thread::sleep(Duration::from_secs(4));
    place.is_clean();
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd: set PIKADOCTOR_NEIGHBOURS=1")]
fn each_trouble_of_ssh_has_its_own_sentence() {
    let place = Place::new();
    let server = place.server(&place.there(), "");
    let key = place.text("host_key.pub");
    let check = || place.check(&["--ssh", "db1"]);
    place.client(server.port, "other_key", &key);
    check().failed("permission-denied", "db1 lets nobody in with the keys that were offered");
    place.client(server.port, "key", "");
    check().failed("host-key-unknown", "the host key of db1 is not known here");
    place.client(server.port, "key", &place.text("other_host_key.pub"));
    check().failed("host-key-changed", "the host key of db1 is another one than before");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    place.client(closed, "key", &key);
    check().failed("refused", "db1 refuses connections to the port of ssh");
    place
        .check(&["--ssh", "nowhere.invalid"])
        .failed("unresolved", "the name of nowhere.invalid has no address");
    let mute = common::listener(|_| thread::sleep(Duration::from_secs(30)));
    place.client(mute.rsplit(':').next().unwrap().parse().unwrap(), "key", &key);
    place.check(&["--ssh", "db1", "--timeout", "2s"]).failed("timed-out", "no answer from db1 in time");
    fs::remove_file(place.path("bin/ssh")).unwrap();
    let nowhere = serve(recording("v3.3.6/standalone/standalone"));
    let run = Run::of(
        pikadoctor()
            .args(["check", "--no-ports", &nowhere.address, "--ssh", "db1"])
            .env("PATH", place.path("bin")),
    );
    assert!(run.text().contains("there is no ssh on this machine"), "{}", run.stdout);
    assert_eq!(run.code, 3);
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs sshd: set PIKADOCTOR_NEIGHBOURS=1")]
fn what_comes_back_is_not_believed() {
    let place = Place::new();
    let serving = |command: &str| {
        let server = place.server(&place.there(), command);
        (place.check(&["--ssh", "db1"]), server)
    };
    serving("ForceCommand echo This account is for backups")
        .0
        .failed("babble", "This account is for backups");
    serving("ForceCommand yes").0.failed("too-much", "db1 sent more than an answer can have");
    let old = "pikadoctor-host-answer {\"schema\":\"pikadoctor.host/1\",\"tool_version\":\"0.0.9\"}";
    place.program("there/pikadoctor", format!("#!/bin/sh\necho '{old}'\n"));
    serving("").0.failed("other-version", "is of another version (0.0.9)");
    place.program("there/pikadoctor", "#!/bin/sh\necho error: unrecognized subcommand >&2; exit 3\n");
    serving("").0.failed("other-version", "is of another version");
    // The head of a program for another processor: 22 is S/390.
    let mut foreign = fs::read(env!("CARGO_BIN_EXE_pikadoctor")).unwrap();
    foreign.truncate(100_000);
    foreign[18] = 22;
    place.program("there/pikadoctor", foreign);
    serving("").0.failed("other-architecture", "is made for another kind of processor");
    let escape = "ForceCommand printf 'pikadoctor-host-answer {\\033[31m'";
    let (checked, _server) = serving(escape);
    checked.failed("babble", "is no answer of pikadoctor");
    assert!(!checked.human.stdout.contains("\u{1b}[31m"));
}

#[test]
fn a_destination_that_is_an_option_is_refused() {
    let run = Run::of(pikadoctor().args(["check", "127.0.0.1:1", "--ssh=-oProxyCommand=touch x"]));
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("is no destination of ssh"), "{}", run.stderr);
    assert!(!Path::new("x").exists());
    let run = Run::of(pikadoctor().args(["check", "127.0.0.1:1", "--ssh", "a", "--ssh", "b"]));
    assert!(run.stderr.contains("2 times for 1 server"), "{}", run.stderr);
    let run = Run::of(pikadoctor().args(["check", "127.0.0.1:1", "--ssh-copy"]));
    assert!(run.stderr.contains("--ssh-copy needs --ssh"), "{}", run.stderr);
}
