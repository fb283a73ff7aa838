//! What ssh and the command on the other side write, within bounds.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

use crate::model::limits::{MAX_SSH_ERROR_BYTES, MAX_SSH_OUTPUT_BYTES};

/// What a call of ssh came to.
pub struct CommandOutput {
    /// The standard output.
    pub output: Vec<u8>,
    /// The standard error.
    pub error: String,
    /// The exit code of ssh: 255 for an error of its own, else that of the shell there.
    pub code: Option<i32>,
}

impl CommandOutput {
    /// Whether more came than an answer can have.
    pub fn is_too_large(&self) -> bool {
        self.output.len() as u64 > MAX_SSH_OUTPUT_BYTES
    }
}

/// Writes `program` to ssh, where one is to be copied, and reads what comes back until ssh ends.
pub async fn run_session(child: &mut Child, program: Option<&[u8]>) -> std::io::Result<CommandOutput> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let writing = async {
        if let (Some(mut stdin), Some(program)) = (stdin, program) {
            // A shell that ended early reads no more; its exit code says why.
            let _ = stdin.write_all(program).await;
            let _ = stdin.shutdown().await;
        }
    };
    let ((), output, error) = tokio::join!(
        writing,
        bounded(stdout, MAX_SSH_OUTPUT_BYTES + 1),
        bounded(stderr, MAX_SSH_ERROR_BYTES)
    );
    let error = String::from_utf8_lossy(&error?).into_owned();
    let mut output = CommandOutput { output: output?, error, code: None };
    if output.is_too_large() {
        child.start_kill()?;
    }
    output.code = child.wait().await?.code();
    Ok(output)
}

/// What comes from a pipe, up to a bound. What comes after that is not read.
async fn bounded(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(most).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
