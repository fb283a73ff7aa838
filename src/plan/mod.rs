//! What the user wants: the plan of a cutover, as a YAML file says it.
//!
//! [`mod@file`] is the file's shape and the source of its schema, [`read`] reads it and finds what makes no sense, and
//! [`mod@write`] makes one from servers that were looked at; [`values`] knows how people write addresses and times.

pub mod file;
pub mod read;
pub mod values;
pub mod write;
