//! Every command of the READMEs, of CONTRIBUTING and of the book is run, on simulated and recorded servers in the place of
//! those that it names. What cannot be run here is parsed, and stands in [`PARSED`] with its reason.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::codis::serve_recorded;
use crate::support::coordinator::{
    FakeZookeeper, Honest, etcd_answers, recorded_etcd, recorded_tree, serve_http,
};
use crate::support::sentinel::RecordedSet;
use crate::support::site::Site;
use crate::support::{Run, pikadoctor, recordings_directory};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Parts of commands for which these are only parsed, and why.
const PARSED: [(&str, &str); 7] = [
    ("ssh", "needs another host; tests/live/ssh.rs has one"),
    ("--pika DIR", "needs real servers"),
    ("lab run", "runs until it is stopped"),
    ("host --port", "needs a Pika that runs here"),
    ("/etc/pika/pika.conf", "needs a Pika that is installed"),
    ("fe.example", "needs codis-fe before the dashboard"),
    ("test-checks", "the directories are the author's"),
];

/// Programs of others, and the plugin, which is called by its file name: `tests/it/cli/plugin.rs` does.
const OTHERS: [&str; 6] = ["cargo", "ln", "codespell", ".ci/run", "UPDATE_DOCS=1", "check_pika"];

/// The files that hold commands.
fn texts() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        ["README.md", "README.zh-CN.md", "CONTRIBUTING.md"].map(|file| Path::new(ROOT).join(file)).into();
    for directory in ["users", "zh", "authors", "developers", "reference"] {
        let entries = fs::read_dir(Path::new(ROOT).join("docs").join(directory)).unwrap();
        let mut pages: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        pages.sort();
        found.extend(pages.into_iter().filter(|page| page.extension().is_some_and(|end| end == "md")));
    }
    found
}

/// The commands in the shell blocks of a text, without comments.
fn commands(text: &str) -> Vec<String> {
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0);
    let lines = blocks.flat_map(str::lines).map(|line| line.split(" # ").next().unwrap().trim());
    let commands = lines.flat_map(|line| line.split(" && "));
    commands.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// What stands in the place of the addresses and paths of the documents.
struct Stand {
    pair: Site,
    double: Site,
    substitutes: Vec<(&'static str, String)>,
    _servers: Box<dyn std::any::Any>,
}

impl Stand {
    fn build() -> Self {
        let (pair, double) = (Site::of("healthy-pair-2.3.6"), Site::of("double-master-2.3.6"));
        let (place, codis) = serve_recorded("07-zk-online");
        let zookeeper = FakeZookeeper::start(recorded_tree("07-zk-online"), Honest, None);
        let etcd = serve_http(etcd_answers(recorded_etcd()));
        let set = RecordedSet::load("three-over-pika-3.5.5");
        let sentinels = set.sentinels();
        let served = set.serve();
        let directory = pair.directory.path().to_owned();
        let inside = |name: &str| directory.join(name).to_str().unwrap().to_owned();
        let conf = fs::read(Path::new(ROOT).join("tests/it/data/conf/stock-3.5.5.conf")).unwrap();
        for name in ["pika.conf", "a.conf", "b.conf", "c.conf"] {
            fs::write(inside(name), &conf).unwrap();
        }
        for (name, from) in [
            ("dashboard.toml", "dashboard-pikafork-3.5.5.toml"),
            ("proxy.toml", "proxy-pikafork-3.5.5.toml"),
            ("sentinel.conf", "sentinel-after-resync.conf"),
        ] {
            fs::copy(Path::new(ROOT).join("tests/it/data/services").join(from), inside(name)).unwrap();
        }
        fs::create_dir(inside("codis")).unwrap();
        let plan = pair.pair_plan("", "", "");
        fs::copy(plan, inside("cutover.yaml")).unwrap();
        let log = |name: &str| recordings_directory().join("logs").join(name).to_str().unwrap().to_owned();
        let url = codis.trim_end_matches('/').to_owned();
        let substitutes = vec![
            ("http://10.0.0.1:18080", url.clone()),
            ("10.0.0.1:18080", url),
            ("10.0.0.1:2181,10.0.0.2:2181,10.0.0.3:2181/chroot", zookeeper.address.clone()),
            ("--zookeeper 10.0.0.1", format!("--zookeeper {}", zookeeper.address)),
            ("http://10.0.0.1:2379", etcd),
            ("10.0.0.7:26379", sentinels[0].clone()),
            ("10.0.0.8:26379", sentinels[1].clone()),
            ("10.0.0.9:26379", sentinels[2].clone()),
            ("/tmp/codis", inside("codis")),
            ("/data/pika/log", log("v2.3.0-replica-up-slave")),
            ("REPLICA_LOG", log("v2.3.0-replica-up-slave")),
            ("MASTER_LOG", log("v2.3.0-replica-up-master")),
            ("/var/lib/node_exporter/pika.prom", inside("pika.prom")),
            ("-o cutover.yaml", "-o written.yaml --force".to_owned()),
            ("--wait 30m", "--wait 1s --every 1s".to_owned()),
        ];
        Self { pair, double, substitutes, _servers: Box::new((place, zookeeper, served)) }
    }

