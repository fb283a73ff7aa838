//! Asks a Sentinel what it watches, and changes nothing: commands that only read, over the client of this house.

mod ask;
mod reply;

pub use ask::Asker;
