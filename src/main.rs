//! The door: arguments in, exit code out.

use std::process::ExitCode;

use pikadoctor::model::exit;

fn main() -> ExitCode {
    // A panic is a defect of this program and says nothing about the server: UNKNOWN, not Rust's 101,
    // which no monitoring system knows.
    let message = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        message(info);
        std::process::exit(i32::from(exit::UNKNOWN));
    }));
    ExitCode::from(pikadoctor::cli::run(std::env::args_os()))
}
