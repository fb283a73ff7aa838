//! How the subcommands that look at servers reach them: time, passwords, ports.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::error::CliError;
use crate::cli::runtime;
use crate::cli::said::say;
use crate::cli::watch::watch;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::secret::{
    PASSWORD_VARIABLE, Password, SecretError, ask_password, password_in, read_password_file,
};
use crate::model::address::Address;
use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;
use crate::model::limits::{
    CONNECT_TIMEOUT, MAX_TIMEOUT, REPLY_TIMEOUT, RUN_TIMEOUT, RUN_TIMEOUT_WITH_LINKS,
};
use crate::parse::duration;
use crate::parse::hosts::Hosts;
use crate::pipeline::request::{CollectionPlan, ServerTarget};
use crate::pipeline::trust::Trusted;
use crate::pipeline::{self, StepId};
use crate::plan::read::{PasswordFrom, Plan, PlannedServer};

/// Options about reaching servers.
///
/// The password comes from an environment variable, a file or a prompt; never from an argument, where
/// other users could read it.
#[derive(Debug, clap::Args)]
pub struct ConnectionArgs {
    /// Timeout of the whole run [default: 10s, or 30s with replication, Codis, coordinators or Sentinels]
    #[arg(short, long, value_name = "DURATION", value_parser = duration::timeout)]
    timeout: Option<Duration>,

    /// Timeout of a connection attempt to one address
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = duration::timeout)]
    connect_timeout: Duration,

    /// Timeout of the replies to one batch of commands
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::timeout)]
    reply_timeout: Duration,

    /// Read the password from this file, whose only line it is
    #[arg(long, value_name = "FILE", conflicts_with = "ask_password")]
    password_file: Option<PathBuf>,

    /// Read the password of the master or peer from this file, if it differs
    #[arg(long, value_name = "FILE")]
    master_password_file: Option<PathBuf>,

    /// Also send the password to servers on this host that nobody named and a server, a Codis, a coordinator or a
    /// Sentinel tells of: a host, a network such as 10.0.0.0/8, or any [repeatable]
    #[arg(long, value_name = "HOST")]
    password_to: Vec<Hosts>,

    /// Prompt for the password
    #[arg(long)]
    ask_password: bool,

    /// Do not probe the ports that are derived from the client port
    #[arg(long)]
    no_ports: bool,
}

/// What a server is named as on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetRole {
    /// A server, or the replica of a link.
    Server,
    /// The master of a link.
    Master,
    /// The other half of a double master.
    Peer,
}

impl ConnectionArgs {
    /// For a run that must be over in `time`, with steps that leave room for what comes after them.
    pub fn within(time: Duration, password_file: Option<PathBuf>, ports: bool) -> Self {
        Self {
            timeout: Some(time),
            connect_timeout: time.div_f64(3.0).min(CONNECT_TIMEOUT),
            reply_timeout: time.div_f64(3.0).min(REPLY_TIMEOUT),
            password_file,
            password_to: Vec::new(),
            master_password_file: None,
            ask_password: false,
            no_ports: !ports,
        }
    }

