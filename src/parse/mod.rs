//! Readers of text formats. Pure: a text goes in, typed facts come out.

pub mod info;
