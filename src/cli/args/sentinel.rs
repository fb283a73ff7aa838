//! Options about Sentinels.

use super::connection::Connecting;
use crate::cli::outcome::Failure;
use crate::model::address::Address;
use crate::parse::address::{AddressError, address_or};
use crate::pipeline::sentinels::Watch;
use crate::pipeline::servers::Target;
use crate::plan::read::Plan;

/// The port of a Sentinel when none is named.
const SENTINEL_PORT: u16 = 26379;

/// The environment variable that holds the password of the Sentinels.
const SENTINEL_PASSWORD: &str = "PIKADOCTOR_SENTINEL_PASSWORD";

/// Sentinels.
#[derive(Clone, Debug, clap::Args)]
pub struct Watching {
    /// Ask this Sentinel, and look at the servers that it watches, too; can be given several times for the
    /// Sentinels of one set, whose answers are compared. The port is 26379 when none is named; the password
    /// comes from PIKADOCTOR_SENTINEL_PASSWORD, that of the servers from PIKADOCTOR_PASSWORD
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_sentinel)]
    pub sentinel: Vec<Address>,

    /// Ask the Sentinels only, not the servers that they watch
    #[arg(long, requires = "sentinel")]
    sentinel_only: bool,
}

impl Watching {
    /// The same, and what a plan names.
    pub fn with(&self, plan: &Plan) -> Result<Self, Failure> {
        let mut both = self.clone();
        for sentinel in &plan.around.sentinels {
            both.sentinel.push(sentinel.read(parse_sentinel)?);
        }
        Ok(both)
    }

    /// Whether there is a Sentinel to ask.
    pub fn is_asked(&self) -> bool {
        !self.sentinel.is_empty()
    }

    /// What to ask, with the passwords. `named`: the servers that are looked at anyway, whose password is that of
    /// the others, too.
    pub fn watch(&self, connecting: &Connecting, named: &[Target]) -> Result<Watch, Failure> {
        let password = super::connection::variable(SENTINEL_PASSWORD)?;
        let mut sentinels: Vec<Target> = Vec::new();
        for address in &self.sentinel {
            let name = address.to_string();
            if sentinels.iter().any(|target| target.name == name) {
                return Err(Failure(format!("the Sentinel {name} is named twice")));
            }
            sentinels.push(Target { name, address: address.clone(), password: password.clone() });
        }
        let follow = self.is_asked() && !self.sentinel_only;
        let password = match named.first() {
            Some(target) => target.password.clone(),
            None if follow => connecting.password_of("the servers that the Sentinels watch")?,
            None => None,
        };
        Ok(Watch { sentinels, follow, password })
    }
}

fn parse_sentinel(text: &str) -> Result<Address, AddressError> {
    address_or(text, SENTINEL_PORT)
}
