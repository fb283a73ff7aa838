//! Which release replicates from which, as it was measured.

use crate::model::knowledge::Knowledge;
use crate::model::link::{Basis, Dialect};
use crate::model::node::Node;
use crate::model::release::Version;
use crate::model::replication_rules::DialectRule;

/// The entry that decides about a master and a replica.
pub fn rule<'k>(knowledge: &'k Knowledge, master: &Node, replica: &Node) -> Option<&'k DialectRule> {
    let (of_master, of_replica) = (master.version?, replica.version?);
    let binlog_type = replica.config.as_ref().and_then(|config| config.get("identify-binlog-type"));
    let old = binlog_type.is_some_and(|value| value == "old");
    knowledge.dialects.pairs.iter().find(|rule| {
        rule.master.contains(of_master)
            && rule.replica.contains(of_replica)
            && rule.binlog_type_old.is_none_or(|wanted| wanted == old)
    })
}

/// What is known about the two releases. `None` when one of them is not known.
pub fn dialect(knowledge: &Knowledge, master: &Node, replica: &Node) -> Option<Dialect> {
    let rule = rule(knowledge, master, replica)?;
    let measured_master = measured_as(knowledge, master.version?);
    let measured_replica = measured_as(knowledge, replica.version?);
    let exactly = measured_master == master.version && measured_replica == replica.version;
    let stand_for_both = measured_master.is_some() && measured_replica.is_some();
    let basis = match rule.basis {
        Basis::Measured if exactly => Basis::Measured,
        Basis::Measured if stand_for_both => Basis::SameProtocol,
        // The entry holds releases for which no measured one stands.
        Basis::Measured | Basis::Code => Basis::Code,
        Basis::SameProtocol => Basis::SameProtocol,
    };
    let by_measurement = basis != Basis::Code;
    Some(Dialect {
        incremental: rule.incremental,
        full: rule.full,
        basis,
        measured_master: measured_master.filter(|_| by_measurement),
        measured_replica: measured_replica.filter(|_| by_measurement),
    })
}

/// The measured release that speaks as `version` does.
fn measured_as(knowledge: &Knowledge, version: Version) -> Option<Version> {
    let dialects = &knowledge.dialects;
    if dialects.measured.contains(&version) {
        return Some(version);
    }
    dialects
        .protocols
        .iter()
        .find(|protocol| protocol.releases.contains(version))
        .map(|protocol| protocol.r#as)
}
