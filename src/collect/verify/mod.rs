//! Compares the data of servers: lists the keys of both sides in one order, looks up what both have, keeps what differs in
//! a file, and looks at it again when it has had time to arrive.
//!
//! | file | what it does |
//! | --- | --- |
//! | `listing` | the keys of one type of one database of one server, in the order of their bytes |
//! | `lookup` | lengths, lives and presence, many in one write |
//! | `digest` | contents, in pieces of bounded size |
//! | `chosen` | which keys belong to a sample or a shard |
//! | `side` | the servers of one side as one listing |
//! | `pace` | how fast it may go; without I/O |
//! | `store` | what is known so far, in a file that outlives the program |
//! | `watch` | how quickly the servers answer, and whether they are still the same |
//! | `rounds` | looks again at what differed |
//! | `engine` | the run as a whole |
//! | `summary` | what it came to |
//!
//! Nothing is written on a server. Everything is read within bounds, and what was read is gone once its batch is done,
//! so that the memory does not grow with the number of keys.

mod chosen;
mod digest;
mod engine;
mod listing;
mod lookup;
mod options;
mod pace;
mod rounds;
mod side;
mod store;
mod summary;
mod watch;

pub use chosen::fewer_than_one_in;
pub use engine::Verifier;
pub use options::{VerifyOptions, VerifyPhase, VerifyProgress};
pub use pace::{PaceController, PaceObservation, PaceStep};
pub use store::{RunIdentity, StateError};
