//! `check_pika`: the same program under the name and with the options of a Nagios plugin.
//!
//! The rules are those of the monitoring plugins' guidelines: help and version are UNKNOWN, so is wrong usage;
//! everything goes to the standard output, because schedulers drop the rest.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;

use crate::catalog::built_in;
use crate::cli::args::connection::{ConnectionArgs, TargetRole};
use crate::cli::args::output::terminal_options;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::cli::said::harmless;
use crate::cli::typed::Typed;
use crate::cli::watch::say_by;
use crate::collect::link::Live;
use crate::judge::thresholds::{self, Threshold};
use crate::judge::{self, verdict};
use crate::model::address::Address;
use crate::model::catalogue::Catalogue;
use crate::model::exit;
use crate::model::finding::State;
use crate::model::limits::PLUGIN_CANARY_TIMEOUT;
use crate::model::link::LinkMode;
use crate::model::policy::Parameters;
use crate::model::range::Range;
use crate::model::text::Language;
use crate::parse::address::pika_address;
use crate::pipeline::request::{CollectionPlan, LinkProbeOptions, LinkRequest};
use crate::pipeline::{LINKS, NODES};
use crate::render::options::{Format, RenderOptions};
use crate::render::render;

/// The file name by which the program is a plugin.
pub const NAME: &str = "check_pika";

/// Check a Pika server, or the replication from its master
#[derive(Debug, Parser)]
#[command(name = NAME, version, max_term_width = 80)]
struct Arguments {
    /// Host name or address
    #[arg(short = 'H', long, value_name = "HOST")]
    hostname: String,

    /// Client port
    #[arg(short, long, default_value_t = 9221, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,

    /// Also check the replication from this master
    #[arg(short = 'M', long, value_name = "HOST:PORT", value_parser = pika_address)]
    master: Option<Address>,

    /// Write no key on the master
    #[arg(long)]
    read_only: bool,

    /// Warning range of a metric: [METRIC=]RANGE; of `behind` (bytes) when none is named and -M is given
    #[arg(short, long, value_name = "RANGE")]
    warning: Vec<String>,

    /// Critical range of a metric
    #[arg(short, long, value_name = "RANGE")]
    critical: Vec<String>,

    /// Seconds for the whole run, and the state when they do not suffice: SECONDS[:STATE]
    #[arg(short, long, value_name = "SECONDS[:STATE]", default_value = "10:unknown", value_parser = parse_timeout)]
    timeout: (Duration, u8),

    /// File whose only line is the password; PIKADOCTOR_PASSWORD otherwise
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Also probe the derived ports; old servers log each connection
    #[arg(long)]
    ports: bool,

    /// Also show what is ok
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// Reads `10`, `10:critical`.
fn parse_timeout(text: &str) -> Result<(Duration, u8), String> {
    let (seconds, state) = text.split_once(':').unwrap_or((text, "unknown"));
    let state = match state.to_ascii_lowercase().as_str() {
        "ok" => exit::OK,
        "warning" => exit::WARNING,
        "critical" => exit::CRITICAL,
        "unknown" => exit::UNKNOWN,
        _ => return Err(format!("`{state}` is not ok, warning, critical or unknown")),
    };
    match seconds.parse::<u64>() {
        Ok(seconds) if (1..=86_400).contains(&seconds) => Ok((Duration::from_secs(seconds), state)),
        _ => Err(format!("`{seconds}` is not a number of seconds from 1 to 86400")),
    }
}

/// Runs the plugin.
pub fn run(arguments: impl IntoIterator<Item = OsString>, typed: &Typed) -> CommandOutcome {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let document = typed.hide(&error.to_string()).into_owned();
            return CommandOutcome { document, exit_code: exit::UNKNOWN };
        }
    };
    say_by(|why| {
        // Nobody reads it any more; the exit code is what counts.
        let _ = io::stdout().write_all(unknown(why).as_bytes());
    });
    plug_in(&arguments).unwrap_or_else(|error| CommandOutcome {
        document: unknown(&typed.hide(&error.to_string())),
        exit_code: CliError::EXIT_CODE,
    })
}

