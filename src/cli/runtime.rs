//! The one place that starts Tokio.

use super::error::CliError;

/// Runs `work` to its end, on this thread.
///
/// # Errors
/// When the operating system gives no event queue.
pub fn run<T>(work: impl Future<Output = T>) -> Result<T, CliError> {
    let runtime = new().map_err(CliError::Runtime)?;
    let result = runtime.block_on(work);
    // A resolver or a file system that hangs must not hold up the end: its thread is left to itself.
    runtime.shutdown_background();
    Ok(result)
}

/// A runtime for one thread.
///
/// # Errors
/// When the operating system gives no event queue.
pub fn new() -> std::io::Result<tokio::runtime::Runtime> {
    // Tokio panics where it may open too few files for its signals. These six are more than it takes, and closed again.
    drop([std::io::pipe()?, std::io::pipe()?, std::io::pipe()?]);
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
