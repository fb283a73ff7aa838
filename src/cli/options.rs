//! What several subcommands understand alike.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;

use super::{Failure, Outcome};
use crate::collect::check_directory::read_check_directory;
use crate::judge;
use crate::judge::catalogue;
use crate::judge::evaluate::Parameters;
use crate::judge::verdict::move_gate;
use crate::model::catalogue::Catalogue;
use crate::model::facts::{Address, Facts};
use crate::model::finding::State;
use crate::model::text::Language;
use crate::render::{Format, Look, render};

/// Pika's port when none is named.
const DEFAULT_PORT: u16 = 9221;

/// How a report is printed.
#[derive(Debug, clap::Args)]
pub struct Printing {
    /// Output format; can be given several times [default: human]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Vec<Format>,

    /// File for a format, written at once or not at all; the last files belong to the last formats, and one
    /// format without a file goes to the standard output
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Vec<PathBuf>,

    #[command(flatten)]
    language: Output,

    /// Show what is ok, skipped or not applicable, too
    #[arg(short, long, conflicts_with = "min_state")]
    verbose: bool,

    /// Hide findings that are less bad; the exit code does not change
    #[arg(long, value_enum, value_name = "STATE", default_value = "warning")]
    min_state: Gate,

    /// The least bad state that makes the exit code other than 0
    #[arg(long, value_enum, value_name = "STATE", default_value = "warning")]
    fail_on: Gate,
}

/// A state that something begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Gate {
    /// Warnings, unknown and critical findings.
    Warning,
    /// Unknown and critical findings.
    Unknown,
    /// Critical findings only.
    Critical,
    /// Nothing.
    Never,
}

impl Gate {
    fn state(self) -> Option<State> {
        match self {
            Self::Warning => Some(State::Warning),
            Self::Unknown => Some(State::Unknown),
            Self::Critical => Some(State::Critical),
            Self::Never => None,
        }
    }
}

