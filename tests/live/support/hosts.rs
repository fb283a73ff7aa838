//! Hosts that are not what this one is, and the two ways to look at them: on the host itself, and over ssh.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};
use serde_json::Value;

use super::sshd::Place;
use super::{Run, pikadoctor, with_commands};

/// A report, and the findings of one check in it.
pub struct Judged(pub Value);

impl Judged {
    pub fn of(command: &mut Command) -> Self {
        let run = Run::of(command.args(["--format", "json"]));
        let report = serde_json::from_str(&run.stdout);
        Self(report.unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr)))
    }

    fn findings(&self, check: &str) -> impl Iterator<Item = &Value> {
        self.0["findings"].as_array().unwrap().iter().filter(move |finding| finding["check"] == check)
    }

    /// Asserts the state of a check about one target.
    pub fn is(&self, check: &str, target: &str, state: &str) {
        let it_is = |finding: &&Value| finding["target"] == target && finding["state"] == state;
        let all: Vec<String> = self.findings(check).map(ToString::to_string).collect();
        let found = self.findings(check).any(|finding| it_is(&finding));
        assert!(found, "{check} of {target} is not {state}:\n{}", all.join("\n"));
    }

    /// `check target state` of every finding.
    pub fn states(&self) -> BTreeSet<String> {
        let findings = self.0["findings"].as_array().unwrap().iter();
        findings
            .map(|finding| format!("{} {} {}", finding["check"], finding["target"], finding["state"]))
            .collect()
    }

    /// Whether a problem of a check has these words.
    pub fn says(&self, check: &str, words: &str) -> bool {
        self.findings(check).any(|finding| with_commands(finding).contains(words))
    }

    /// The words of the first problem of a check.
    pub fn found(&self, check: &str) -> String {
        let finding = self
            .findings(check)
            .find(|finding| finding["problems"].as_array().is_some_and(|all| !all.is_empty()));
        with_commands(&finding.unwrap_or_else(|| panic!("{check} found nothing"))["problems"][0])
    }
}

/// From where a host is looked at.
pub enum Way {
    /// On it.
    Here,
    /// Over ssh, from a host that has nothing of what the other one lacks.
    Ssh(Place),
}

impl Way {
    pub fn over_ssh() -> Self {
        Self::Ssh(Place::new())
    }

    /// `pikadoctor host`, on or about a host with these surroundings.
    pub fn host(&self, surroundings: &Surroundings, arguments: &[&str]) -> Judged {
        let mut command = pikadoctor();
        command.arg("host").args(arguments);
        match self {
            Self::Here => Judged::of(&mut surroundings.around(&command)),
            Self::Ssh(place) => {
                let _server = place.server_in(surroundings, &place.there_in(surroundings), "");
                was_seen_over_ssh(Judged::of(command.args(["--ssh", "db1"]).env("PATH", place.search())))
            }
        }
    }

    /// The same about a server that does not run.
    pub fn planned(&self, surroundings: &Surroundings, conf: &str, version: &str) -> Judged {
        self.host(surroundings, &["--conf", conf, "--pika-version", version])
    }

    /// The name of a network that no test of the other way has.
    pub fn own(&self, network: &str) -> String {
        match self {
            Self::Here => network.to_owned(),
            Self::Ssh(_) => format!("{network}s"),
        }
    }

    /// The name of a server that does not run.
    pub fn name(&self, conf: &str) -> String {
        match self {
            Self::Here => conf.to_owned(),
            Self::Ssh(_) => format!("db1:{conf}"),
        }
    }

    /// `pikadoctor check` of servers with their hosts.
    pub fn check(&self, server: &str, master: Option<&str>) -> Judged {
        let mut command = pikadoctor();
        command.args(["check", server]);
        command.args(master.iter().flat_map(|master| ["--master", master]));
        match self {
            Self::Here => Judged::of(&mut command),
            Self::Ssh(place) => {
                let _server = place.server(&place.there(), "");
                command.args(["--ssh", "db1"]).args(master.iter().flat_map(|_| ["--master-ssh", "db1"]));
                was_seen_over_ssh(Judged::of(command.env("PATH", place.search())))
            }
        }
    }
}

fn was_seen_over_ssh(judged: Judged) -> Judged {
    let hosts = judged.0["facts"]["hosts"].as_array().unwrap();
    assert!(!hosts.is_empty() && hosts.iter().all(|host| host["seen"] == "ssh"), "{hosts:?}");
    judged.is("host/ssh", "db1", "ok");
    judged
}

/// The tests that hold on the host itself and over ssh, each of them a function of [`Way`].
macro_rules! here_and_over_ssh {
    ($($case:ident),* $(,)?) => {
        mod here {
            $(#[test]
            #[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
            fn $case() {
                super::$case(&super::Way::Here);
            })*
        }

        mod over_ssh {
            $(#[test]
            #[cfg_attr(
                not(all(real_pika, real_neighbours)),
                ignore = "needs real servers and sshd: set PIKADOCTOR_PIKA_HOME and PIKADOCTOR_NEIGHBOURS=1"
            )]
            fn $case() {
                super::$case(&super::Way::over_ssh());
            })*
        }
    };
}

