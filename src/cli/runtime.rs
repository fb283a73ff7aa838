//! The one place that starts Tokio.

use super::error::CliError;

/// Runs `work` to its end, on this thread.
///
/// # Errors
/// When the operating system gives no event queue.
pub fn run<T>(work: impl Future<Output = T>) -> Result<T, CliError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CliError::Runtime)?;
    let result = runtime.block_on(work);
    // A resolver or a file system that hangs must not hold up the end: its thread is left to itself.
    runtime.shutdown_background();
    Ok(result)
}
