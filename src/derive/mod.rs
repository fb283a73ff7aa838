//! What follows from the facts without an opinion: which release it is, what a word of its
//! vocabulary means, and why a fact that is missing is missing. Pure.

mod bounds;
pub mod codis;
pub mod coordinator;
pub mod dialect;
pub mod drift;
mod flow;
pub mod forecast;
pub mod host;
pub mod link;
mod link_auth;
mod link_state;
pub mod logs;
pub mod network;
mod release;
mod route;
pub mod sentinel;
pub mod side;
mod unavailable;
pub mod verification;

pub use link_state::look_up;

use crate::model::facts::Facts;
use crate::model::knowledge::Knowledge;

/// Completes the facts.
pub fn derive(facts: &mut Facts, knowledge: &Knowledge) {
    for node in &mut facts.nodes {
        release::settle(node, knowledge);
        link_state::translate(node, knowledge);
        unavailable::explain(node, knowledge);
    }
    network::complete(facts, knowledge);
}