/// What the processes of a host see that others do not.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// The file of the network namespace.
    network: Option<String>,
    /// What a shell does in a mount namespace of its own.
    mounts: Option<String>,
    /// `ulimit -n`
    files: Option<u32>,
    /// `PATH`
    pub path: Option<String>,
}

impl Surroundings {
    pub fn with_path(path: &str) -> Self {
        Self::default().and_path(path)
    }

    pub fn and_path(self, path: &str) -> Self {
        Self { path: Some(path.to_owned()), ..self }
    }

    pub fn with_files(files: u32) -> Self {
        Self { files: Some(files), ..Self::default() }
    }

    /// Small file systems that vanish with the processes; `then` is done when they are there.
    pub fn with_tmpfs(mounts: &[(&Path, &str)], then: &str) -> Self {
        let mut script = String::new();
        for (point, size) in mounts {
            let point = point.display();
            script += &format!("mkdir -p {point} && mount -t tmpfs -o size={size} none {point} && ");
        }
        Self { mounts: Some(script + then), ..Self::default() }
    }

    pub fn inside(self, network: &Network) -> Self {
        Self { network: Some(network.file()), ..self }
    }

    /// What brings a process into the network.
    pub fn entrance(&self) -> String {
        self.network.as_ref().map(|file| format!("/usr/bin/nsenter --net={file} ")).unwrap_or_default()
    }

    /// A command that runs in them.
    pub fn around(&self, command: &Command) -> Command {
        let mut script = String::new();
        if let Some(mounts) = &self.mounts {
            script += &format!("mount --make-rprivate / && {mounts} && ");
        }
        if let Some(files) = self.files {
            script += &format!("ulimit -n {files} && ");
        }
        script += &format!("exec {}\"$0\" \"$@\"", self.entrance());
        let mut inside = Command::new(if self.mounts.is_some() { "/usr/bin/unshare" } else { "/bin/sh" });
        if self.mounts.is_some() {
            inside.args(["--mount", "/bin/sh"]);
        }
        inside.args(["-c", &script]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside.envs(self.path.iter().map(|path| ("PATH", path)));
        inside
    }

    /// Whether a port of the loopback there is listened on.
    pub fn listens(&self, port: u16) -> bool {
        within(self.network.as_deref(), || super::real::listens(port))
    }
}

/// Runs `work` where its sockets are those of a network.
fn within<T: Send>(network: Option<&str>, work: impl FnOnce() -> T + Send) -> T {
    let Some(network) = network else { return work() };
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            setns(File::open(network).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
            work()
        });
        inside.join().unwrap()
    })
}

/// A network of its own, with a card of its own.
pub struct Network(String);

impl Network {
    pub fn new(name: &str) -> Self {
        let network = Self(format!("pdh{}{name}", std::process::id()));
        ip(&["netns", "add", &network.0]);
        network.ip(&["link", "set", "lo", "up"]);
        network.card("eth5", "10.66.5.1/24");
        network
    }

    pub fn card(&self, name: &str, address: &str) {
        // Its other end is here, too: it has a carrier, and leads nowhere.
        let other_end = format!("{name}x");
        self.ip(&["link", "add", name, "type", "veth", "peer", "name", &other_end]);
        self.ip(&["link", "set", &other_end, "up"]);
        self.address(name, address);
    }

    fn address(&self, card: &str, address: &str) {
        self.ip(&["address", "add", address, "dev", card]);
        self.ip(&["link", "set", card, "up"]);
    }

    /// A cable to another network, with an address at each end.
    pub fn join(&self, other: &Self, own: &str, theirs: &str) {
        self.ip(&["link", "add", "eth7", "type", "veth", "peer", "name", "eth7", "netns", &other.0]);
        self.address("eth7", own);
        other.address("eth7", theirs);
    }

    /// A neighbour that is there for the kernel, and takes everything to the grave.
    pub fn grave(&self, address: &str) {
        self.ip(&["neighbour", "add", address, "lladdr", "02:00:00:00:00:99", "dev", "eth5"]);
    }

    pub fn ip(&self, words: &[&str]) {
        ip(&[&["-n", &self.0], words].concat());
    }

    fn file(&self) -> String {
        format!("/run/netns/{}", self.0)
    }

    /// Runs `work` where its sockets are those of this network; so are those of its threads and processes.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        within(Some(&self.file()), work)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

fn ip(words: &[&str]) {
    let output = Command::new("ip").args(words).output().unwrap();
    assert!(output.status.success(), "ip {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whether a process ends within some seconds, as it must when it cannot start.
pub fn ends(mut child: Child) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(15) {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}
