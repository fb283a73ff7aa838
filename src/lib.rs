//! pikadoctor tells whether a Pika server is safe to use, replicate from or cut over to, before it is done.
//!
//! The whole way is on this page: **collect → derive → judge → render**. Data flows one way. Only
//! [`collect`] touches the world, so the same judgement runs on a live server, on a recording in a
//! test, and on a simulated server of the [`lab`].

#![forbid(unsafe_code)]

pub mod cli;
pub mod collect;
pub mod derive;
pub mod judge;
pub mod lab;
pub mod model;
pub mod render;

use collect::clock::{self, Deadlines};
use collect::conf_file::{self, ConfText};
use collect::node::Collector;
use collect::secret::{Password, Tokens};
use judge::evaluate::{Judge, Parameters};
use judge::verdict;
use model::catalogue::Catalogue;
use model::facts::{self, Address, Facts, Node};
use model::finding::Report;
use model::knowledge::Knowledge;
use model::release::Version;
use model::text::Language;
use tokio::sync::Semaphore;

/// How many servers are looked at side by side.
const PARALLEL_TARGETS: usize = 16;

/// A server to look at.
#[derive(Clone, Debug)]
pub struct Target {
    /// The name that findings use.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// The password, if there is one.
    pub password: Option<Password>,
}

/// How far a run looks, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// How long things may take.
    pub deadlines: Deadlines,
    /// Whether derived ports are looked at, too.
    pub ports: bool,
}

/// Looks at all `targets` side by side and completes what was seen.
pub async fn examine(targets: &[Target], knowledge: &Knowledge, scope: Scope) -> Facts {
    let tokens = Tokens::new();
    let collector = Collector { knowledge, tokens: &tokens, deadlines: scope.deadlines, ports: scope.ports };
    let places = Semaphore::new(PARALLEL_TARGETS);
    let collected_at = clock::now();
    let looks = targets.iter().map(|target| async {
        // The semaphore is never closed; without a permit the look would only be less bounded.
        let _place = places.acquire().await.ok();
        collector.examine(&target.name, &target.address, target.password.as_ref()).await
    });
    let nodes: Vec<Node> = futures_util::future::join_all(looks).await;
    let mut facts = Facts { schema: facts::SCHEMA.to_owned(), collected_at, nodes, conf_files: Vec::new() };
    derive::derive(&mut facts, knowledge);
    facts
}

/// Reads configuration files, as `version` would or as every release would. No server is asked.
pub fn read_conf_files(names: &[String], knowledge: &Knowledge, version: Option<Version>) -> Facts {
    let texts: Vec<ConfText> = names.iter().map(|name| conf_file::read_conf(name)).collect();
    Facts {
        schema: facts::SCHEMA.to_owned(),
        collected_at: clock::now(),
        nodes: Vec::new(),
        conf_files: derive::conf::read(&texts, knowledge, &Tokens::new(), version),
    }
}

/// Judges facts. The same facts give the same report.
pub fn judge(facts: Facts, catalogue: &Catalogue, parameters: &Parameters, language: Language) -> Report {
    let findings = Judge::new(catalogue, language).judge(&facts, parameters);
    verdict::report(findings, facts, language)
}
