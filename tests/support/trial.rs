//! Remedies are tried: what a report advises first is done to the letter, and what is looked at afterwards has to be well.
//!
//! A command goes through a real shell, with redis-cli; a line is written into a real file; a server is stopped and
//! started. What only a person can do is in the table of the scenario, or is not done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use pikadoctor::model::finding::{Finding, Report};
use pikadoctor::model::remedy::{
    Action, FileFormat, Loses, Placeholder, Remedy, RemedyStep, ServiceAction, Where, Word,
};
use tokio::time::{Instant, sleep};

/// How often is looked after a remedy, until all is well.
const AFTERWARDS: usize = 3;

/// How long a step waits for what it should see. A replica is forgotten after 30 s, a copy takes seconds.
const PATIENCE: Duration = Duration::from_secs(75);

/// Keys by server.
pub type Keys = BTreeMap<String, BTreeSet<String>>;

/// Servers on which a remedy can be tried.
pub trait Site {
    /// Looks, as the program would.
    async fn look(&mut self) -> Report;
    /// What is to be known of a server.
    async fn keys(&mut self) -> Keys;
    /// Its servers, by name.
    fn servers(&self) -> BTreeMap<String, SocketAddr>;
    /// What tells what is wrong here apart from what else it could be: ids of checks. One of them is what a look must
    /// print that runs this program.
    fn causes(&self) -> Vec<String>;
    /// The name of the server at `HOST:PORT`.
    fn name_of(&self, address: &str) -> Option<String>;
    /// The password with which an operator talks to a server.
    fn password(&self, server: &str) -> Option<String>;
    /// The configuration file of a server.
    fn conf(&mut self, server: &str) -> PathBuf;
    /// What a person would put in.
    fn fill_in(&self, placeholder: &Placeholder) -> Option<String>;
    /// Starts or stops a server. The error says why it does not.
    async fn service(&mut self, server: &str, what: ServiceAction) -> Result<(), String>;
    /// Does what a person decides. Returns whether that is known.
    async fn decide(&mut self, remedy: &Remedy, step: &RemedyStep) -> bool;
    /// A little time passes while somebody waits.
    async fn wait(&mut self);
}

/// What came of a remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The recipe.
    pub recipe: String,
    /// The check that advised it.
    pub check: String,
    /// What was not as it should be afterwards. Empty: it did what it says.
    pub faults: Vec<String>,
    /// Why it was not carried out to the end. Absent: it was.
    pub untried: Option<String>,
    /// The recipes of which steps were done as part of it.
    pub parts: BTreeSet<String>,
}

impl Trial {
    /// The recipes that did what they say. None where something was not as it should be, or was not done.
    pub fn proven(&self) -> Vec<&String> {
        let is_done = self.faults.is_empty() && self.untried.is_none();
        if is_done { self.parts.iter().chain([&self.recipe]).collect() } else { Vec::new() }
    }
}

/// Why a step was not done.
enum Stop {
    /// It was, and something else came of it.
    Failed(String),
    /// Nobody knows what a person does here.
    Unknown(String),
}

impl From<String> for Stop {
    fn from(fault: String) -> Self {
        Self::Failed(fault)
    }
}

