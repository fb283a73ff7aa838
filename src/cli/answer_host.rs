//! `pikadoctor answer-host`, which another pikadoctor calls over ssh

use std::time::Duration;

use super::{Failure, Outcome};
use crate::collect::clock::Deadlines;
use crate::collect::host::wire::{Answer, MARK, Question, SCHEMA, TOOL, now};
use crate::collect::host::{Roots, look};
use crate::judge::catalogue::built_in;
use crate::model::exit;

/// The longest that a question may take.
const LONGEST: f64 = 600.0;

/// Look at this host for another pikadoctor, which calls this over ssh
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub struct Arguments {
    /// The question
    question: String,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let began = now();
    let question: Question = serde_json::from_str(&arguments.question)
        .map_err(|error| Failure(format!("the question: {error}")))?;
    let knowledge = built_in().knowledge;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    // Another version gets an answer, too: it says which one this is.
    let request = if question.tool_version == TOOL { question.request } else { Default::default() };
    let time = Duration::from_secs_f64(question.seconds.clamp(1.0, LONGEST));
    let host = runtime.block_on(async {
        let step = Duration::from_secs(3);
        let deadlines = Deadlines::starting_now(time, step, step);
        look(&request, &Roots::default(), &knowledge, &deadlines).await
    });
    runtime.shutdown_background();
    let answer = Answer { schema: SCHEMA.into(), tool_version: TOOL.into(), began, ended: now(), host };
    let answer = serde_json::to_string(&answer).map_err(Failure::new)?;
    Ok(Outcome { document: format!("{MARK}{answer}\n"), exit_code: exit::OK })
}
