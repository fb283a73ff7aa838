//! Why a run ends without facts.

use std::io;
use std::path::PathBuf;

use crate::collect::files::bundle::BundleError;
use crate::collect::host::SearchError;
use crate::collect::verify::StateError;

/// Why a run ends without facts. What could not be collected is in the facts and no error.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The bundle or report cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Reading a file broke off.
    #[error("cannot read {}: {source}", path.display())]
    Reading {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A server or a link of the plan is not in the bundle: it must not pass for one that is ok.
    #[error("{}: it says nothing about {what}, which {plan} names", bundle.display())]
    NotInBundle {
        /// The bundle.
        bundle: PathBuf,
        /// The server or link.
        what: String,
        /// The file of the plan.
        plan: String,
    },
    /// The one Pika that was asked for does not run on this host.
    #[error(transparent)]
    NoProcess(#[from] SearchError),
    /// The processes of this host could not be read before the end of the run.
    #[error("looking for the processes of this host did not end in time")]
    ProcessesTimedOut,
    /// A Pika of this host is its own master.
    #[error("{0} cannot be its own master")]
    OwnMaster(String),
    /// What is left of the facts without the secrets of the run makes no sense.
    #[error("a secret is also a part of the facts, and without it they cannot be read: {0}")]
    Hidden(serde_json::Error),
    /// The state of a comparison cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// A Pika of this host was named beside it.
    #[error("{0} is named twice")]
    NamedTwice(String),
}
