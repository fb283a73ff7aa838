//! Puts the states of a link, for which Pika had five vocabularies, into one.

use crate::model::knowledge::{Knowledge, LinkStateWord};
use crate::model::node::Node;
use crate::model::release::Version;

/// Sets the stage of every state that the node prints.
pub fn translate(node: &mut Node, knowledge: &Knowledge) {
    let Some(version) = node.version else { return };
    let of_master =
        node.replication.iter_mut().filter_map(|r| r.master.as_mut()).flat_map(|m| m.states.iter_mut());
    let of_peer = node.double_master.iter_mut().filter_map(|d| d.state.as_mut());
    for state in of_master.chain(of_peer) {
        if let Some(word) = look_up(knowledge, &state.field, &state.raw, version) {
            state.stage = word.stage;
        }
    }
}

/// What a word means on a release. Words are compared without regard to case.
pub fn look_up<'k>(
    knowledge: &'k Knowledge,
    field: &str,
    raw: &str,
    version: Version,
) -> Option<&'k LinkStateWord> {
    knowledge.link_states.iter().find(|word| {
        word.field == field && word.raw.eq_ignore_ascii_case(raw.trim()) && word.releases.contains(version)
    })
}
