//! Plans, and the servers that they name.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pikadoctor::catalog::built_in;
use pikadoctor::lab::scenarios;
use pikadoctor::lab::stage::Stage;

use super::{Run, pikadoctor};

/// A directory with plans, and the servers that they name.
pub struct Site {
    pub directory: tempfile::TempDir,
    pub stage: Option<Stage>,
    _runtime: tokio::runtime::Runtime,
}

/// Every simulated server is on a loopback address, and is warned of it.
pub const LOOPBACK: &str = "  - {check: link/master-address, target: \"* <- *\", reason: simulated, owner: tests, expires: 2999-12-31}\n";

impl Site {
    /// The servers of a scenario of the laboratory.
    pub fn of(name: &str) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let knowledge = Arc::new(built_in().knowledge);
        let stage = runtime.block_on(Stage::start(scenarios::named(name).unwrap(), &knowledge)).unwrap();
        Self { directory: tempfile::tempdir().unwrap(), stage: Some(stage), _runtime: runtime }
    }

    /// No servers.
    pub fn empty() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self { directory: tempfile::tempdir().unwrap(), stage: None, _runtime: runtime }
    }

    pub fn address(&self, server: &str) -> String {
        self.stage.as_ref().unwrap().addresses[server].to_string()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A plan of a master and its replica, with more of one and of the other, and more at its end.
    pub fn pair_plan(&self, node: &str, link: &str, more: &str) -> PathBuf {
        let (master, replica) = (self.address("master"), self.address("replica"));
        let text = format!(
            "nodes:\n  old-a: {{addr: \"{master}\"}}\n  new-a: {{addr: \"{replica}\"{node}}}\n\
             links:\n  - {{from: old-a, to: new-a{link}}}\n{more}"
        );
        self.write("plan.yaml", &text)
    }
}

pub fn check_plan(plan: &Path, arguments: &[&str]) -> Run {
    Run::of(pikadoctor().arg("check").arg("-f").arg(plan).args(arguments))
}

/// `check` of a finding, as `--format json` has it.
pub fn findings(run: &Run) -> Vec<(String, String, String)> {
    let report: serde_json::Value = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr));
    let word = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let all = report["findings"].as_array().unwrap().iter();
    all.map(|finding| (word(finding, "state"), word(finding, "check"), word(finding, "target"))).collect()
}

pub fn has(run: &Run, state: &str, check: &str) -> bool {
    findings(run).iter().any(|finding| finding.0 == state && finding.1 == check)
}
