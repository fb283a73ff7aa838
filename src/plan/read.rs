//! Reads a plan: text in, a plan that makes sense or an error with its place out. Pure but for the environment,
//! which the caller hands in.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;

use super::file::{LinkPlan, NodePlan, PlanFile, SCHEMA, SecretSource};
use crate::catalog::parameters;
use crate::judge::requirements::Required;
use crate::judge::waivers::Waiver;
use crate::model::address::Address;
use crate::model::catalogue::Catalogue;
use crate::model::facts::Facts;
use crate::model::limits::MAX_VERIFIED_AGE;
use crate::model::link::{Link, LinkMode};
use crate::model::planned::{PlannedLink, PlannedNode};
use crate::model::policy::Parameters;
use crate::model::release::Releases;
use crate::model::text::Source;
use crate::parse::address::pika_address;
use crate::parse::document::decode::from_yaml;
use crate::parse::document::error::{DeserializeError, Mismatch, YamlError};
use crate::parse::duration::window;
use crate::parse::nearest::did_you_mean;

/// A plan that makes sense.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The file.
    pub origin: String,
    /// The servers, in the order of the file.
    pub servers: Vec<PlannedServer>,
    /// What is replicated where.
    pub links: Vec<PlannedReplication>,
    /// What watches servers or spreads them.
    pub services: PlannedServices,
    /// Parameters of checks that differ from their defaults.
    pub parameters: Parameters,
    /// What is accepted for a time.
    pub waivers: Vec<Waiver>,
    /// Comparisons of data that were made before.
    pub verified: Option<PlannedComparisons>,
    /// What must be visible.
    pub require: Vec<Required>,
    /// What somebody should know about the plan and that stops nothing.
    pub remarks: Vec<String>,
}

/// Comparisons of data that were made before.
#[derive(Clone, Debug)]
pub struct PlannedComparisons {
    /// The reports.
    pub reports: Vec<PathBuf>,
    /// How old they may be.
    pub max_age: Duration,
}

/// What watches servers or spreads them.
#[derive(Clone, Debug, Default)]
pub struct PlannedServices {
    /// URLs of Codis.
    pub codis: Vec<Placed>,
    /// ZooKeeper ensembles.
    pub zookeeper: Vec<Placed>,
    /// etcds.
    pub etcd: Vec<Placed>,
    /// Directories of the file-system coordinator.
    pub coordinator_dirs: Vec<PathBuf>,
    /// The product of Codis.
    pub product: Option<Placed>,
    /// Whether slots of the Codis will be moved.
    pub before_migration: bool,
    /// Sentinels.
    pub sentinels: Vec<Placed>,
}

/// A text of a plan, with its variables replaced.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The text.
    pub text: String,
    /// Where it stands, `FILE:LINE:COLUMN`.
    pub place: String,
}

impl Placed {
    /// What the text means, or an error with its place.
    pub fn read<T, E: Display>(&self, parse: impl Fn(&str) -> Result<T, E>) -> Result<T, PlanError> {
        parse(&self.text).map_err(|why| PlanError(format!("{}: {why}", self.place)))
    }
}

/// A server of a plan.
#[derive(Clone, Debug)]
pub struct PlannedServer {
    /// Where it is.
    pub address: Address,
    /// What the plan says of it.
    pub planned: PlannedNode,
    /// Where its password comes from, with complete paths.
    pub password: Option<PasswordFrom>,
    /// Its pika.conf.
    pub conf: Option<PathBuf>,
    /// The way to its host, as `ssh` takes it, and the place of the plan that names it.
    pub ssh: Option<(String, String)>,
}

/// Where a password comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordFrom {
    /// An environment variable, and the place of the plan that names it.
    Variable(String, String),
    /// A file.
    File(PathBuf),
}

/// Replication of a plan: a link, or a double master.
#[derive(Clone, Debug)]
pub struct PlannedReplication {
    /// The address of the replica, or of one half.
    pub replica: Address,
    /// The address of the master, or of the other half.
    pub master: Address,
    /// Which of the two it is.
    pub mode: LinkMode,
    /// What the plan says of a link.
    pub planned: Option<PlannedLink>,
}

/// Why a plan cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PlanError(String);

/// The environment: the value of a variable, if it is set.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The words of a [`SecretSource`].
const SECRET_WORDS: [&str; 2] = ["env", "file"];

