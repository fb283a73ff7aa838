//! How the subcommands that look at servers reach them: time, passwords, ports.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::outcome::Failure;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::secret::{PASSWORD_VARIABLE, Password, ask_password, read_password_file};
use crate::model::address::Address;
use crate::model::facts::Facts;
use crate::model::limits::{CONNECT_TIMEOUT, REPLY_TIMEOUT, RUN_TIMEOUT, RUN_TIMEOUT_WITH_LINKS};
use crate::pipeline::servers::{Scope, Target};
use crate::plan::read::{PasswordFrom, Plan, PlannedServer};
use crate::plan::values::parse_duration;

/// Options about reaching servers.
///
/// The password comes from an environment variable, a file or a prompt; never from an argument, where
/// other users could read it.
#[derive(Debug, clap::Args)]
pub struct Connecting {
    /// Time for the whole run [default: 10s, or 30s where replication is looked at]
    #[arg(short, long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,

    /// Time for a connection to one address
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = parse_duration)]
    connect_timeout: Duration,

    /// Time for the answer to one batch of commands
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    reply_timeout: Duration,

    /// File whose only line is the password
    #[arg(long, value_name = "FILE", conflicts_with = "ask_password")]
    password_file: Option<PathBuf>,

    /// File with the password of the master or peer, where it is another one
    #[arg(long, value_name = "FILE")]
    master_password_file: Option<PathBuf>,

    /// Ask for the password on the terminal
    #[arg(long)]
    ask_password: bool,

    /// Do not touch the ports that are counted from the client port
    #[arg(long)]
    no_ports: bool,
}

/// What a server is named as on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A server, or the replica of a link.
    Server,
    /// The master of a link.
    Master,
    /// The other half of a double master.
    Peer,
}

impl Connecting {
    /// For a run that must be over in `time`, with steps that leave room for what comes after them.
    pub fn within(time: Duration, password_file: Option<PathBuf>, ports: bool) -> Self {
        Self {
            timeout: Some(time),
            connect_timeout: time.div_f64(3.0).min(CONNECT_TIMEOUT),
            reply_timeout: time.div_f64(3.0).min(REPLY_TIMEOUT),
            password_file,
            master_password_file: None,
            ask_password: false,
            no_ports: !ports,
        }
    }

    /// The servers with their passwords, each with a name of its own.
    pub fn targets(&self, named: &[(Side, &Address)]) -> Result<Vec<Target>, Failure> {
        let mut targets: Vec<Target> = Vec::new();
        if named.is_empty() {
            return Ok(targets);
        }
        let common = self.common_password(named)?;
        for (side, address) in named {
            let name = address.to_string();
            if targets.iter().any(|target| target.name == name) {
                return Err(Failure(match side {
                    Side::Server => format!("{name} is named twice"),
                    Side::Master => format!("{name} cannot be its own master"),
                    Side::Peer => format!("{name} cannot be its own peer"),
                }));
            }
            let own = match side {
                Side::Server => None,
                Side::Master | Side::Peer => self.other_password(*side)?,
            };
            let password = own.or_else(|| common.clone());
            targets.push(Target { name, address: (*address).clone(), password });
        }
        Ok(targets)
    }

    /// The servers of a plan with their passwords. A server without a password of its own has that of
    /// `PIKADOCTOR_PASSWORD_NAME`, or of `PIKADOCTOR_PASSWORD`.
    pub fn planned_targets(&self, plan: &Plan) -> Result<Vec<Target>, Failure> {
        let common = self.common_password(&[])?;
        let target = |server: &PlannedServer| {
            let own = match &server.password {
                Some(PasswordFrom::File(path)) => file(path)?,
                Some(PasswordFrom::Variable(name, place)) => {
                    let unset = || Failure(format!("{place}: the environment variable {name} is not set"));
                    Some(variable(name)?.ok_or_else(unset)?)
                }
                None => variable(&variable_of(&server.planned.name))?,
            };
            let password = own.or_else(|| common.clone());
            Ok(Target { name: server.address.to_string(), address: server.address.clone(), password })
        };
        plan.servers.iter().map(target).collect()
    }

    /// How far one look goes that begins now. `links`: whether replication is looked at.
    pub fn scope(&self, links: bool) -> Scope {
        let time = self.timeout.unwrap_or(if links { RUN_TIMEOUT_WITH_LINKS } else { RUN_TIMEOUT });
        let deadlines = Deadlines::starting_now(time, self.connect_timeout, self.reply_timeout);
        Scope { deadlines, ports: !self.no_ports }
    }

    /// Runs `look` to its end. `links`: whether replication is looked at.
    pub fn run(&self, links: bool, look: impl AsyncFnOnce(Scope) -> Facts) -> Result<Facts, Failure> {
        run(async { look(self.scope(links)).await })
    }

    /// The password of servers that nobody named: that of the others, if there is one for all.
    pub fn password_of_found(&self, targets: &[Target]) -> Result<Option<Password>, Failure> {
        match targets.first() {
            Some(target) => Ok(target.password.clone()),
            None => self.common_password(&[]),
        }
    }

    /// The password of servers that are not named, but found.
    pub fn password_of(&self, servers: &str) -> Result<Option<Password>, Failure> {
        if let Some(path) = &self.password_file {
            return file(path);
        }
        if self.ask_password {
            return ask_password(servers).map(Some).map_err(Failure::new);
        }
        variable(PASSWORD_VARIABLE)
    }

    fn common_password(&self, named: &[(Side, &Address)]) -> Result<Option<Password>, Failure> {
        if let Some(path) = &self.password_file {
            return file(path);
        }
        if self.ask_password {
            let servers: Vec<String> = named.iter().map(|(_, address)| address.to_string()).collect();
            let of = if servers.is_empty() { "the servers".to_owned() } else { servers.join(", ") };
            return ask_password(&of).map(Some).map_err(Failure::new);
        }
        variable(PASSWORD_VARIABLE)
    }

    fn other_password(&self, side: Side) -> Result<Option<Password>, Failure> {
        if let Some(path) = &self.master_password_file {
            return file(path);
        }
        let suffix = if side == Side::Peer { "PEER" } else { "MASTER" };
        variable(&format!("{PASSWORD_VARIABLE}_{suffix}"))
    }
}

/// Runs `work` to its end.
pub fn run<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    let result = runtime.block_on(work);
    // A resolver that hangs must not hold up the end: its thread is left to itself.
    runtime.shutdown_background();
    Ok(result)
}

/// `PIKADOCTOR_PASSWORD_PIKA_A` for `pika-a`.
fn variable_of(name: &str) -> String {
    let upper = name.to_ascii_uppercase().replace(['-', '.'], "_");
    format!("{PASSWORD_VARIABLE}_{upper}")
}

fn file(path: &Path) -> Result<Option<Password>, Failure> {
    read_password_file(path).map(Some).map_err(Failure::new)
}

/// The password in an environment variable; an empty one is none.
pub fn variable(name: &str) -> Result<Option<Password>, Failure> {
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => Ok(Some(Password::new(text))),
        Ok(_) | Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Failure(format!("{name} is not valid UTF-8"))),
    }
}