    /// The servers with their passwords, each with a name of its own.
    pub fn targets(&self, named: &[(TargetRole, &Address)]) -> Result<Vec<ServerTarget>, CliError> {
        if named.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.targets_and_common(named)?.0)
    }

    /// The same, and the password of servers that are found, but not named.
    pub fn targets_and_common(
        &self,
        named: &[(TargetRole, &Address)],
    ) -> Result<(Vec<ServerTarget>, Option<Password>), CliError> {
        let mut targets: Vec<ServerTarget> = Vec::new();
        let common = self.common_password(named)?;
        for (role, address) in named {
            let name = address.to_string();
            if targets.iter().any(|target| target.name == name) {
                return Err(CliError::Usage(match role {
                    TargetRole::Server => format!("{name} is named twice"),
                    TargetRole::Master => format!("{name} cannot be its own master"),
                    TargetRole::Peer => format!("{name} cannot be its own peer"),
                }));
            }
            let own = match role {
                TargetRole::Server => None,
                TargetRole::Master | TargetRole::Peer => self.other_password(*role)?,
            };
            let password = own.or_else(|| common.clone());
            targets.push(ServerTarget { name, address: (*address).clone(), password });
        }
        Ok((targets, common))
    }

    /// The servers of a plan with their passwords. A server without a password of its own has that of
    /// `PIKADOCTOR_PASSWORD_NAME`, or of `PIKADOCTOR_PASSWORD`.
    pub fn planned_targets(&self, plan: &Plan) -> Result<Vec<ServerTarget>, CliError> {
        let common = self.common_password(&[])?;
        let target = |server: &PlannedServer| {
            let own = match &server.password {
                Some(PasswordFrom::File(path)) => {
                    Some(read_password_file(path).map_err(|error| match error {
                        // In a plan the password itself may stand where the file belongs.
                        SecretError::File { source, .. } if source.kind() == ErrorKind::NotFound => {
                            SecretError::no_such_file(path)
                        }
                        error => error,
                    })?)
                }
                Some(PasswordFrom::Variable(variable, place)) => {
                    let (place, variable) = (place.clone(), variable.clone());
                    let password = password_in(&variable)?;
                    Some(password.ok_or(CliError::SecretOfPlan { place, variable })?)
                }
                None => password_in(&variable_of(&server.planned.name))?,
            };
            let password = own.or_else(|| common.clone());
            Ok(ServerTarget { name: server.address.to_string(), address: server.address.clone(), password })
        };
        plan.servers.iter().map(target).collect()
    }

    /// The deadlines of a run that begins now. `large`: whether more than servers is asked.
    pub fn deadlines(&self, large: bool) -> Deadlines {
        let time = self.timeout.unwrap_or(if large { RUN_TIMEOUT_WITH_LINKS } else { RUN_TIMEOUT });
        Deadlines::starting_now(time, self.connect_timeout, self.reply_timeout)
    }

    /// The same for a run that may take a day, unless --timeout says otherwise.
    pub fn long_deadlines(&self) -> Deadlines {
        Deadlines::starting_now(self.timeout.unwrap_or(MAX_TIMEOUT), self.connect_timeout, self.reply_timeout)
    }

    /// Hosts that may see the password beside those that were named.
    pub fn password_to(&self) -> Vec<Hosts> {
        self.password_to.clone()
    }

    /// Whether the ports that are counted from the client port are left alone.
    pub fn skips_ports(&self) -> bool {
        self.no_ports
    }

    /// Takes steps of the pipeline to their end.
    pub fn collect(
        &self,
        plan: &CollectionPlan,
        steps: &[StepId],
        knowledge: &Knowledge,
    ) -> Result<Facts, CliError> {
        collect_by(self.deadlines(plan.is_large()), plan, steps, knowledge)
    }

    /// The password of servers that nobody named: that of the others, if there is one for all.
    pub fn password_of_found(&self, targets: &[ServerTarget]) -> Result<Option<Password>, SecretError> {
        match targets.first() {
            Some(target) => Ok(target.password.clone()),
            None => self.common_password(&[]),
        }
    }

    /// The password of servers that are not named, but found.
    pub fn password_of(&self, servers: &str) -> Result<Option<Password>, SecretError> {
        if let Some(path) = &self.password_file {
            return read_password_file(path).map(Some);
        }
        if self.ask_password {
            return ask_password(servers).map(Some);
        }
        password_in(PASSWORD_VARIABLE)
    }

    fn common_password(&self, named: &[(TargetRole, &Address)]) -> Result<Option<Password>, SecretError> {
        let servers: Vec<String> = named.iter().map(|(_, address)| address.to_string()).collect();
        self.password_of(&if servers.is_empty() { "the servers".to_owned() } else { servers.join(", ") })
    }

    fn other_password(&self, role: TargetRole) -> Result<Option<Password>, SecretError> {
        if let Some(path) = &self.master_password_file {
            return read_password_file(path).map(Some);
        }
        let suffix = if role == TargetRole::Peer { "PEER" } else { "MASTER" };
        password_in(&format!("{PASSWORD_VARIABLE}_{suffix}"))
    }
}

/// Takes steps of the pipeline to their end, within the time that is left of `deadlines`.
pub fn collect_by(
    deadlines: Deadlines,
    plan: &CollectionPlan,
    steps: &[StepId],
    knowledge: &Knowledge,
) -> Result<Facts, CliError> {
    watch(deadlines.left());
    let facts = runtime::run(async { pipeline::collect(plan, steps, knowledge, deadlines).await })??;
    say_withheld(plan, &facts);
    Ok(facts)
}

/// Says to which servers a password was not sent that they would have wanted.
fn say_withheld(plan: &CollectionPlan, facts: &Facts) {
    let of_found = [
        plan.sentinels.password.is_some(),
        plan.codis.as_ref().is_some_and(|codis| codis.password.is_some()),
        plan.coordinators.as_ref().is_some_and(|(_, password)| password.is_some()),
    ];
    if !of_found.contains(&true) {
        return;
    }
    let trusted = Trusted::of(plan);
    let closed = facts.nodes.iter().filter(|node| node.authentication.admitted == Some(false));
    let names: Vec<&str> =
        closed.filter(|node| !trusted.holds(&node.address)).map(|node| node.name.as_str()).collect();
    if !names.is_empty() {
        say(&withheld(&names.join(", ")));
    }
}

/// That servers which were found saw no password, and how they would.
pub fn withheld(names: &str) -> String {
    format!("the password was not sent to {names}: nobody named the host; --password-to HOST sends it there")
}

/// `PIKADOCTOR_PASSWORD_PIKA_A` for `pika-a`.
fn variable_of(name: &str) -> String {
    let upper = name.to_ascii_uppercase().replace(['-', '.'], "_");
    format!("{PASSWORD_VARIABLE}_{upper}")
}
