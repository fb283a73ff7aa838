//! Looks at a Codis: dashboards, codis-fe and proxies over HTTP, and at what Pika knows about slots.
//!
//! Everything here is a GET that changes nothing and makes nobody else connect to an address of our choosing.
//! Never asked: `group/info/…` and `sentinels/info/…`, which make the dashboard dial, and on 2.0 the GETs that
//! write (`action/gc`, `force_remove_locks`, `remove_fence`).

pub mod backend;
pub mod dashboard;
pub mod listed;
pub mod proxy;
pub mod read;
pub mod registered;
pub mod request;
pub mod survey;
pub mod xauth;
