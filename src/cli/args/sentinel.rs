//! Options about Sentinels.

use super::connection::ConnectionArgs;
use crate::cli::error::CliError;
use crate::collect::secret::password_in;
use crate::model::address::Address;
use crate::parse::address::{AddressError, address_or};
use crate::pipeline::request::{SentinelRequest, ServerTarget};
use crate::plan::read::Plan;

/// The port of a Sentinel when none is named.
const SENTINEL_PORT: u16 = 26379;

/// The environment variable that holds the password of the Sentinels.
const SENTINEL_PASSWORD: &str = "PIKADOCTOR_SENTINEL_PASSWORD";

/// Sentinels.
#[derive(Clone, Debug, clap::Args)]
pub struct SentinelArgs {
    /// Also check this Sentinel and the servers that it monitors [repeatable: the answers of the Sentinels of one set
    /// are compared]. The default port is 26379; the password comes from PIKADOCTOR_SENTINEL_PASSWORD, that of the
    /// servers from PIKADOCTOR_PASSWORD
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_sentinel)]
    pub sentinel: Vec<Address>,

    /// Check the Sentinels only, not the servers that they monitor
    #[arg(long, requires = "sentinel")]
    sentinel_only: bool,
}

impl SentinelArgs {
    /// The same, and what a plan names.
    pub fn with(&self, plan: &Plan) -> Result<Self, CliError> {
        let mut both = self.clone();
        for sentinel in &plan.services.sentinels {
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
    pub fn request(
        &self,
        connecting: &ConnectionArgs,
        named: &[ServerTarget],
    ) -> Result<SentinelRequest, CliError> {
        let password = password_in(SENTINEL_PASSWORD)?;
        let mut sentinels: Vec<ServerTarget> = Vec::new();
        for address in &self.sentinel {
            let name = address.to_string();
            if sentinels.iter().any(|target| target.name == name) {
                return Err(CliError::Usage(format!("the Sentinel {name} is named twice")));
            }
            sentinels.push(ServerTarget { name, address: address.clone(), password: password.clone() });
        }
        let follow = self.is_asked() && !self.sentinel_only;
        let password = match named.first() {
            Some(target) => target.password.clone(),
            None if follow => connecting.password_of("the servers that the Sentinels watch")?,
            None => None,
        };
        Ok(SentinelRequest { sentinels, follow, password })
    }
}

fn parse_sentinel(text: &str) -> Result<Address, AddressError> {
    address_or(text, SENTINEL_PORT)
}
