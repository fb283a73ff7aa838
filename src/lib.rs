//! pikadoctor tells whether a Pika server is safe to use, replicate from or cut over to, before it is done.
//!
//! Data flows one way: **collect → derive → judge → render**. The steps of that way and their order are listed in
//! [`pipeline`]. Only [`collect`] does I/O, so the same judgement runs on a live server, on a recording in a test, and on
//! a simulated server of the [`lab`].
//!
//! Every room imports only the rooms before it: [`model`], [`i18n`], [`parse`], [`catalog`], [`collect`], [`mod@derive`], [`judge`],
//! [`difference`], [`render`], [`plan`], [`pipeline`], [`lab`], [`cli`]. A test holds that.

#![forbid(unsafe_code)]

pub mod catalog;
pub mod cli;
pub mod collect;
pub mod derive;
pub mod difference;
pub mod i18n;
pub mod judge;
pub mod lab;
pub mod model;
pub mod parse;
pub mod pipeline;
pub mod plan;
pub mod render;
