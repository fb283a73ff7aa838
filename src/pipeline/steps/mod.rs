//! The work of the steps. Their order is in [`super::STEPS`] alone.

// All steps that derive have one type, whether they can fail or not.
#![allow(clippy::unnecessary_wraps)]

pub mod codis;
pub mod conf;
pub mod files;
pub mod hosts;
pub mod links;
pub mod nodes;
pub mod plan;
pub mod services;
pub mod targets;
pub mod verify;
