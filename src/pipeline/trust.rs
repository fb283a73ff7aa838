//! Which servers a password is sent to.
//!
//! One rule, whoever names a server: a password goes to hosts that a person named, as a server, a Sentinel, a Codis or a
//! coordinator of this run, and to those of `--password-to`. What a server says of other servers is no reason to show
//! them a secret: whoever can change its `slaveof`, or answers in its place, would collect the passwords of a site.

use super::request::CollectionPlan;
use crate::collect::coordinator::collect::Place;
use crate::collect::net::http::parse_url;
use crate::model::address::Address;
use crate::parse::hosts::Hosts;

/// The hosts that a person named in one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted(Vec<Hosts>);

impl Trusted {
    /// Those that a plan of collecting names.
    pub fn of(plan: &CollectionPlan) -> Self {
        let mut hosts: Vec<Hosts> = plan.password_to.clone();
        let mut named = |address: &Address| hosts.push(Hosts::One(address.host.clone()));
        plan.targets.iter().chain(&plan.sentinels.sentinels).for_each(|target| named(&target.address));
        let mut urls: Vec<&String> = plan.codis.iter().flat_map(|codis| &codis.survey.urls).collect();
        for place in plan.coordinators.iter().flat_map(|(request, _)| &request.places) {
            match place {
                Place::Zookeeper { members, .. } => members.iter().for_each(&mut named),
                Place::Etcd { urls: of_etcd, .. } => urls.extend(of_etcd),
                Place::Directory(_) => {}
            }
        }
        for url in urls {
            let url = parse_url(url).ok();
            let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
            hosts.extend(host.parse());
        }
        Self(hosts)
    }

    /// Adds an address at which a host that was named was reached.
    pub fn add(&mut self, host: &str) {
        self.0.push(Hosts::One(host.to_owned()));
    }

    /// Whether a server there may see a password.
    pub fn holds(&self, address: &Address) -> bool {
        self.0.iter().any(|hosts| hosts.hold(&address.host))
    }
}