    /// The command with what there is here.
    fn substituted(&self, command: &str) -> String {
        let mut command = command.to_owned();
        for (from, to) in &self.substitutes {
            command = command.replace(from, to);
        }
        let site = if command.contains("--peer") { &self.double } else { &self.pair };
        let names = if command.contains("--peer") { ["a", "b"] } else { ["master", "replica"] };
        for (address, name) in ["10.0.0.1:9221", "10.0.0.2:9221"].into_iter().zip(names) {
            command = command.replace(address, &site.address(name));
        }
        command
    }

    /// Runs a command of pikadoctor, or parses it where `parse`.
    fn run(&self, command: &str, parse: bool) -> Run {
        let words: Vec<String> = self.substituted(command).split_whitespace().map(str::to_owned).collect();
        let mut process = pikadoctor();
        process.current_dir(self.pair.directory.path());
        for word in &words {
            match word.split_once('=') {
                Some((variable, value)) if variable.starts_with("PIKADOCTOR_") => {
                    process.env(variable, value)
                }
                _ if word == "pikadoctor" => &mut process,
                _ => process.arg(word),
            };
        }
        if parse {
            // clap reads the arguments in their order, so what comes before this one is judged.
            process.arg("--help");
        }
        Run::of(&mut process)
    }
}

#[test]
fn every_command_of_the_documents_works() {
    let stand = Stand::build();
    let mut faults = Vec::new();
    let (mut ran, mut parsed) = (0, 0);
    for file in texts() {
        let name = file.strip_prefix(ROOT).unwrap().display().to_string();
        for command in commands(&fs::read_to_string(&file).unwrap()) {
            let command = command.replace("cargo run --release -- ", "pikadoctor ");
            let program = command.split(' ').find(|word| !word.starts_with("PIKADOCTOR_")).unwrap();
            if program != "pikadoctor" {
                if !OTHERS.contains(&program) {
                    faults.push(format!("{name}: `{command}`: what is `{program}`?"));
                }
                continue;
            }
            let parse = PARSED.iter().any(|(part, _)| command.contains(part));
            let run = stand.run(&command, parse);
            let count = if parse { &mut parsed } else { &mut ran };
            *count += 1;
            // 3 is wrong usage, too; then nothing is on the standard output.
            let writes = command.contains(" -o ");
            let silent = run.stdout.is_empty() && !writes;
            if (parse && run.code != 0)
                || silent
                || run.stderr.contains("Usage:")
                || run.stderr.contains("pikadoctor: ")
            {
                faults.push(format!("{name}: `{command}`: exit code {}, {}", run.code, run.stderr));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(ran > 60 && parsed > 5, "{ran} commands ran and {parsed} were parsed");
}