/// The one line that Nagios shows when there is no report.
fn unknown(why: &str) -> String {
    let words = harmless(why).split_whitespace().collect::<Vec<_>>().join(" ");
    format!("PIKA UNKNOWN - {}\n", words.replace('|', "/"))
}

fn plug_in(arguments: &Arguments) -> Result<CommandOutcome, CliError> {
    let catalogue = built_in();
    let thresholds = thresholds_of(arguments, &catalogue)?;
    let server = Address { host: arguments.hostname.clone(), port: arguments.port };
    let other = arguments.master.as_ref().map(|master| (TargetRole::Master, master));
    let named: Vec<(TargetRole, &Address)> =
        std::iter::once((TargetRole::Server, &server)).chain(other).collect();
    let (time, late) = arguments.timeout;
    let connecting = ConnectionArgs::within(time, arguments.password_file.clone(), arguments.ports);
    let targets = connecting.targets(&named)?;
    let link = arguments.master.as_ref().map(|master| LinkRequest {
        replica: server.to_string(),
        master: master.to_string(),
        mode: LinkMode::Replica,
    });
    // A canary must have come to its end before the whole run does.
    let live =
        Live { write: !arguments.read_only, canary_wait: time.div_f64(3.0).min(PLUGIN_CANARY_TIMEOUT) };
    let began = Instant::now();
    let steps = if link.is_some() { LINKS } else { NODES };
    let probes = LinkProbeOptions { live: Some(live), forced: false };
    let links = link.into_iter().collect();
    let plan = CollectionPlan { skip_ports: !arguments.ports, ..CollectionPlan::of(targets, links, probes) };
    let facts = connecting.collect(&plan, steps, &catalogue.knowledge)?;
    if began.elapsed() >= time {
        let word = ["OK", "WARNING", "CRITICAL", "UNKNOWN"][usize::from(late)];
        let document = format!("PIKA {word} - timed out after {} s\n", time.as_secs());
        return Ok(CommandOutcome { document, exit_code: late });
    }
    let mut findings =
        judge::evaluate::Judge::new(&catalogue, Language::En).judge(&facts, &Parameters::new());
    thresholds::apply(&mut findings, &thresholds);
    let report = verdict::report(findings, facts, &catalogue.checks, Language::En);
    let least = if arguments.verbose > 0 { State::NotApplicable } else { RenderOptions::PROBLEMS };
    let document =
        render(&report, Format::Nagios, RenderOptions { color: false, least, ..terminal_options() });
    Ok(CommandOutcome { document, exit_code: report.exit_code })
}

fn thresholds_of(arguments: &Arguments, catalogue: &Catalogue) -> Result<Vec<Threshold>, CliError> {
    let mut known: Vec<&str> = catalogue
        .checks
        .iter()
        .flat_map(|check| &check.file.metrics)
        .map(|metric| metric.name.as_str())
        .collect();
    known.sort_unstable();
    known.dedup();
    let mut thresholds = Vec::new();
    for (option, texts, state) in
        [("-w", &arguments.warning, State::Warning), ("-c", &arguments.critical, State::Critical)]
    {
        for text in texts {
            let wrong = |why: &str| CliError::Usage(format!("{option} {text}: {why}"));
            let (metric, range) = match text.split_once('=') {
                Some(parts) => parts,
                None if arguments.master.is_some() => ("behind", text.as_str()),
                None => return Err(wrong("name the metric, for example clients=500")),
            };
            if !known.contains(&metric) {
                let mut why = format!("there is no metric `{metric}`; there are ");
                let _ = write!(why, "{}", known.join(", "));
                return Err(wrong(&why));
            }
            let range: Range = range.parse().map_err(|error| wrong(&format!("{error}")))?;
            thresholds.push(Threshold { metric: metric.to_owned(), range, state });
        }
    }
    Ok(thresholds)
}
