//! CoordinatorArgs of Codis on the command line.

use std::path::PathBuf;

use super::codis::CodisArgs;
use crate::cli::error::CliError;
use crate::collect::coordinator::collect::{CoordinatorRequest, ETCD_AUTH, Place, ZOOKEEPER_AUTH};
use crate::collect::net::http::parse_url;
use crate::collect::secret::credentials_in;
use crate::parse::address::{AddressError, address_or};
use crate::plan::read::Plan;

/// ZooKeeper's port when none is named.
const ZOOKEEPER_PORT: u16 = 2181;

/// Options about the coordinators of Codis. They are only read.
///
/// Credentials (`user:password`) come from PIKADOCTOR_ZOOKEEPER_AUTH and PIKADOCTOR_ETCD_AUTH; never from an argument, where other users
/// could read them.
#[derive(Clone, Debug, clap::Args)]
pub struct CoordinatorArgs {
    /// Check what Codis stores in this ZooKeeper: HOST[:PORT][,HOST[:PORT]…][/CHROOT]
    #[arg(long, value_name = "HOSTS", value_parser = parse_ensemble)]
    pub zookeeper: Vec<Place>,

    /// Check what Codis stores in this etcd, through its v2 API: URL[,URL…]
    #[arg(long, value_name = "URLS", value_parser = parse_urls)]
    pub etcd: Vec<Place>,

    /// Check what Codis stores in this directory (coordinator_addr of the file-system coordinator)
    #[arg(long, value_name = "DIR")]
    pub coordinator_dir: Vec<PathBuf>,
}

impl CoordinatorArgs {
    /// The same, and what a plan names.
    pub fn with(&self, plan: &Plan) -> Result<Self, CliError> {
        let mut both = self.clone();
        for hosts in &plan.services.zookeeper {
            both.zookeeper.push(hosts.read(parse_ensemble)?);
        }
        for urls in &plan.services.etcd {
            both.etcd.push(urls.read(parse_urls)?);
        }
        both.coordinator_dir.extend(plan.services.coordinator_dirs.iter().cloned());
        Ok(both)
    }

    /// The coordinators, with their credentials. `None`: none was named.
    pub fn request(&self, codis: &CodisArgs) -> Result<Option<CoordinatorRequest>, CliError> {
        let directories = self.coordinator_dir.iter().cloned().map(Place::Directory);
        let places: Vec<Place> =
            self.zookeeper.iter().chain(&self.etcd).cloned().chain(directories).collect();
        if places.is_empty() {
            return match codis.product {
                Some(_) if codis.codis.is_empty() => Err(CliError::usage(
                    "--product needs --codis, or a coordinator: --zookeeper, --etcd or --coordinator-dir",
                )),
                _ => Ok(None),
            };
        }
        let (zookeeper_auth, etcd_auth) = (credentials_in(ZOOKEEPER_AUTH)?, credentials_in(ETCD_AUTH)?);
        Ok(Some(CoordinatorRequest { places, product: codis.product.clone(), zookeeper_auth, etcd_auth }))
    }
}

/// Reads `HOST:PORT,HOST:PORT/CHROOT`.
fn parse_ensemble(text: &str) -> Result<Place, String> {
    let (hosts, chroot) = match text.find('/') {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let chroot = chroot.trim_end_matches('/');
    if chroot.contains("//") || chroot.chars().any(char::is_control) {
        return Err(format!("`{chroot}` is not a path"));
    }
    let members = hosts.split(',').map(|host| address_or(host.trim(), ZOOKEEPER_PORT));
    let members = members.collect::<Result<Vec<_>, _>>().map_err(|error| match error {
        AddressError::Credentials => error.to_string(),
        _ => format!("{error} (in `{hosts}`)"),
    })?;
    Ok(Place::Zookeeper { text: format!("{hosts}{chroot}"), members, chroot: chroot.to_owned() })
}

/// Reads `URL,URL`; what has no scheme is one of http, as Codis takes it.
fn parse_urls(text: &str) -> Result<Place, String> {
    let url = |part: &str| {
        let part = part.trim();
        let whole = if part.contains("://") { part.to_owned() } else { format!("http://{part}") };
        let url = parse_url(&whole).map_err(|error| format!("`{part}`: {error}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!(
                "credentials do not belong into an argument; set {ETCD_AUTH} to user:password"
            ));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() {
            return Err(format!("`{part}`: only the scheme, the host and the port of etcd"));
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    };
    let urls = text.split(',').map(url).collect::<Result<Vec<_>, _>>()?;
    Ok(Place::Etcd { text: urls.join(","), urls })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::codis::parse_product;

    #[test]
    fn ensembles() {
        let parse = |text| match parse_ensemble(text) {
            Ok(Place::Zookeeper { members, chroot, .. }) => {
                Ok((members.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), chroot))
            }
            Ok(_) => unreachable!(),
            Err(error) => Err(error),
        };
        let ok = |hosts: &str, chroot: &str| Ok((hosts.to_owned(), chroot.to_owned()));
        assert_eq!(parse("zk1"), ok("zk1:2181", ""));
        assert_eq!(parse("zk1:2182,zk2, zk3/a/b/"), ok("zk1:2182 zk2:2181 zk3:2181", "/a/b"));
        assert_eq!(parse("[::1]:2181/"), ok("[::1]:2181", ""));
        for text in ["", ",", "zk1,,zk2", "/codis", "zk1:0", "user:pw@zk1", "zk1//a", "zk1:1:2"] {
            assert!(parse(text).is_err(), "{text:?} must be refused");
        }
        assert!(matches!(parse_urls("a:2379,https://b:2379/"), Ok(Place::Etcd { text, .. })
            if text == "http://a:2379,https://b:2379"));
        for text in ["", "http://", "http://u:p@a:2379", "ftp://a", "http://a:2379/v2"] {
            assert!(parse_urls(text).is_err(), "{text:?} must be refused");
        }
        assert!(parse_product("codis-demo.1").is_ok());
        for text in ["", "-a", ".", "..", "a/b", "a b"] {
            assert!(parse_product(text).is_err(), "{text:?} must be refused");
        }
    }
}
