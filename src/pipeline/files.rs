//! Files that are read without a server: configuration and logs.

use crate::collect::clock;
use crate::collect::files::conf_file;
use crate::collect::logs::{self, LogRequest, Window};
use crate::model::companion::CompanionKind;
use crate::model::facts::{self, Facts};
use crate::model::knowledge::Knowledge;
use crate::model::logs::LogView;
use crate::model::release::Version;
use crate::parse::conf_text::ConfText;
use crate::parse::secret::Tokens;
use crate::{derive, parse};

/// Reads configuration files, as `version` would or as every release would. No server is asked. `kind`: what all
/// of them are for, where it is not to be told by what is in them; `Some(None)` is a pika.conf.
pub fn read_conf_files(
    names: &[String],
    knowledge: &Knowledge,
    version: Option<Version>,
    kind: Option<Option<CompanionKind>>,
) -> Facts {
    let tokens = Tokens::of_this_run();
    let (mut pikas, mut companions) = (Vec::new(), Vec::new());
    for text in names.iter().map(|name| conf_file::read_conf(name)) {
        let told = || {
            let content = text.text.as_ref().ok()?;
            parse::companion::kind_of(&text.name, content, knowledge)
        };
        match kind.unwrap_or_else(told) {
            Some(kind) => companions.push((kind, text)),
            None => pikas.push(text),
        }
    }
    let conf_files = parse::conf::read(&pikas, knowledge, tokens, version);
    let companions: Vec<(CompanionKind, &ConfText)> =
        companions.iter().map(|(kind, text)| (*kind, text)).collect();
    Facts {
        schema: facts::SCHEMA.to_owned(),
        collected_at: clock::now(),
        companion_files: parse::companion::read(&companions, &conf_files, knowledge, tokens, version),
        conf_files,
        ..Facts::default()
    }
}

/// Reads logs that are judged together, and puts their messages together. No server is asked.
pub fn read_logs(name: &str, requests: &[LogRequest], window: Window, knowledge: &Knowledge) -> LogView {
    let mut view = logs::read(name, requests, window, knowledge);
    derive::logs::complete(&mut view, knowledge);
    view
}
