//! Looks at replication between two servers at work: positions read twice, a key that is written on one
//! and read on the other, old keys that must be on both.
//!
//! What may be written is one key with a name of its own, which expires by itself.

mod canary;
mod echo;
mod probe;
mod reading;
mod sample;
mod session;

pub use probe::{Live, Prober};
pub use reading::positions as binlog_positions;
pub use sample::find as find_keys;
pub use session::{Party, Session, Trouble};
