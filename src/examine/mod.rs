//! Looks at what a run is about: the part of the way that collects, and completes what was collected.
//!
//! An [`inquiry`] is everything that a run looks at; [`servers`] are looked at with the links between them, and
//! [`codis`], [`sentinels`] and [`hosts`] name more of them or say more about them.

pub mod codis;
pub mod hosts;
pub mod inquiry;
pub mod sentinels;
pub mod servers;
