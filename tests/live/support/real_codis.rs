//! A real Codis, from `PIKADOCTOR_CODIS_HOME`: a directory with the codis-dashboard, codis-proxy and codis-admin of
//! 3.2.2. It keeps its state in a directory, unless a coordinator is named.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{Ended, free_port};
use super::real::Pika;
use super::{own_address, pikadoctor};

fn home() -> PathBuf {
    PathBuf::from(std::env::var_os("PIKADOCTOR_CODIS_HOME").expect("PIKADOCTOR_CODIS_HOME is set"))
}

/// One product: its dashboards and proxies, all at one address of their own.
pub struct Codis {
    pub host: String,
    pub directory: tempfile::TempDir,
    coordinator: (String, String),
    auth: String,
    dashboards: Vec<Member>,
    proxies: Vec<Member>,
}

struct Member {
    process: Ended,
    port: u16,
    log: PathBuf,
}

/// What a Codis is to be like.
pub struct Wanted<'a> {
    /// `migration_method`.
    pub method: &'a str,
    /// `product_auth`.
    pub auth: &'a str,
    /// `coordinator_name` and `coordinator_addr`; none: a directory.
    pub coordinator: Option<(&'a str, &'a str)>,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self { method: "sync", auth: "", coordinator: None }
    }
}

