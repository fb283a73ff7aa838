//! Looks at the host that this tool runs on: processes, programs, disks, cards, limits.
//!
//! Everything is read from `/proc`, `/sys` and a few files, as far as the rights of this tool's user go;
//! what needs more is left out with the reason. No process is signalled and no port is touched. The only
//! programs that are run are `rsync --version` and, where another file has taken the place of a running Pika's, that
//! one with `-v`; and only where nobody but root could have put them there.

mod access;
mod ask;
mod collect;
mod conf;
mod daemons;
mod database;
mod files;
mod held;
mod instance;
mod kernel;
mod kernel_route;
mod log_files;
mod memory;
mod named;
mod network;
mod paths;
mod processes;
mod program;
mod request;
mod resolver;
mod route;
mod rsync;
mod search;
pub mod server_conf;
mod server_network;
mod sockets;

pub use collect::collect_host;
pub use conf::NAMES as SETTINGS;
pub use files::Roots;
pub use instance::goes_by;
pub use network::NetworkError;
pub use request::{Dial, DialAs, InstanceSelector, Request, RouteRequest};
pub use search::{Running, Search, SearchError};
pub use server_network::network_of_server;