/// Whether the machine has what a step needs.
pub fn has_redis_cli() -> bool {
    Command::new("redis-cli").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Tries every look that a report advises first for something, and what it advises first of all.
pub async fn try_remedies(site: &mut impl Site) -> Vec<Trial> {
    let before = site.look().await;
    let mut trials = Vec::new();
    for (check, remedy) in looks(&before) {
        trials.push(try_look(site, check, &remedy).await);
    }
    match first_remedy(&before, &site.causes()) {
        Some((finding, remedy)) if !remedy.only_looks() => {
            let finding = finding.clone();
            trials.push(mend(site, &before, &finding, &remedy).await);
        }
        _ => {}
    }
    trials
}

/// Does the steps of a remedy, and looks whether they did what they are for.
async fn mend(site: &mut impl Site, before: &Report, finding: &Finding, remedy: &Remedy) -> Trial {
    let keys = site.keys().await;
    let (mut faults, untried) = do_all(site, remedy).await;
    if faults.is_empty() && untried.is_none() {
        // A link that was just made may deliver its first write late on a machine that is busy.
        for _ in 0..AFTERWARDS {
            faults = afterwards(before, &site.look().await, &finding.check, &finding.target);
            if faults.is_empty() {
                break;
            }
        }
        let left = site.keys().await;
        faults.extend(lost(site, remedy, &keys, &left));
    }
    let parts = remedy.steps.iter().filter_map(|step| step.recipe.clone()).collect();
    Trial { recipe: remedy.recipe.clone(), check: finding.check.clone(), faults, untried, parts }
}

/// Does what changes nothing, and sees that it changed nothing and said what the matter is.
async fn try_look(site: &mut impl Site, check: String, remedy: &Remedy) -> Trial {
    let before = imprint(site).await;
    let (mut faults, untried) = do_all(site, remedy).await;
    for (server, had) in &before {
        let has = imprint(site).await.remove(server).unwrap_or_default();
        let other = had.symmetric_difference(&has).map(|line| format!("{server} changed: {line}"));
        faults.extend(other);
    }
    Trial { recipe: remedy.recipe.clone(), check, faults, untried, parts: BTreeSet::new() }
}

/// Does the steps one after the other, as far as they can be done.
async fn do_all(site: &mut impl Site, remedy: &Remedy) -> (Vec<String>, Option<String>) {
    for (number, step) in remedy.steps.iter().enumerate() {
        let place = |what: String| format!("step {}, {}: {what}", number + 1, step.says);
        match carry_out(site, remedy, step).await {
            Ok(()) => {}
            Err(Stop::Failed(fault)) => return (vec![place(fault)], None),
            Err(Stop::Unknown(why)) => return (Vec::new(), Some(place(why))),
        }
    }
    (Vec::new(), None)
}

/// The looks that stand first at a problem which nothing explains, each once, with the check that advises it.
fn looks(report: &Report) -> Vec<(String, Remedy)> {
    let mut all: Vec<(String, Remedy)> = Vec::new();
    for finding in &report.findings {
        for problem in finding.problems.iter().filter(|problem| problem.explained_by.is_empty()) {
            let first = problem.remedies.first().filter(|remedy| remedy.only_looks());
            if let Some(remedy) = first
                && !all.iter().any(|(_, known)| known.steps == remedy.steps)
            {
                all.push((finding.check.clone(), remedy.clone()));
            }
        }
    }
    all
}

/// What a look may not change on the servers that answer: their keys, files and settings, and whom they follow. The
/// binlog is not among it: this program writes a key of its own on the master and takes it back.
async fn imprint(site: &mut impl Site) -> Keys {
    const LASTING: [&str; 7] = [
        "role:",
        "master_host:",
        "master_port:",
        "master_ip:",
        "double_master_mode:",
        "the peer-master",
        "ReplicationID:",
    ];
    let mut all = site.keys().await;
    for (name, address) in site.servers() {
        let place = Where { server: Some(address.to_string()), host: None };
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let words = |more: &[&str]| {
            let own = ["timeout", "5", "redis-cli", "-h", &host, "-p", &port];
            own.iter().chain(more).map(|word| Word::Text((*word).to_owned())).collect::<Vec<_>>()
        };
        let mut lines = BTreeSet::new();
        let info = shell(site, &place, &words(&["info"])).unwrap_or_default();
        let is_lasting = |line: &&str| LASTING.iter().any(|field| line.starts_with(field));
        lines.extend(info.lines().filter(is_lasting).map(str::to_owned));
        // Name and value stand on lines of their own.
        let config = shell(site, &place, &words(&["config", "get", "*"])).unwrap_or_default();
        lines.extend(config.lines().collect::<Vec<_>>().chunks(2).map(|pair| pair.join(" ")));
        lines.extend(fs::read_to_string(site.conf(&name)).unwrap_or_default().lines().map(str::to_owned));
        all.entry(name).or_default().extend(lines);
    }
    all
}

/// The first remedy of the fault, where it is known which check names it and that one has a remedy; of the first cause
/// that has one otherwise.
fn first_remedy<'r>(report: &'r Report, causes: &[String]) -> Option<(&'r Finding, Remedy)> {
    let first_of = |wanted: &dyn Fn(&str) -> bool| {
        report.diagnosis.iter().filter(|cause| wanted(&cause.check)).find_map(|cause| {
            let is_it = |it: &&Finding| it.check == cause.check && it.target == cause.target;
            let finding = report.findings.iter().find(is_it)?;
            let mut problems = finding.problems.iter().filter(|problem| problem.explained_by.is_empty());
            problems.find_map(|problem| Some((finding, problem.remedies.first()?.clone())))
        })
    };
    first_of(&|check| causes.iter().any(|cause| cause == check)).or_else(|| first_of(&|_| true))
}

