//! Looks at what a run is about: the part of the way that collects, and completes what was collected.
//!
//! An [`inquiry`] is everything that a run looks at; [`servers`] are looked at with the links between them, and
//! [`codis`], [`sentinels`] and [`hosts`] name more of them or say more about them. [`one_host`] is for who asks
//! about a host and not about servers. [`conf_files`] are compared with their servers.

pub mod catalogue;
pub mod codis;
pub mod conf_files;
pub mod files;
pub mod hosts;
pub mod inquiry;
pub mod judgement;
pub mod one_host;
pub mod sentinels;
pub mod servers;
