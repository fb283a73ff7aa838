//! `pikadoctor verify`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::cli::args::connection::{ConnectionArgs, TargetRole, collect_by};
use crate::cli::args::output::ReportArgs;
use crate::cli::comparing::Comparing;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::cli::said::say;
use crate::collect::files::text_file::read_text;
use crate::collect::files::write::expect_output;
use crate::collect::verify::VerifyOptions;
use crate::judge::policy::Policy;
use crate::model::address::Address;
use crate::model::catalogue::Catalogue;
use crate::model::facts::Facts;
use crate::model::limits::MAX_VERIFY_SHARDS;
use crate::model::link::LinkMode;
use crate::model::verification::{CompareLevel, Shard};
use crate::parse::address::pika_address;
use crate::parse::duration;
use crate::pipeline::VERIFY;
use crate::pipeline::catalogue::catalogue_with;
use crate::pipeline::judgement::judge_data;
use crate::pipeline::request::{
    CollectionPlan, LinkProbeOptions, LinkRequest, VerificationRequest, VerifyListener,
};
use crate::plan::read::{Plan, read_plan};

/// Compare the data of two servers: are they really the same?
///
/// Every key is looked for in both directions, with its type, its length or contents, and its remaining life. What differs
/// is looked at again until both sides stand still for it, so clients may go on writing. Nothing is written, and the
/// pace is held back before clients notice. The exit code is 0 when the data is equal, 2 when it differs and 3 when
/// that cannot be said; without a single key it is 3.
///
/// The run may take a day, unless --timeout says otherwise. The password of the source comes from
/// PIKADOCTOR_PASSWORD_MASTER or --master-password-file, if it differs.
#[derive(Debug, clap::Args)]
pub struct VerifyCommand {
    /// Where the data should be complete: HOST[:PORT], several of them joined by commas
    #[arg(required_unless_present = "plan", value_name = "SOURCE", value_parser = side)]
    source: Option<Side>,

    /// What is held against it: HOST[:PORT], several of them joined by commas
    #[arg(required_unless_present = "plan", value_name = "TARGET", value_parser = side)]
    target: Option<Side>,

    /// Compare the two ends of every link and double master of this plan, with its waivers; each has state and
    /// differences of its own, FILE.1, FILE.2 and so on
    #[arg(short = 'f', long = "file", value_name = "PLAN", conflicts_with_all = ["source", "target", "master_password_file"])]
    plan: Option<PathBuf>,

    /// How much of each key is compared
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "length")]
    level: Level,

    /// How much the remaining lives of a key may differ
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::timeout)]
    life_tolerance: Duration,

    /// Do not compare remaining lives
    #[arg(long, conflicts_with = "life_tolerance")]
    no_life: bool,

    /// Keys a second that are not exceeded; the reply times of the servers can slow it down further
    #[arg(long, value_name = "KEYS", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,

    /// Keep the pace that --rate names, or none, and do not slow down when the servers do
    #[arg(long)]
    unpaced: bool,

    /// Compare about so many keys, drawn evenly, and say what follows for all of them
    #[arg(long, value_name = "KEYS", value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,

    /// Compare part I of N; `pikadoctor merge` joins the reports of all parts
    #[arg(long, value_name = "I/N", value_parser = shard)]
    shard: Option<Shard>,

    /// Keep in this file what was compared; the same command takes it up again
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Write every difference to this file, a line of JSON each
    #[arg(long, value_name = "FILE")]
    differences: Option<PathBuf>,

    /// How often what differs is looked at again, at most
    #[arg(long, value_name = "COUNT", default_value = "5", value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,

    /// Also count differences by slot of Codis
    #[arg(long)]
    slots: bool,

    #[command(flatten)]
    connecting: ConnectionArgs,

    #[command(flatten)]
    report: ReportArgs,
}

/// The servers of one side.
#[derive(Clone, Debug)]
struct Side(Vec<Address>);

/// How much of a key is compared.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Level {
    /// Whether it is there, and its type.
    Exists,
    /// Its length, too.
    Length,
    /// Its contents, too, with scores and order.
    Value,
}

impl Level {
    fn level(self) -> CompareLevel {
        match self {
            Self::Exists => CompareLevel::Exists,
            Self::Length => CompareLevel::Length,
            Self::Value => CompareLevel::Value,
        }
    }
}

pub fn run(arguments: &VerifyCommand) -> Result<CommandOutcome, CliError> {
    arguments.report.validate()?;
    arguments.validate()?;
    let catalogue = catalogue_with(&[])?;
    let plan = arguments.plan.as_deref().map(|path| plan_of(path, &catalogue)).transpose()?;
    let collection = match &plan {
        Some(plan) => arguments.planned(plan)?,
        None => arguments.named()?,
    };
    let screen = Arc::new(Comparing::new(arguments.report.language()));
    let listener = screen.clone();
    let listener = VerifyListener(Arc::new(move |name, progress| listener.tell(name, progress)));
    // What the ports are like is for `check`.
    let collection = CollectionPlan { on_progress: Some(listener), skip_ports: true, ..collection };
    let facts = collect_by(arguments.connecting.long_deadlines(), &collection, VERIFY, &catalogue.knowledge);
    screen.end();
    outcome(facts?, plan.as_ref(), &catalogue, &arguments.report)
}

