//! The door: arguments in, exit code out.

use std::process::ExitCode;
use std::thread;

use pikadoctor::model::exit;

/// Memory is taken for what is used of it.
const STACK_BYTES: usize = 64 * 1024 * 1024;

fn main() -> ExitCode {
    // A panic is a defect of this program and says nothing about the server: UNKNOWN, not Rust's 101,
    // which no monitoring system knows.
    let message = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        message(info);
        std::process::exit(i32::from(exit::UNKNOWN));
    }));
    // The reader of expressions calls itself, for checks that anybody may have written. Where there is no room for such a
    // stack, the usual one has to do.
    let run = || pikadoctor::cli::run(std::env::args_os());
    let code = match thread::Builder::new().stack_size(STACK_BYTES).spawn(run) {
        Ok(running) => running.join().unwrap_or(exit::UNKNOWN),
        Err(_) => run(),
    };
    ExitCode::from(code)
}
