//! The call of ssh, and what is run on the other side.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout_at};

use super::answer::{self, Call, Seen};
use super::trouble;
use crate::collect::clock::Deadlines;
use crate::collect::host::wire::{Question, SCHEMA, TOOL, now};
use crate::collect::host::{Request, Search};
use crate::model::host::{SshFailure, SshTrouble};

/// The most that is read of an answer. That of a host with a hundred Pikas has less than a megabyte.
const MOST_ANSWER: u64 = 8 * 1024 * 1024;

/// The most that is read of what ssh complains about.
const MOST_COMPLAINT: u64 = 16 * 1024;

/// The time that is kept back from the deadline for the way back of the answer.
const WAY_BACK: Duration = Duration::from_millis(500);

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

impl Destination {
    /// `name` as a person wrote it. What ssh would take for an option is refused.
    pub fn new(name: &str, copy: bool) -> Result<Self, String> {
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if name.is_empty() || name.starts_with('-') || name.contains(odd) {
            return Err(format!(
                "`{name}` is no destination of ssh; write USER@HOST or a name of ~/.ssh/config"
            ));
        }
        Ok(Self { name: name.to_owned(), copy })
    }

    /// What ssh is told.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Asks the host behind `destination`, about the Pikas of `search`, too.
pub async fn look(
    destination: &Destination,
    request: &Request,
    search: Option<&Search>,
    deadlines: &Deadlines,
) -> Result<Seen, SshFailure> {
    let failure = |kind, detail: Option<String>| SshFailure { kind, detail };
    let Ok(ssh) = which::which("ssh") else { return Err(failure(SshTrouble::NoSsh, None)) };
    let left = deadlines.run.saturating_duration_since(Instant::now()).saturating_sub(WAY_BACK);
    let question = Question {
        schema: SCHEMA.to_owned(),
        tool_version: TOOL.to_owned(),
        seconds: left.as_secs_f64(),
        request: request.clone(),
        search: search.cloned(),
    };
    let words = |error: &dyn std::fmt::Display| failure(SshTrouble::Failed, Some(error.to_string()));
    let question = serde_json::to_string(&question).map_err(|error| words(&error))?;
    let own = if destination.copy { Some(own_program().await.map_err(|error| words(&error))?) } else { None };
    let sent = now();
    let began = Instant::now();
    let mut child = start(&ssh, destination, &question, deadlines).map_err(|error| words(&error))?;
    let conversation = converse(&mut child, own.as_deref());
    let Ok(said) = timeout_at(deadlines.run, conversation).await else {
        let _ = child.start_kill();
        return Err(failure(SshTrouble::TimedOut, None));
    };
    let said = said.map_err(|error| words(&error))?;
    let call = Call { sent, arrived: sent + began.elapsed().as_secs_f64() };
    answer::read(&said.output, call).map_err(|problem| trouble::tell(&said, problem))
}

/// This program itself, for a copy of it.
async fn own_program() -> std::io::Result<Vec<u8>> {
    // Through the link of /proc it is there even when its file was replaced meanwhile.
    tokio::task::spawn_blocking(|| std::fs::read("/proc/self/exe")).await?
}

/// What came back.
pub struct Said {
    /// The standard output.
    pub output: Vec<u8>,
    /// The standard error.
    pub complaint: String,
    /// The exit code of ssh: 255 for its own troubles, else that of the shell there.
    pub code: Option<i32>,
}

fn start(
    ssh: &Path,
    destination: &Destination,
    question: &str,
    deadlines: &Deadlines,
) -> std::io::Result<Child> {
    let patience = deadlines.connect.as_secs().max(1);
    Command::new(ssh)
        .args(["-T", "-o", "BatchMode=yes", "-o", &format!("ConnectTimeout={patience}")])
        // Its own words about trouble are told from those of a banner or of a forwarding by their form.
        .args(["-o", "LogLevel=ERROR", "-o", "ClearAllForwardings=yes", "-o", "ForwardAgent=no"])
        .args(["--", &destination.name, &there(question, destination.copy)])
        .env("LC_ALL", "C")
        .stdin(if destination.copy { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// The command for the shell there, whichever it is: everything but `sh -c` is one quoted word.
fn there(question: &str, copy: bool) -> String {
    let quote = |text: &str| shlex::try_quote(text).map(std::borrow::Cow::into_owned).unwrap_or_default();
    let ask = format!("answer-host {}", quote(question));
    let script = if copy {
        // Where uname has the same name for it as Rust; elsewhere the program itself will not run.
        let arch = match std::env::consts::ARCH {
            arch @ ("x86_64" | "aarch64" | "riscv64" | "s390x" | "loongarch64") => arch,
            _ => "$(uname -m)",
        };
        // The copy goes with the directory, whatever becomes of the program.
        format!(
            "[ \"$(uname -m)\" = \"{arch}\" ] || {{ uname -m >&2; exit {OTHER_ARCHITECTURE}; }}; umask 077; d=$(mktemp -d \"${{TMPDIR:-/tmp}}/pikadoctor.XXXXXXXX\") || exit 97; \
             trap 'rm -rf \"$d\"' EXIT; trap 'exit 98' HUP INT TERM; \
             cat > \"$d/pikadoctor\" && chmod 700 \"$d/pikadoctor\" || exit 97; \
             \"$d/pikadoctor\" {ask}"
        )
    } else {
        format!("exec pikadoctor {ask}")
    };
    format!("sh -c {}", quote(&format!("LC_ALL=C; export LC_ALL; {script}")))
}

async fn converse(child: &mut Child, program: Option<&[u8]>) -> std::io::Result<Said> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let writing = async {
        if let (Some(mut stdin), Some(program)) = (stdin, program) {
            // A shell that ended early reads no more; its exit code says why.
            let _ = stdin.write_all(program).await;
            let _ = stdin.shutdown().await;
        }
    };
    let ((), output, complaint) =
        tokio::join!(writing, bounded(stdout, MOST_ANSWER + 1), bounded(stderr, MOST_COMPLAINT));
    let output = output?;
    if output.len() as u64 > MOST_ANSWER {
        child.start_kill()?;
    }
    let code = child.wait().await?.code();
    let complaint = String::from_utf8_lossy(&complaint?).into_owned();
    Ok(Said { output, complaint, code })
}

/// What comes from a pipe, up to a bound. What comes after that is not read.
async fn bounded(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(most).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// Whether more came than an answer can have.
pub fn is_too_much(output: &[u8]) -> bool {
    output.len() as u64 > MOST_ANSWER
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
        let words = shlex::split(&there(question, false)).unwrap();
        assert_eq!(words[..2], ["sh", "-c"]);
        let inner = shlex::split(words[2].rsplit_once("; ").unwrap().1).unwrap();
        assert_eq!(inner, ["exec", "pikadoctor", "answer-host", question]);
    }
}
