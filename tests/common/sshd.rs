//! A real ssh server with keys of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A place with keys, and a `ssh` that knows them.
pub struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
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

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A program that this machine, or the other one, finds in its PATH.
    pub fn program(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The system's ssh with a configuration of its own: its `~` is that of the password file, whatever HOME says.
    pub fn client(&self, port: u16, key: &str, known: &str) {
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
    pub fn server(&self, path: &str, more: &str) -> Server {
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

    pub fn there(&self) -> String {
        format!("{}:/usr/bin:/bin", self.path("there").display())
    }

    /// The PATH of this machine, with that ssh in front.
    pub fn search(&self) -> String {
        format!("{}:/usr/bin:/bin", self.path("bin").display())
    }
}

pub struct Server {
    child: Child,
    pub port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
