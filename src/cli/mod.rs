//! The subcommands: each reads its flags, calls the pipeline, and says where the result goes.

mod args;
mod commands;
mod comparing;
mod error;
mod outcome;
mod progress;
mod runtime;
mod said;
mod typed;
mod watch;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use clap::{CommandFactory, Parser, Subcommand};

use self::commands::{
    answer_host, capture, check, demo, diff, explain, forecast, host, init, lab, lint, list, logs, manual,
    merge, plugin, schema, test_checks, verify,
};
use self::error::CliError;
use self::outcome::CommandOutcome;
use self::typed::Typed;
use crate::model::exit;

/// Tells whether a Pika server is safe to use, replicate from or cut over to, before it is done.
#[derive(Debug, Parser)]
#[command(
    name = "pikadoctor",
    version,
    after_help = "Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown or wrong usage; the same in every format."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::CheckCommand),
    Host(host::HostCommand),
    Forecast(forecast::ForecastCommand),
    Init(init::InitCommand),
    Verify(verify::VerifyCommand),
    Merge(merge::MergeCommand),
    Capture(capture::CaptureCommand),
    Diff(diff::DiffCommand),
    Lint(lint::LintCommand),
    Logs(logs::LogsCommand),
    List(list::ListCommand),
    Explain(explain::ExplainCommand),
    Schema(schema::SchemaCommand),
    TestChecks(test_checks::TestChecksCommand),
    Demo(demo::DemoCommand),
    Lab(lab::LabCommand),
    Completions(manual::Completions),
    Man(manual::Man),
    AnswerHost(answer_host::AnswerHostCommand),
}

/// Runs the program; returns its exit code. Under the name `check_pika` it is a Nagios plugin.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    survive_file_limit();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let typed = Typed::of(&arguments);
    let name = arguments.first().and_then(|path| Path::new(path).file_stem());
    if name == Some(OsStr::new(plugin::NAME)) {
        return print(plugin::run(arguments, &typed));
    }
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; everything else is wrong usage.
            let code = if error.use_stderr() { exit::UNKNOWN } else { exit::OK };
            let text = error.render().ansi().to_string();
            let _ = if error.use_stderr() {
                anstream::stderr().write_all(typed.hide(&text).as_bytes())
            } else {
                anstream::stdout().write_all(text.as_bytes())
            };
            return code;
        }
    };
    let result = match arguments.command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Host(arguments) => host::run(&arguments),
        Command::AnswerHost(arguments) => answer_host::run(&arguments),
        Command::Capture(arguments) => capture::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Forecast(arguments) => forecast::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Logs(arguments) => logs::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Schema(arguments) => Ok(schema::run(&arguments)),
        Command::TestChecks(arguments) => test_checks::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Lab(arguments) => lab::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Merge(arguments) => merge::run(&arguments),
        Command::Completions(arguments) => Ok(arguments.run(Arguments::command())),
        Command::Man(arguments) => arguments.run(Arguments::command()),
    };
    match result {
        Ok(outcome) => print(outcome),
        Err(error) => {
            said::say(&typed.hide(&error.to_string()));
            CliError::EXIT_CODE
        }
    }
}

/// A file that grows over the limit of the process (`ulimit -f`) is a write that fails, with a message, and not the end.
fn survive_file_limit() {
    // The flag is not looked at: what counts is that there is a handler.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Prints the one document of a run.
fn print(outcome: CommandOutcome) -> u8 {
    watch::is_done();
    // Styles are in the document where the format has any; the stream takes them out when it is no terminal,
    // or when NO_COLOR says so.
    let mut out = anstream::stdout();
    match out.write_all(outcome.document.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            said::say(&format!("the standard output: {error}; it is not complete"));
            CliError::EXIT_CODE
        }
        // A reader that went away has seen what it wanted.
        _ => outcome.exit_code,
    }
}
