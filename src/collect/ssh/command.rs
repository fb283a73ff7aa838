//! The call of ssh, and what is run on the other side.

use std::path::Path;
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::collect::net::deadlines::Deadlines;
use crate::collect::secret::secret_variables;

/// The exit code of the script for a copy when the host has another kind of processor.
pub const OTHER_ARCHITECTURE: i32 = 96;

/// A way to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// What ssh is told: `user@host`, or a name of `~/.ssh/config`.
    name: String,
    /// Whether this program is copied there, to a temporary file that is removed afterwards.
    copy: bool,
}

/// A text that is no destination of ssh.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDestination {
    /// What ssh would not take for a destination.
    #[error("`{0}` is no destination of ssh; write USER@HOST or a name of ~/.ssh/config")]
    Odd(String),
    /// A password behind the user. It is not repeated.
    #[error("a destination of ssh has no password in it; write USER@HOST, and use keys or an agent")]
    Password,
}

impl Destination {
    /// `name` as a person wrote it. What ssh would take for an option is refused.
    pub fn new(name: &str, copy: bool) -> Result<Self, InvalidDestination> {
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if name.is_empty() || name.starts_with('-') || name.contains(odd) {
            return Err(InvalidDestination::Odd(name.to_owned()));
        }
        let user_info = name.rsplit_once('@').map_or("", |(info, _)| info);
        if user_info.trim_start_matches("ssh://").contains(':') {
            return Err(InvalidDestination::Password);
        }
        Ok(Self { name: name.to_owned(), copy })
    }

    /// What ssh is told.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this program is copied there.
    pub fn copies(&self) -> bool {
        self.copy
    }
}

/// Starts ssh with the question; with `copy` it expects this program, of so many bytes, on its standard input.
pub fn start(
    ssh: &Path,
    destination: &Destination,
    question: &str,
    copy: Option<usize>,
    deadlines: &Deadlines,
) -> std::io::Result<Child> {
    let connect_timeout = deadlines.connect.as_secs().max(1);
    let mut command = Command::new(ssh);
    // Neither ssh nor a ProxyCommand of its configuration has anything to do with a password.
    for variable in secret_variables() {
        command.env_remove(variable);
    }
    command
        .args(["-T", "-o", "BatchMode=yes", "-o", &format!("ConnectTimeout={connect_timeout}")])
        // Its own words about trouble are told from those of a banner or of a forwarding by their form.
        .args(["-o", "LogLevel=ERROR", "-o", "ClearAllForwardings=yes", "-o", "ForwardAgent=no"])
        .args(["--", &destination.name, &remote_command(question, copy)])
        .env("LC_ALL", "C")
        .stdin(if copy.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// The command for the shell there, whichever it is: everything but `sh -c` is one quoted word.
fn remote_command(question: &str, copy: Option<usize>) -> String {
    let quote = |text: &str| shlex::try_quote(text).map(std::borrow::Cow::into_owned).unwrap_or_default();
    let ask = format!("answer-host {}", quote(question));
    let script = if let Some(bytes) = copy {
        // Where uname has the same name for it as Rust; elsewhere the program itself will not run.
        let arch = match std::env::consts::ARCH {
            arch @ ("x86_64" | "aarch64" | "riscv64" | "s390x" | "loongarch64") => arch,
            _ => "$(uname -m)",
        };
        // The copy goes with the directory, whatever becomes of the program or of the way back; what did not come whole,
        // because somebody's time was over, is never run.
        format!(
            "[ \"$(uname -m)\" = \"{arch}\" ] || {{ uname -m >&2; exit {OTHER_ARCHITECTURE}; }}; umask 077; d=$(mktemp -d \"${{TMPDIR:-/tmp}}/pikadoctor.XXXXXXXX\") || exit 97; \
             trap 'rm -rf \"$d\"' EXIT; trap 'exit 98' HUP INT TERM PIPE; \
             cat > \"$d/pikadoctor\" && [ \"$(wc -c < \"$d/pikadoctor\")\" -eq {bytes} ] && chmod 700 \"$d/pikadoctor\" || exit 97; \
             \"$d/pikadoctor\" {ask}"
        )
    } else {
        format!("exec pikadoctor {ask}")
    };
    format!("sh -c {}", quote(&format!("LC_ALL=C; export LC_ALL; {script}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_would_take_for_an_option_is_no_destination() {
        for bad in ["", "-oProxyCommand=x", "a b", "a\nb"] {
            assert!(Destination::new(bad, false).is_err(), "{bad:?}");
        }
        assert_eq!(Destination::new("root@db1", false).unwrap().name(), "root@db1");
    }

    #[test]
    fn a_question_is_one_word_for_the_shell_there() {
        let question = "{\"name\": \"it's $(date) `id` \\\\ \u{e9}\"}";
        let words = shlex::split(&remote_command(question, None)).unwrap();
        assert_eq!(words[..2], ["sh", "-c"]);
        let inner = shlex::split(words[2].rsplit_once("; ").unwrap().1).unwrap();
        assert_eq!(inner, ["exec", "pikadoctor", "answer-host", question]);
    }

    /// What the script leaves behind in its temporary directory when `program` arrives in place of one of `bytes`, and
    /// nobody reads what it says.
    fn left_behind(program: &[u8], bytes: usize) -> (Option<i32>, Vec<String>, bool) {
        use std::io::Write as _;
        let directory = tempfile::tempdir().unwrap();
        let mark = directory.path().join("ran");
        let mut child = std::process::Command::new("sh")
            .args(["-c", &remote_command("{}", Some(bytes))])
            .env("TMPDIR", directory.path())
            .env("MARK", &mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The way back is gone, as when ssh was ended.
        drop((child.stdout.take(), child.stderr.take()));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(program).unwrap();
        drop(stdin);
        let code = child.wait().unwrap().code();
        let ran = std::fs::remove_file(&mark).is_ok();
        let names = std::fs::read_dir(directory.path()).unwrap();
        (code, names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect(), ran)
    }

    #[test]
    fn a_copy_that_broke_off_is_not_run_and_nothing_is_left_of_it() {
        let program = b"#!/bin/sh\ntouch \"$MARK\"\nexit 7\n";
        assert_eq!(left_behind(program, program.len()), (Some(7), Vec::new(), true));
        let (code, left, ran) = left_behind(&program[..program.len() - 8], program.len());
        assert_eq!((code, left, ran), (Some(97), Vec::new(), false));
    }
}
