//! A constant for each era of `checks/knowledge/eras.yaml`, written by `build.rs`.

use crate::model::release::{Era, Version};

include!(concat!(env!("OUT_DIR"), "/eras.rs"));