const NO_SECRET: &str = "a password does not stand in a plan; write {env: NAME} or {file: PATH}";

/// Reads a plan. `origin` is the path for messages; relative paths in the plan begin at its directory.
pub fn read_plan(
    origin: &str,
    text: &str,
    catalogue: &Catalogue,
    environment: Environment,
) -> Result<Plan, PlanError> {
    let file: PlanFile = from_yaml(text).map_err(|error| malformed(origin, &error))?;
    Reader { origin, file: &file, environment }.read(catalogue)
}

fn malformed(origin: &str, error: &YamlError) -> PlanError {
    let place = error.place().map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
    let message = match error {
        YamlError::Unfit(DeserializeError { reason, .. }) => match &**reason {
            Mismatch::UnknownField { field, expected } => {
                format!("`{field}` is not a key here{}", nearest_or_all(field, expected))
            }
            // Whoever wrote the password there does not want to read it in the log of a build.
            Mismatch::UnknownVariant { expected, .. }
                if expected.iter().map(AsRef::<str>::as_ref).eq(SECRET_WORDS) =>
            {
                NO_SECRET.to_owned()
            }
            Mismatch::UnknownVariant { variant, expected } => {
                format!("`{variant}` is not a word here{}", nearest_or_all(variant, expected))
            }
            Mismatch::Other(message) => message.clone(),
        },
        YamlError::Syntax(error) => error.to_string(),
    };
    PlanError(format!("{origin}{place}: {message}"))
}

/// `; did you mean …?`, or what there is.
fn nearest_or_all(word: &str, known: &[impl AsRef<str>]) -> String {
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    match did_you_mean(word, known.iter().copied()) {
        hint if hint.is_empty() => format!("; there are {}", known.join(", ")),
        hint => hint,
    }
}

struct Reader<'a> {
    origin: &'a str,
    file: &'a PlanFile,
    environment: Environment<'a>,
}

