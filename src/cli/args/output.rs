//! What several subcommands understand alike.

use std::path::PathBuf;

use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::collect::files::write::{expect_output, write_output};
use crate::judge::policy::Policy;
use crate::judge::verdict::move_gate;
use crate::model::catalogue::Catalogue;
use crate::model::facts::Facts;
use crate::model::finding::{Report, State};
use crate::model::policy::Parameters;
use crate::model::text::Language;
use crate::pipeline::judgement::judge_by;
use crate::render::options::{Format, RenderOptions};
use crate::render::render;

/// How a report is printed.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Output format [repeatable] [default: human]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Vec<Format>,

    /// Write a format to this file, atomically [repeatable]; the last files belong to the last formats, and one
    /// format without a file goes to the standard output
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Vec<PathBuf>,

    #[command(flatten)]
    language: LanguageArgs,

    /// Also show findings that are ok, skipped or not applicable
    #[arg(short, long, conflicts_with = "min_state")]
    verbose: bool,

    /// Hide findings below this state; the exit code does not change
    #[arg(long, value_enum, value_name = "STATE", default_value = "warning")]
    min_state: FailOn,

    /// The lowest state that makes the exit code other than 0
    #[arg(long, value_enum, value_name = "STATE", default_value = "warning")]
    fail_on: FailOn,
}

/// A state that something begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    /// Warnings, unknown and critical findings.
    Warning,
    /// Unknown and critical findings.
    Unknown,
    /// Critical findings only.
    Critical,
    /// Nothing.
    Never,
}

impl FailOn {
    fn state(self) -> Option<State> {
        match self {
            Self::Warning => Some(State::Warning),
            Self::Unknown => Some(State::Unknown),
            Self::Critical => Some(State::Critical),
            Self::Never => None,
        }
    }
}

impl ReportArgs {
    /// Refuses what cannot be printed, before anything is looked at.
    pub fn validate(&self) -> Result<(), CliError> {
        let (formats, files) = (self.formats().len(), self.output.len());
        if files > formats {
            return Err(CliError::Usage(format!("--output names {files} files for {formats} format(s)")));
        }
        if formats - files > 1 {
            let count = formats - files;
            let sentence = "formats have no --output FILE, and only one can go to the standard output";
            return Err(CliError::Usage(format!("{count} {sentence}")));
        }
        for path in &self.output {
            expect_output(path).map_err(|source| CliError::Write { path: path.clone(), source })?;
        }
        if self.min_state == FailOn::Never {
            return Err(CliError::usage(
                "--min-state never would hide everything; the states are warning, unknown, critical",
            ));
        }
        Ok(())
    }

    fn formats(&self) -> Vec<Format> {
        if self.format.is_empty() { vec![Format::Human] } else { self.format.clone() }
    }

    /// Judges facts, and prints the report as it was asked for.
    pub fn outcome(
        &self,
        facts: Facts,
        catalogue: &Catalogue,
        parameters: &Parameters,
    ) -> Result<CommandOutcome, CliError> {
        self.outcome_about(None, facts, catalogue, parameters)
    }

    /// The same for a command that is about one check, which is shown whatever its result is.
    pub fn outcome_about(
        &self,
        always: Option<&'static str>,
        facts: Facts,
        catalogue: &Catalogue,
        parameters: &Parameters,
    ) -> Result<CommandOutcome, CliError> {
        let policy = Policy { parameters: parameters.clone(), ..Policy::default() };
        self.print(&self.judge(facts, catalogue, &policy), always)
    }

    /// Judges facts by what counts in this run, and moves the gate to where --fail-on says.
    pub fn judge(&self, facts: Facts, catalogue: &Catalogue, policy: &Policy) -> Report {
        let mut report = judge_by(facts, catalogue, policy, self.language());
        move_gate(&mut report, self.fail_on.state());
        report
    }

    /// Moves the gate to where --fail-on says.
    pub fn gate(&self, report: &mut Report) {
        move_gate(report, self.fail_on.state());
    }

    /// The language of the texts.
    pub fn language(&self) -> Language {
        self.language.language()
    }

    /// Whether a finding in `state` fails the run.
    pub fn fails(&self, state: State) -> bool {
        self.fail_on.state().is_some_and(|gate| state.rank() <= gate.rank())
    }

    /// Prints a report as it was asked for. `always`: a check that is shown whatever its result is.
    pub fn print(&self, report: &Report, always: Option<&'static str>) -> Result<CommandOutcome, CliError> {
        let least = if self.verbose { Some(State::NotApplicable) } else { self.min_state.state() };
        let least = least.unwrap_or(RenderOptions::PROBLEMS);
        let look = RenderOptions { always, least, fail_on: self.fail_on.state(), ..terminal_options() };
        let formats = self.formats();
        let to_stdout = formats.len() - self.output.len();
        for (format, path) in formats[to_stdout..].iter().zip(&self.output) {
            // A file is no terminal.
            let text = render(report, *format, RenderOptions { color: false, ..look });
            write_output(path, text.as_bytes())
                .map_err(|source| CliError::Write { path: path.clone(), source })?;
        }
        let document = formats[..to_stdout].first().map(|format| render(report, *format, look));
        Ok(CommandOutcome { document: document.unwrap_or_default(), exit_code: report.exit_code })
    }
}

/// Options about the language of the output.
#[derive(Debug, clap::Args)]
pub struct LanguageArgs {
    /// Language of the texts: en or zh [default: by LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, value_parser = parse_language)]
    pub lang: Option<Language>,
}

impl LanguageArgs {
    /// The language that was asked for, or that of the environment.
    pub fn language(&self) -> Language {
        self.lang.unwrap_or_else(|| {
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
                .unwrap_or_default();
            if locale.starts_with("zh") { Language::Zh } else { Language::En }
        })
    }
}

/// How a person's output looks: as wide as the terminal, but not wider than reads well.
pub fn terminal_options() -> RenderOptions {
    const WIDEST: u16 = 100;
    const NARROWEST: u16 = 50;
    let width = terminal_size::terminal_size().map_or(80, |(width, _)| width.0.clamp(NARROWEST, WIDEST));
    RenderOptions {
        color: true,
        width: usize::from(width),
        least: RenderOptions::PROBLEMS,
        fail_on: Some(State::Warning),
        always: None,
    }
}

fn parse_language(text: &str) -> Result<Language, String> {
    match text {
        "en" => Ok(Language::En),
        "zh" => Ok(Language::Zh),
        _ => Err("the languages are en and zh".into()),
    }
}