impl Printing {
    /// Refuses what cannot be printed, before anything is looked at.
    pub fn validate(&self) -> Result<(), Failure> {
        let (formats, files) = (self.formats().len(), self.output.len());
        if files > formats {
            return Err(Failure(format!("--output names {files} files for {formats} format(s)")));
        }
        if formats - files > 1 {
            let count = formats - files;
            let sentence = "formats have no --output FILE, and only one can go to the standard output";
            return Err(Failure(format!("{count} {sentence}")));
        }
        if self.min_state == Gate::Never {
            return Err(Failure(
                "--min-state never would hide everything; the states are warning, unknown, critical".into(),
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
    ) -> Result<Outcome, Failure> {
        self.outcome_about(None, facts, catalogue, parameters)
    }

    /// The same for a command that is about one check, which is shown whatever its result is.
    pub fn outcome_about(
        &self,
        always: Option<&'static str>,
        facts: Facts,
        catalogue: &Catalogue,
        parameters: &Parameters,
    ) -> Result<Outcome, Failure> {
        let mut report = judge(facts, catalogue, parameters, self.language.language());
        move_gate(&mut report, self.fail_on.state());
        let least = if self.verbose { Some(State::NotApplicable) } else { self.min_state.state() };
        let least = least.unwrap_or(Look::PROBLEMS);
        let look = Look { always, least, fail_on: self.fail_on.state(), ..look() };
        let formats = self.formats();
        let to_stdout = formats.len() - self.output.len();
        for (format, path) in formats[to_stdout..].iter().zip(&self.output) {
            // A file is no terminal.
            let text = render(&report, *format, Look { color: false, ..look });
            write_at_once(path, text.as_bytes())
                .map_err(|error| Failure(format!("{}: {error}", path.display())))?;
        }
        let document = formats[..to_stdout].first().map(|format| render(&report, *format, look));
        Ok(Outcome { document: document.unwrap_or_default(), exit_code: report.exit_code })
    }
}

/// Writes a file so that a reader sees the old one or the new one, and never a part: a collector may read it at
/// any time.
pub fn write_at_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".pikadoctor-").tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    // A temporary file is its owner's alone; a report is for whoever may read the directory.
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Options about the language of the output.
#[derive(Debug, clap::Args)]
pub struct Output {
    /// Language of the texts: en or zh [default: by LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, value_parser = parse_language)]
    pub lang: Option<Language>,
}

impl Output {
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
pub fn look() -> Look {
    const WIDEST: u16 = 100;
    const NARROWEST: u16 = 50;
    let width = terminal_size::terminal_size().map_or(80, |(width, _)| width.0.clamp(NARROWEST, WIDEST));
    Look {
        color: true,
        width: usize::from(width),
        least: Look::PROBLEMS,
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

/// The built-in catalogue with the checks of the given directories.
pub fn catalogue_with(directories: &[PathBuf]) -> Result<Catalogue, Failure> {
    let mut catalogue = catalogue::built_in();
    for directory in directories {
        for check in read_check_directory(directory).map_err(Failure::new)? {
            catalogue::add(&mut catalogue, &check.id, &check.file, &check.text).map_err(Failure::new)?;
        }
    }
    Ok(catalogue)
}

/// Reads `HOST:PORT`, `HOST`, `[IPV6]:PORT`, `[IPV6]` or `IPV6`.
pub fn parse_address(text: &str) -> Result<Address, String> {
    parse_address_with_port(text, DEFAULT_PORT)
}

/// The same for servers with another port when none is named.
pub fn parse_address_with_port(text: &str, default_port: u16) -> Result<Address, String> {
    if let Some(bad) =
        text.chars().find(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '?' | '#'))
    {
        return Err(format!("a host name has no {bad:?}; write HOST:PORT"));
    }
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("the bracket `[` is not closed")?;
        match rest {
            "" => (host, None),
            _ => (
                host,
                Some(rest.strip_prefix(':').ok_or_else(|| format!("`{rest}` after `]` is not a port"))?),
            ),
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            // No colon at all, or an IPv6 address without brackets, which has no port.
            _ => (text, None),
        }
    };
    if host.is_empty() {
        return Err("the host is missing; write HOST:PORT".into());
    }
    if host.contains(':') && host.parse::<std::net::Ipv6Addr>().is_err() {
        return Err(format!("`{host}` is not an IPv6 address; write HOST:PORT or [IPV6]:PORT"));
    }
    let port = match port {
        None => default_port,
        Some(port) => match port.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("`{port}` is not a port from 1 to 65535")),
        },
    };
    Ok(Address { host: host.to_owned(), port })
}

/// Reads `10`, `10s`, `500ms`, `1m30s`: a number without a unit is seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(24 * 3600);
    let wrong = || format!("`{text}` is not a duration such as 10s, 500ms or 2m");
    let duration = if let Ok(seconds) = text.parse::<f64>() {
        Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?
    } else {
        let parsed: SignedDuration = text.parse().map_err(|_| wrong())?;
        parsed.unsigned_abs()
    };
    if duration.is_zero() || duration > LONGEST || text.trim_start().starts_with('-') {
        return Err(format!("`{text}` is not between 1ms and 24h"));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, host, port) in [
            ("10.0.0.1:9221", "10.0.0.1", 9221),
            ("pika-a", "pika-a", 9221),
            ("[::1]:9300", "::1", 9300),
            ("[::1]", "::1", 9221),
            ("fe80::1", "fe80::1", 9221),
        ] {
            assert_eq!(parse_address(text), Ok(Address { host: host.into(), port }), "{text}");
        }
        for text in [
            "",
            ":9221",
            "nonsense:port",
            "a:0",
            "a:65536",
            "[::1",
            "[::1]9221",
            "a:b:c",
            "http://a:1",
            "a b:1",
            "user@a:1",
        ] {
            assert!(parse_address(text).is_err(), "{text:?} must be refused");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_duration("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["", "0", "-5", "-5s", "soon", "25h", "NaN", "inf", "1e300"] {
            assert!(parse_duration(text).is_err(), "{text:?} must be refused");
        }
    }
}