impl Codis {
    /// A dashboard and a proxy of a new product, `demo`.
    pub fn start(wanted: &Wanted) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state").display().to_string();
        let (name, place) = wanted.coordinator.unwrap_or(("filesystem", &state));
        let mut codis = Self {
            host: own_address(),
            coordinator: (name.to_owned(), place.to_owned()),
            auth: wanted.auth.to_owned(),
            dashboards: Vec::new(),
            proxies: Vec::new(),
            directory,
        };
        codis.add_dashboard(wanted.method, &[]);
        codis.wait_for("the dashboard", |codis| codis.topom(0)["stats"].is_object());
        codis.add_proxy();
        codis
    }

    /// Starts one more dashboard; returns its number.
    pub fn add_dashboard(&mut self, method: &str, arguments: &[&str]) -> usize {
        let (number, port) = (self.dashboards.len(), free_port(&self.host));
        let text = format!(
            "coordinator_name = \"{}\"\ncoordinator_addr = \"{}\"\nproduct_name = \"demo\"\nproduct_auth = \"{}\"\n\
             admin_addr = \"{}:{port}\"\nmigration_method = \"{method}\"\n",
            self.coordinator.0, self.coordinator.1, self.auth, self.host
        );
        let member = self.spawn("codis-dashboard", &format!("dashboard-{number}"), &text, arguments, port);
        self.dashboards.push(member);
        number
    }

    /// Starts one more proxy, and lets it join; returns its number.
    pub fn add_proxy(&mut self) -> usize {
        let (number, port) = (self.proxies.len(), free_port(&self.host));
        let admin = free_port(&self.host);
        let (jodis, place) = match self.coordinator.0.as_str() {
            "filesystem" => ("", ""),
            name => (name, self.coordinator.1.as_str()),
        };
        let text = format!(
            "product_name = \"demo\"\nproduct_auth = \"{}\"\nproto_type = \"tcp4\"\nadmin_addr = \"{}:{admin}\"\n\
             proxy_addr = \"{}:{port}\"\nbackend_number_databases = 1\njodis_name = \"{jodis}\"\njodis_addr = \"{place}\"\n",
            self.auth, self.host, self.host
        );
        let member = self.spawn("codis-proxy", &format!("proxy-{number}"), &text, &[], port);
        self.proxies.push(member);
        let began = Instant::now();
        while TcpStream::connect((self.host.as_str(), admin)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "the proxy does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        self.admin(&["--create-proxy", &format!("--addr={}:{admin}", self.host)]);
        number
    }

    fn spawn(&self, program: &str, name: &str, text: &str, arguments: &[&str], port: u16) -> Member {
        let conf = self.directory.path().join(format!("{name}.toml"));
        let log = self.directory.path().join(format!("{name}.log"));
        fs::write(&conf, text).unwrap();
        let output = fs::File::create(&log).unwrap();
        let mut command = Command::new(home().join(program));
        command.args(["--config", conf.to_str().unwrap()]).args(arguments).current_dir(self.directory.path());
        let command = command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        Member { process: Ended(command.spawn().unwrap()), port, log }
    }

    pub fn dashboard(&self, number: usize) -> String {
        format!("{}:{}", self.host, self.dashboards[number].port)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.dashboard(0))
    }

    /// What a dashboard shows at /topom; null while it is not at work.
    pub fn topom(&self, number: usize) -> Value {
        let get = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(self.dashboard(number))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"GET /topom HTTP/1.0\r\n\r\n")?;
            let mut reply = String::new();
            stream.read_to_string(&mut reply)?;
            Ok(reply)
        };
        let reply = get().unwrap_or_default();
        let body = reply.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).unwrap_or_default()
    }

    /// Does what an operator does with codis-admin. The answer, which may be an error.
    pub fn try_admin(&self, number: usize, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(home().join("codis-admin"));
        command.arg(format!("--dashboard={}", self.dashboard(number))).args(arguments);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The same, and it must succeed.
    pub fn admin(&self, arguments: &[&str]) -> String {
        self.try_admin(0, arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
    }

    /// Puts servers into groups of their own, from 1 on, and spreads the slots evenly.
    pub fn group(&self, servers: &[&Pika]) {
        for (index, server) in servers.iter().enumerate() {
            let group = format!("--gid={}", index + 1);
            self.admin(&["--create-group", &group]);
            self.admin(&["--group-add", &group, &format!("--addr={}", server.address())]);
            let each = 1024 / servers.len();
            self.assign(index * each, (index + 1) * each - 1, index + 1);
        }
        self.wait_for("statistics of the servers", |codis| {
            let topom = codis.topom(0);
            let stats = topom["stats"]["group"]["stats"].as_object();
            stats.is_some_and(|stats| servers.iter().all(|server| stats.contains_key(&server.address())))
        });
    }

    pub fn assign(&self, first: usize, last: usize, group: usize) {
        self.slots("--slots-assign", first, last, group, &["--confirm"]);
    }

    /// Asks for slots to be moved.
    pub fn begin_move(&self, first: usize, last: usize, group: usize) {
        self.slots_action(&["--create-range"], first, last, group);
    }

    fn slots(&self, what: &str, first: usize, last: usize, group: usize, more: &[&str]) {
        let (first, last) = (format!("--beg={first}"), format!("--end={last}"));
        let group = format!("--gid={group}");
        self.admin(&[&[what, &first, &last, &group], more].concat());
    }

    fn slots_action(&self, what: &[&str], first: usize, last: usize, group: usize) {
        let (first, last) = (format!("--beg={first}"), format!("--end={last}"));
        let group = format!("--gid={group}");
        self.admin(&[&["--slot-action"], what, &[&first, &last, &group]].concat());
    }

    /// Moves slots, and waits until they are there.
    pub fn move_slots(&self, first: usize, last: usize, group: usize) {
        self.begin_move(first, last, group);
        self.wait_until_moved();
    }

    pub fn slots_on_their_way(&self) -> usize {
        let topom = self.topom(0);
        let slots = topom["stats"]["slots"].as_array().map_or(&[] as &[Value], Vec::as_slice);
        slots.iter().filter(|slot| slot["action"]["state"].is_string()).count()
    }

    pub fn wait_until_moved(&self) {
        self.wait_for("the slots", |codis| !codis.topom(0).is_null() && codis.slots_on_their_way() == 0);
    }

    pub fn wait_for(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            let log = fs::read_to_string(&self.dashboards[0].log).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(20).collect();
            assert!(began.elapsed() < Duration::from_secs(120), "{what}: {tail:#?}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Ends a proxy without a word.
    pub fn kill_proxy(&mut self, number: usize) {
        self.proxies[number].process.0.kill().unwrap();
        self.proxies[number].process.0.wait().unwrap();
    }

    /// Ends a dashboard by a signal, and waits for it.
    pub fn end_dashboard(&mut self, number: usize, signal: &str) {
        let process = &mut self.dashboards[number].process.0;
        assert!(Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap().success());
        process.wait().unwrap();
    }

    /// Starts a dashboard that was ended with the same settings.
    pub fn restart_dashboard(&mut self, number: usize) {
        let conf = format!("dashboard-{number}");
        let text = fs::read_to_string(self.directory.path().join(format!("{conf}.toml"))).unwrap();
        let port = self.dashboards[number].port;
        self.dashboards[number] = self.spawn("codis-dashboard", &conf, &text, &[], port);
        self.wait_for("the dashboard", |codis| codis.topom(number)["stats"].is_object());
    }

    /// Writes keys through a proxy: `prefix` and a number.
    pub fn write(&self, prefix: &str, keys: usize) {
        let proxy = format!("{}:{}", self.host, self.proxies[0].port);
        write_keys(&proxy, prefix, keys);
    }

    /// The report of `check` on this Codis.
    pub fn check(&self, arguments: &[&str]) -> Value {
        self.run(pikadoctor(), arguments)
    }

    /// The same, with a product_auth.
    pub fn check_with_auth(&self, arguments: &[&str], auth: &str) -> Value {
        let mut command = pikadoctor();
        command.env("PIKADOCTOR_PRODUCT_AUTH", auth);
        self.run(command, arguments)
    }

    fn run(&self, mut command: Command, arguments: &[&str]) -> Value {
        command.args(["check", "--codis", &self.url(), "--no-ports", "--format", "json"]).args(arguments);
        let run = super::Run::of(&mut command);
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    }
}

/// Writes `keys` keys to a server or a proxy.
pub fn write_keys(address: &str, prefix: &str, keys: usize) {
    let commands =
        (0..keys).map(|number| vec!["SET".to_owned(), format!("{prefix}{number}"), "v".to_owned()]);
    let replies = converse(address, commands.collect());
    assert!(replies.iter().all(|reply| reply == "+OK"), "{:?}", replies.iter().find(|reply| *reply != "+OK"));
}

/// Which of so many keys a server has.
pub fn present(address: &str, prefix: &str, keys: usize) -> Vec<bool> {
    let commands = (0..keys).map(|number| vec!["EXISTS".to_owned(), format!("{prefix}{number}")]);
    converse(address, commands.collect()).iter().map(|reply| reply == ":1").collect()
}

/// Sends commands whose replies are single lines, some hundred at a time.
fn converse(address: &str, commands: Vec<Vec<String>>) -> Vec<String> {
    use std::io::{BufRead, BufReader};
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut replies = Vec::new();
    for batch in commands.chunks(500) {
        let mut request = String::new();
        for words in batch {
            request += &format!("*{}\r\n", words.len());
            for word in words {
                request += &format!("${}\r\n{word}\r\n", word.len());
            }
        }
        stream.write_all(request.as_bytes()).unwrap();
        for _ in batch {
            let mut reply = String::new();
            reader.read_line(&mut reply).unwrap();
            replies.push(reply.trim_end().to_owned());
        }
    }
    replies
}

/// State and text of a check whose target begins like this.
pub fn of(report: &Value, check: &str, target: &str) -> (String, String) {
    let about = |finding: &&Value| {
        finding["check"] == check && finding["target"].as_str().unwrap().starts_with(target)
    };
    let finding = report["findings"].as_array().unwrap().iter().find(about);
    let finding = finding.unwrap_or_else(|| panic!("no {check} of {target}: {report:#}"));
    (finding["state"].as_str().unwrap().to_owned(), finding.to_string())
}