/// What is not well after a remedy: what it was for is still there, or something new has come.
fn afterwards(before: &Report, after: &Report, check: &str, target: &str) -> Vec<String> {
    let troubles = |report: &Report| -> BTreeSet<(String, String)> {
        let findings = report.findings.iter().filter(|finding| finding.state.matters());
        findings.map(|finding| (finding.check.clone(), finding.target.clone())).collect()
    };
    let (had, has) = (troubles(before), troubles(after));
    let cause = (check.to_owned(), target.to_owned());
    let explained = before.diagnosis.iter().filter(|it| it.check == check && it.target == target);
    let explained = explained.flat_map(|it| &it.explains).map(|it| (it.check.clone(), it.target.clone()));
    let gone: BTreeSet<_> = explained.chain([cause]).collect();
    let still = has.intersection(&gone).map(|(check, target)| format!("{check} {target} is still there"));
    let new = has.difference(&had).map(|(check, target)| format!("{check} {target} is new"));
    still.chain(new).collect()
}

/// What was lost without having been announced.
fn lost(site: &impl Site, remedy: &Remedy, before: &Keys, after: &Keys) -> Vec<String> {
    let none = BTreeSet::new();
    let mut faults = Vec::new();
    let follows = |step: &RemedyStep| {
        let Action::Run { place, argv, .. } = &step.action else { return None };
        let words: Vec<String> = argv.iter().map(ToString::to_string).collect();
        let is_slaveof = words.iter().any(|word| word == "slaveof") && !words.iter().any(|word| word == "no");
        place.server.as_ref().filter(|_| is_slaveof).and_then(|address| site.name_of(address))
    };
    let overwritten: BTreeSet<String> = remedy.steps.iter().filter_map(follows).collect();
    for (server, had) in before {
        let lost = had.difference(after.get(server).unwrap_or(&none)).count();
        // What no other server has is all that a copy can cost.
        let others: BTreeSet<&String> =
            before.iter().filter(|(name, _)| *name != server).flat_map(|(_, keys)| keys).collect();
        let own = had.iter().filter(|key| !others.contains(key)).count();
        // Data is replaced on a server that is told to follow another one.
        let may_lose = overwritten.contains(server);
        let announced = match remedy.loses.what {
            Loses::ReplicaData | Loses::OwnWrites if may_lose => own,
            Loses::AllData => had.len(),
            _ => 0,
        };
        if lost != announced {
            faults.push(format!("{server} lost {lost} keys; {announced} were announced"));
        }
    }
    faults
}

async fn carry_out(site: &mut impl Site, remedy: &Remedy, step: &RemedyStep) -> Result<(), Stop> {
    match &step.action {
        Action::Run { place, argv, reply, into } => {
            if is_for_hands(place, argv) {
                return by_hand(site, remedy, step).await;
            }
            if let Some(program) = argv.first().map(ToString::to_string).filter(|program| is_missing(program))
            {
                return Err(Stop::Unknown(format!("{program} is not installed here")));
            }
            if into.is_some() {
                // Where files of a test lie, no scenario says.
                return by_hand(site, remedy, step).await;
            }
            let output = shell(site, place, argv)?;
            let of_program = argv.first().is_some_and(|word| word.to_string() == "pikadoctor");
            let causes = site.causes();
            if of_program && remedy.only_looks() && !causes.iter().any(|id| output.contains(id.as_str())) {
                return Err(Stop::Failed(format!("says none of {causes:?}: {output}")));
            }
            match reply {
                Some(reply) if !output.lines().any(|line| line.contains(&**reply)) => {
                    Err(Stop::Failed(format!("answered {output:?} instead of {reply}")))
                }
                _ => Ok(()),
            }
        }
        Action::Wait { place, argv, shows, lacks } => {
            let ends = Instant::now() + PATIENCE;
            loop {
                site.wait().await;
                let output = shell(site, place, argv).unwrap_or_default();
                let has = |text: &String| output.lines().any(|line| line.contains(text.as_str()));
                if !output.is_empty() && shows.as_ref().is_none_or(has) && !lacks.as_ref().is_some_and(has) {
                    return Ok(());
                }
                if Instant::now() > ends {
                    return Err(Stop::Failed(format!("not after {PATIENCE:?}: {output:?}")));
                }
                sleep(Duration::from_millis(300)).await;
            }
        }
        Action::Edit { place, format: FileFormat::PikaConf, key, value, .. } => {
            let Some(server) = server_of(site, place) else { return by_hand(site, remedy, step).await };
            let value = value.as_ref().map(|value| word(site, value)).transpose()?;
            edit(&site.conf(&server), key, value.as_deref()).map_err(|error| Stop::Failed(error.to_string()))
        }
        Action::Service { place, what } => {
            let Some(server) = server_of(site, place) else { return by_hand(site, remedy, step).await };
            Ok(site.service(&server, *what).await?)
        }
        Action::Edit { .. } | Action::Decide => by_hand(site, remedy, step).await,
    }
}

