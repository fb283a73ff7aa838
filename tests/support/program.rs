//! The program under test.

use std::process::{Command, Output};

/// The binary under test, in English and without a password from the environment.
pub fn pikadoctor() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pikadoctor"));
    for variable in [
        "PIKADOCTOR_PASSWORD",
        "PIKADOCTOR_PASSWORD_MASTER",
        "PIKADOCTOR_PASSWORD_PEER",
        "PIKADOCTOR_ZOOKEEPER_AUTH",
        "PIKADOCTOR_ETCD_AUTH",
        "PIKADOCTOR_PRODUCT_AUTH",
        "PIKADOCTOR_SENTINEL_PASSWORD",
        "LC_ALL",
        "LC_MESSAGES",
        "LANG",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Runs the binary with `arguments`.
pub fn run(arguments: &[&str]) -> Run {
    Run::of(pikadoctor().args(arguments))
}

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().expect("the binary runs");
        Self {
            code: status.code().expect("it is not killed by a signal"),
            stdout: String::from_utf8(stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(stderr).expect("stderr is UTF-8"),
        }
    }

    /// The standard output without line breaks and indentation, for looking up a sentence.
    pub fn text(&self) -> String {
        self.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
