//! One model of Codis: what dashboards and proxies tell over HTTP, and what its coordinator holds. The same thing has
//! the same type and the same names, wherever it was read.

pub mod coordinator;
pub mod dashboard;
pub mod proxy;
pub mod topology;

pub use dashboard::Codis;