impl Reader<'_> {
    fn read(&self, catalogue: &Catalogue) -> Result<Plan, PlanError> {
        if let Some(schema) = self.file.schema.as_ref().filter(|schema| schema.text != SCHEMA) {
            let why = format!("the schema is `{}`; this version reads {SCHEMA}", schema.text);
            return Err(self.wrong(schema, &why));
        }
        let services = self.services()?;
        let finds = [&services.codis, &services.zookeeper, &services.etcd, &services.sentinels];
        let nothing = finds.iter().all(|list| list.is_empty()) && services.coordinator_dirs.is_empty();
        if self.file.nodes.is_empty() && nothing {
            return Err(PlanError(format!("{}: `nodes` names no server", self.origin)));
        }
        let servers = self.servers()?;
        let (waivers, remarks) = self.waivers(catalogue)?;
        Ok(Plan {
            origin: self.origin.to_owned(),
            links: self.replication(&servers)?,
            servers,
            services,
            parameters: self.parameters(catalogue)?,
            waivers,
            verified: self.verified()?,
            require: self.file.require.clone(),
            remarks,
        })
    }

    fn verified(&self) -> Result<Option<PlannedComparisons>, PlanError> {
        let Some(planned) = &self.file.verified else { return Ok(None) };
        let reports = planned.reports.iter().map(|path| self.path(path)).collect::<Result<_, _>>()?;
        let max_age = match &planned.max_age {
            Some(text) => window(&text.text).map_err(|error| self.wrong(text, &error.to_string()))?,
            None => MAX_VERIFIED_AGE,
        };
        Ok(Some(PlannedComparisons { reports, max_age }))
    }

    fn wrong(&self, source: &Source, why: &str) -> PlanError {
        PlanError(format!("{}: {why}", self.place(source)))
    }

    fn place(&self, source: &Source) -> String {
        format!("{}:{}:{}", self.origin, source.line, source.column)
    }

    fn services(&self) -> Result<PlannedServices, PlanError> {
        let file = self.file;
        let placed = |source: &Source| Ok(Placed { text: self.expand(source)?, place: self.place(source) });
        let all = |list: &[Source]| list.iter().map(placed).collect::<Result<Vec<_>, PlanError>>();
        Ok(PlannedServices {
            codis: all(&file.codis)?,
            zookeeper: all(&file.zookeeper)?,
            etcd: all(&file.etcd)?,
            coordinator_dirs: file
                .coordinator_dirs
                .iter()
                .map(|path| self.path(path))
                .collect::<Result<_, _>>()?,
            product: file.product.as_ref().map(placed).transpose()?,
            before_migration: file.before_migration,
            sentinels: all(&file.sentinels)?,
        })
    }

    fn servers(&self) -> Result<Vec<PlannedServer>, PlanError> {
        let mut servers: Vec<PlannedServer> = Vec::new();
        for (name, node) in &self.file.nodes {
            let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty() || !name.chars().all(named) {
                let why =
                    format!("`{name}` is not a name of a server: letters, digits, `-`, `_` and `.` are");
                return Err(self.wrong(&node.addr, &why));
            }
            let address = pika_address(&self.expand(&node.addr)?)
                .map_err(|why| self.wrong(&node.addr, &why.to_string()))?;
            if let Some(other) = servers.iter().find(|server| server.address == address) {
                let why = format!("{address} is `{}` already", other.planned.name);
                return Err(self.wrong(&node.addr, &why));
            }
            let release = |text: &Source| {
                let wrong = |error| self.wrong(text, &format!("{error}; write 2.3.6, 2.3.3-2.3.8 or 3.5.3+"));
                text.text.parse::<Releases>().map_err(wrong)
            };
            let release = node.release.as_ref().map(release).transpose()?;
            let password = match &node.password {
                None => None,
                Some(SecretSource::Env(variable)) => {
                    Some(PasswordFrom::Variable(variable.text.clone(), self.place(variable)))
                }
                Some(SecretSource::File(path)) => Some(PasswordFrom::File(self.path(path)?)),
            };
            let planned = PlannedNode { name: name.clone(), release, role: node.role };
            let conf = node.conf.as_ref().map(|path| self.path(path)).transpose()?;
            let ssh = node.ssh.as_ref().map(|ssh| Ok((self.expand(ssh)?, self.place(ssh)))).transpose()?;
            servers.push(PlannedServer { address, planned, password, conf, ssh });
        }
        Ok(servers)
    }

    fn replication(&self, servers: &[PlannedServer]) -> Result<Vec<PlannedReplication>, PlanError> {
        let mut all: Vec<PlannedReplication> = Vec::new();
        let links = self.file.links.iter().map(|link| (&link.to, &link.from, Some(link)));
        let pairs = self.file.double_masters.iter().map(|pair| (&pair.a, &pair.b, None));
        for (replica_name, master_name, link) in links.chain(pairs) {
            let (replica, master) =
                (self.address(replica_name, servers)?, self.address(master_name, servers)?);
            if replica == master {
                return Err(
                    self.wrong(replica_name, &format!("`{}` cannot be its own master", replica_name.text))
                );
            }
            let mode = if link.is_some() { LinkMode::Replica } else { LinkMode::DoubleMaster };
            let is_same = |other: &PlannedReplication| {
                other.mode == mode
                    && ((other.replica == *replica && other.master == *master)
                        || (mode == LinkMode::DoubleMaster
                            && other.replica == *master
                            && other.master == *replica))
            };
            if all.iter().any(is_same) {
                let why = format!("`{}` and `{}` are named twice", replica_name.text, master_name.text);
                return Err(self.wrong(replica_name, &why));
            }
            let planned = link.map(planned_link);
            all.push(PlannedReplication { replica: replica.clone(), master: master.clone(), mode, planned });
        }
        Ok(all)
    }

    fn address<'s>(&self, name: &Source, servers: &'s [PlannedServer]) -> Result<&'s Address, PlanError> {
        let server = servers.iter().find(|server| server.planned.name == name.text);
        server.map(|server| &server.address).ok_or_else(|| {
            let known: Vec<&str> = servers.iter().map(|server| server.planned.name.as_str()).collect();
            self.wrong(
                name,
                &format!("`{}` is not one of `nodes`{}", name.text, nearest_or_all(&name.text, &known)),
            )
        })
    }

    fn parameters(&self, catalogue: &Catalogue) -> Result<Parameters, PlanError> {
        let mut parameters = Parameters::new();
        for (id, values) in &self.file.thresholds {
            for (name, value) in values {
                parameters::set(&mut parameters, catalogue, &id.text, &name.text, value)
                    .map_err(|why| self.wrong(name, &format!("{}.{}: {why}", id.text, name.text)))?;
            }
        }
        Ok(parameters)
    }

    /// The waivers, and a remark about each whose check does not exist: a newer version of this tool may have
    /// given it up, and that must not stop a cutover.
    fn waivers(&self, catalogue: &Catalogue) -> Result<(Vec<Waiver>, Vec<String>), PlanError> {
        let (mut waivers, mut remarks) = (Vec::new(), Vec::new());
        for waiver in &self.file.waivers {
            let day = &waiver.expires;
            let wrong = |_| self.wrong(day, &format!("`{}` is not a day, YYYY-MM-DD", day.text));
            let expires: Date = day.text.parse().map_err(wrong)?;
            for text in [&waiver.target, &waiver.reason, &waiver.owner] {
                if text.text.trim().is_empty() {
                    return Err(
                        self.wrong(text, "a waiver needs a target, a reason and an owner; this is empty")
                    );
                }
            }
            let place = self.place(&waiver.check);
            let id = &waiver.check.text;
            if !catalogue.checks.iter().any(|check| check.id == *id) {
                let near = parameters::nearest_check(id, &catalogue.checks);
                remarks.push(format!("{place}: a waiver is for `{id}`, and there is no such check{near}"));
                continue;
            }
            waivers.push(Waiver {
                check: id.clone(),
                target: waiver.target.text.clone(),
                reason: waiver.reason.text.clone(),
                owner: waiver.owner.text.clone(),
                expires,
                place,
            });
        }
        Ok((waivers, remarks))
    }

    /// A path, complete: a relative one begins at the directory of the plan.
    fn path(&self, source: &Source) -> Result<PathBuf, PlanError> {
        let expanded = self.expand(source)?;
        Ok(Path::new(self.origin).parent().unwrap_or(Path::new("")).join(expanded))
    }

    /// Whether a variable is one of this program's own, or one that the plan takes a password from.
    fn is_secret(&self, name: &str) -> bool {
        let names = |node: &NodePlan| match &node.password {
            Some(SecretSource::Env(variable)) => variable.text == name,
            _ => false,
        };
        name.starts_with("PIKADOCTOR_") || self.file.nodes.values().any(names)
    }

    /// Replaces `${NAME}` by the environment variable of that name. `$$` is a dollar sign.
    fn expand(&self, source: &Source) -> Result<String, PlanError> {
        let mut expanded = String::new();
        let mut rest = source.text.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            expanded.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                expanded.push('$');
                rest = after;
                continue;
            }
            let Some((name, after)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) else {
                return Err(
                    self.wrong(source, &format!("`{}`: write ${{NAME}}, or $$ for a `$`", source.text))
                );
            };
            // What is made of it is looked up, dialled and shown.
            if self.is_secret(name) {
                let why = format!("{name} holds a password, which has its place in `password` alone");
                return Err(self.wrong(source, &why));
            }
            let value = (self.environment)(name).filter(|value| !value.is_empty());
            let unset = || self.wrong(source, &format!("the environment variable {name} is not set"));
            expanded.push_str(&value.ok_or_else(unset)?);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

fn planned_link(link: &LinkPlan) -> PlannedLink {
    let lag = link.max_lag.unwrap_or_default();
    PlannedLink {
        stage: link.mode,
        max_lag_bytes: lag.bytes.map(|bytes| bytes.0),
        max_lag_seconds: lag.time.map(|seconds| seconds.0),
    }
}

impl Plan {
    /// Writes what the plan says to what was seen.
    pub fn mark(&self, facts: &mut Facts) {
        for server in &self.servers {
            let name = server.address.to_string();
            for node in facts.nodes.iter_mut().filter(|node| node.name == name) {
                node.planned = Some(server.planned.clone());
            }
        }
        for replication in &self.links {
            let (replica, master) = (replication.replica.to_string(), replication.master.to_string());
            let is_it = |link: &&mut Link| {
                (&link.replica, &link.master, link.mode) == (&replica, &master, replication.mode)
            };
            for link in facts.links.iter_mut().filter(is_it) {
                link.planned.clone_from(&replication.planned);
            }
        }
    }
}
