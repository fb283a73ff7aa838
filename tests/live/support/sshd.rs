//! A real ssh server with keys of its own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::hosts::Surroundings;

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
        // A shell is found whatever else is in the PATH.
        symlink("/bin/sh", place.path("there/sh")).unwrap();
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
        self.client_in(&Surroundings::default(), port, key, known);
    }

    /// The same for a server in a network of its own.
    fn client_in(&self, surroundings: &Surroundings, port: u16, key: &str, known: &str) {
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
        let (entrance, config) = (surroundings.entrance(), self.path("config"));
        let ssh = format!("#!/bin/sh\nexec {entrance}/usr/bin/ssh -F {} \"$@\"\n", config.display());
        self.program("bin/ssh", ssh);
    }

    /// An ssh server that sets `PATH` and whatever `more` says.
    pub fn server(&self, path: &str, more: &str) -> Server {
        self.server_in(&Surroundings::default(), path, more)
    }

    /// The same on a host with these surroundings, which its sessions inherit.
    pub fn server_in(&self, surroundings: &Surroundings, path: &str, more: &str) -> Server {
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
        let mut command = Command::new("/usr/bin/unshare");
        command.args(["--mount", "/bin/sh", "-c"]).arg(format!(
            "mount --make-rprivate /; {} exec /usr/sbin/sshd -D -f {}",
            if more.contains("#noexec") {
                format!("mount -t tmpfs -o noexec none {};", self.path("temporary").display())
            } else {
                String::new()
            },
            self.path("sshd_config").display()
        ));
        let child = surroundings
            .around(&command)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, port };
        let began = Instant::now();
        while !surroundings.listens(port) {
            assert!(began.elapsed() < Duration::from_secs(10), "sshd does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        self.client_in(surroundings, port, "key", &self.text("host_key.pub"));
        server
    }

    pub fn there(&self) -> String {
        self.there_in(&Surroundings::default())
    }

    /// The PATH of the other machine, which begins with this program.
    pub fn there_in(&self, surroundings: &Surroundings) -> String {
        let rest = surroundings.path.as_deref().unwrap_or("/usr/bin:/bin");
        format!("{}:{rest}", self.path("there").display())
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
