//! Looks at the host that this tool runs on: processes, programs, disks, cards, limits.
//!
//! Everything is read from `/proc`, `/sys` and a few files, as far as the rights of this tool's user go;
//! what needs more is left out with the reason. No process is signalled and no port is touched. The only
//! programs that are run are `rsync --version` and, where another file has taken the place of a running Pika's, that
//! one with `-v`; and only where nobody but root could have put them there.

mod ask;
mod conf;
mod daemons;
mod files;
mod held;
pub mod host_network;
mod instance;
mod kernel;
mod look;
mod network;
mod paths;
mod program;
mod resolver;
mod rsync;
mod search;
pub mod server_conf;
mod sockets;
pub mod wire;

pub use conf::NAMES as SETTINGS;
pub use files::Roots;
pub use instance::goes_by;
pub use look::{Dial, DialAs, Request, Wanted, look};
pub use search::{Running, Search};