async fn by_hand(site: &mut impl Site, remedy: &Remedy, step: &RemedyStep) -> Result<(), Stop> {
    let known = site.decide(remedy, step).await;
    if known {
        Ok(())
    } else {
        Err(Stop::Unknown("the scenario does not say what a person does here".to_owned()))
    }
}

/// Whether a command changes a machine, which no test does: programs are installed and rights are changed by hand.
fn is_for_hands(place: &Where, argv: &[Word]) -> bool {
    // pkill ends a process of the server under test, which its words name exactly.
    const HARMLESS: [&str; 9] = ["redis-cli", "ss", "grep", "ls", "df", "cat", "nc", "pkill", "pikadoctor"];
    let program = argv.first().map(ToString::to_string).unwrap_or_default();
    place.host.is_some() && !HARMLESS.contains(&&*program)
}

/// Whether a program that an operator has to install himself is not on this machine.
fn is_missing(program: &str) -> bool {
    const OPTIONAL: [&str; 1] = ["tracepath"];
    let is_there = |program: &str| Command::new(program).arg("-V").output().is_ok();
    OPTIONAL.contains(&program) && !is_there(program)
}

fn server_of(site: &impl Site, place: &Where) -> Option<String> {
    let address = place.server.as_ref().or(place.host.as_ref())?;
    site.name_of(address)
}

fn word(site: &impl Site, word: &Word) -> Result<String, String> {
    match word {
        Word::Text(text) => Ok(text.clone()),
        Word::Placeholder(placeholder) => {
            site.fill_in(placeholder).ok_or_else(|| format!("nobody knows <{}>", placeholder.text))
        }
    }
}

/// Runs the very line that is printed, in a shell, with the password that its reader was told to set.
fn shell(site: &impl Site, place: &Where, argv: &[Word]) -> Result<String, Stop> {
    let words = argv.iter().map(|it| Ok(Word::Text(word(site, it)?).quoted()));
    let line = words.collect::<Result<Vec<_>, String>>()?.join(" ");
    let mut command = Command::new("sh");
    command.args(["-c", &line]).env_remove("REDISCLI_AUTH");
    // The program under test is installed where an operator is.
    let own = PathBuf::from(env!("CARGO_BIN_EXE_pikadoctor"));
    let own = own.parent().map(|directory| directory.display().to_string()).unwrap_or_default();
    command.env("PATH", format!("{own}:{}", std::env::var("PATH").unwrap_or_default()));
    // What is asked is named in the command, where it is this program that asks.
    let named = argv.iter().map(ToString::to_string).find_map(|word| site.name_of(&word));
    let server = place.server.as_ref().and_then(|address| site.name_of(address)).or(named);
    if let Some(password) = server.and_then(|server| site.password(&server)) {
        command.env("REDISCLI_AUTH", &password).env("PIKADOCTOR_PASSWORD", password);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    // A shell ends so when there is no such program; so does a program that does not know what it was given.
    if matches!(output.status.code(), Some(126 | 127)) || complaint.contains("Usage:") {
        return Err(Stop::Failed(format!("`{line}` cannot be run: {complaint}")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &complaint)
}

/// Writes a line of a pika.conf in the place of that with its key, or takes it out.
fn edit(conf: &PathBuf, key: &str, value: Option<&str>) -> std::io::Result<()> {
    fs::write(conf, with_line(&fs::read_to_string(conf)?, FileFormat::PikaConf, key, value))
}

/// A configuration file with a line in the place of that with its key, or without that one. `value` is the line as it
/// is printed, or what stands behind the key.
pub fn with_line(text: &str, format: FileFormat, key: &str, value: Option<&str>) -> String {
    let is_of_key = |line: &str| match format {
        FileFormat::PikaConf => line.split_once(':').is_some_and(|(name, _)| name.trim() == key),
        FileFormat::Toml | FileFormat::Assignment => {
            line.split_once('=').is_some_and(|(name, _)| name.trim() == key)
        }
        FileFormat::SentinelConf => {
            line.trim().strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        }
    };
    let mut lines: Vec<String> = text.lines().filter(|line| !is_of_key(line)).map(str::to_owned).collect();
    let value = value.map(|value| Word::Text(value.to_owned()));
    let place = Where::default();
    let (file, key) = (String::new(), key.to_owned());
    let written = Action::Edit { place, file, format, key, value: value.clone() }.line();
    lines.extend(written.filter(|_| value.is_some()));
    lines.join("\n") + "\n"
}
