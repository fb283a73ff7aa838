//! The ports that a server opens, counted from its client port.

use super::knowledge::{GenerationEntry, PortOpen};
use super::network::PortRole;

/// A port that a server opens, counted from its client port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortUse {
    /// What is added to the client port.
    pub offset: u32,
    /// What it is for.
    pub role: PortRole,
    /// Whether it is open all the time. If not, it is open during a full sync.
    pub always: bool,
}

/// Every port that a server of a generation opens, the client port first.
pub fn port_uses(generation: &GenerationEntry) -> Vec<PortUse> {
    let client = PortUse { offset: 0, role: PortRole::Client, always: true };
    let derived = generation.ports.iter().map(|rule| PortUse {
        offset: rule.offset,
        role: rule.role,
        always: rule.open == PortOpen::Always,
    });
    std::iter::once(client).chain(derived).collect()
}
