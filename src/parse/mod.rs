//! Readers of text formats. Pure: a text goes in, typed facts come out.

pub mod address;
pub mod codis;
pub mod companion;
pub mod conf;
pub mod conf_text;
pub mod document;
pub mod duration;
pub mod hide;
pub mod hosts;
pub mod info;
pub mod manifest;
pub mod nearest;
pub mod secret;