/// Judges comparisons, and prints the report as it was asked for.
pub(super) fn outcome(
    facts: Facts,
    plan: Option<&Plan>,
    catalogue: &Catalogue,
    printing: &ReportArgs,
) -> Result<CommandOutcome, CliError> {
    let mut policy = Policy { today: Zoned::now().with_time_zone(TimeZone::UTC).date(), ..Policy::default() };
    if let Some(plan) = plan {
        policy.parameters.clone_from(&plan.parameters);
        policy.waivers.clone_from(&plan.waivers);
    }
    let mut report = judge_data(facts, catalogue, &policy, printing.language());
    printing.gate(&mut report);
    for remark in &report.remarks {
        say(remark);
    }
    printing.print(&report, Some("verify/compared"))
}

fn plan_of(path: &Path, catalogue: &Catalogue) -> Result<Plan, CliError> {
    let text = read_text(path)?;
    let environment = |name: &str| std::env::var(name).ok();
    Ok(read_plan(&path.to_string_lossy(), &text, catalogue, &environment)?)
}

impl VerifyCommand {
    /// Refuses what cannot work before anything is asked.
    fn validate(&self) -> Result<(), CliError> {
        for path in [&self.state, &self.differences].into_iter().flatten() {
            expect_output(path).map_err(|source| CliError::Write { path: path.clone(), source })?;
        }
        if self.state.is_some() && self.state == self.differences {
            return Err(CliError::usage("--state and --differences name the same file"));
        }
        Ok(())
    }

    fn options(&self) -> VerifyOptions {
        VerifyOptions {
            level: self.level.level(),
            life_tolerance: (!self.no_life).then_some(self.life_tolerance),
            rate: self.rate,
            unpaced: self.unpaced,
            sample: self.sample,
            shard: self.shard,
            state: self.state.clone(),
            differences: self.differences.clone(),
            rounds: Some(self.rounds),
            slots: self.slots,
            ..VerifyOptions::default()
        }
    }

    /// The two sides that the arguments name.
    fn named(&self) -> Result<CollectionPlan, CliError> {
        let (Some(Side(sources)), Some(Side(targets))) = (&self.source, &self.target) else {
            return Err(CliError::usage("name a source and a target, or a plan with -f"));
        };
        if let Some(both) = sources.iter().find(|source| targets.contains(source)) {
            return Err(CliError::Usage(format!("{both} would be compared with itself")));
        }
        // Of a link the target is the replica, and options name the password of the other end.
        let named: Vec<(TargetRole, &Address)> =
            (targets.iter().map(|address| (TargetRole::Server, address)))
                .chain(sources.iter().map(|address| (TargetRole::Master, address)))
                .collect();
        let mut seen = BTreeSet::new();
        if let Some((_, twice)) = named.iter().find(|(_, address)| !seen.insert(address.to_string())) {
            return Err(CliError::Usage(format!("{twice} is named twice")));
        }
        let link = |target: &Address, source: &Address| LinkRequest {
            replica: target.to_string(),
            master: source.to_string(),
            mode: LinkMode::Replica,
        };
        let links = targets
            .iter()
            .flat_map(|target| sources.iter().map(move |source| link(target, source)))
            .collect();
        let written = |side: &[Address]| side.iter().map(ToString::to_string).collect();
        let options = self.options();
        let verifications =
            vec![VerificationRequest { sources: written(sources), targets: written(targets), options }];
        let targets = self.connecting.targets(&named)?;
        let servers = CollectionPlan::of(targets, links, LinkProbeOptions::default());
        Ok(CollectionPlan { verifications, ..servers })
    }

    /// The links and double masters of a plan. Of a double master, too, one comparison sees both directions.
    fn planned(&self, plan: &Plan) -> Result<CollectionPlan, CliError> {
        if plan.links.is_empty() {
            return Err(CliError::Usage(format!(
                "{}: it names no link and no double master to compare",
                plan.origin
            )));
        }
        let link = |it: &crate::plan::read::PlannedReplication| LinkRequest {
            replica: it.replica.to_string(),
            master: it.master.to_string(),
            mode: it.mode,
        };
        let links: Vec<LinkRequest> = plan.links.iter().map(link).collect();
        let of_one = |path: &Option<PathBuf>, index: usize| {
            path.as_ref().map(|path| if links.len() > 1 { numbered(path, index + 1) } else { path.clone() })
        };
        let verifications = links.iter().enumerate().map(|(index, link)| VerificationRequest {
            sources: vec![link.master.clone()],
            targets: vec![link.replica.clone()],
            options: VerifyOptions {
                state: of_one(&self.state, index),
                differences: of_one(&self.differences, index),
                ..self.options()
            },
        });
        let verifications = verifications.collect();
        // A server that no link names is not asked.
        let mut targets = self.connecting.planned_targets(plan)?;
        targets.retain(|target| links.iter().any(|it| it.replica == target.name || it.master == target.name));
        Ok(CollectionPlan {
            verifications,
            cutover: Some(plan.clone()),
            ..CollectionPlan::of(targets, links, LinkProbeOptions::default())
        })
    }
}

/// `FILE.2` for the second of several comparisons.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// Reads `HOST:PORT,HOST:PORT`.
fn side(text: &str) -> Result<Side, String> {
    let one = |text: &str| pika_address(text.trim()).map_err(|error| error.to_string());
    text.split(',').map(one).collect::<Result<_, _>>().map(Side)
}

/// Reads `2/8`.
fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    let Some((number, of)) = parts else {
        return Err("write the part and the number of parts, such as 2/8".to_owned());
    };
    if of == 0 || of > MAX_VERIFY_SHARDS {
        return Err(format!("there can be 1 to {MAX_VERIFY_SHARDS} parts"));
    }
    if number == 0 || number > of {
        return Err(format!("the parts are 1/{of} to {of}/{of}"));
    }
    Ok(Shard { number, of })
}
