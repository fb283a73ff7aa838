//! `pikadoctor answer-host`, which another pikadoctor calls over ssh

use std::time::Duration;

use crate::catalog::built_in;
use crate::cli::outcome::{Failure, Outcome};
use crate::collect::host::Request;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::ssh::wire::{Answer, AnswerHead, MARK, Question, SCHEMA, TOOL, now};
use crate::model::exit;
use crate::model::limits::{ANSWER_STEP_TIMEOUT, MAX_ANSWER_TIMEOUT, MIN_ANSWER_TIMEOUT};
use crate::pipeline::conf_files::of_host;
use crate::pipeline::one_host::answer;

/// Look at this host for another pikadoctor, which calls this over ssh
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub struct Arguments {
    /// The question
    question: String,
}

pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let began = now();
    let wrong = |error: serde_json::Error| Failure(format!("the question: {error}"));
    let head: AnswerHead = serde_json::from_str(&arguments.question).map_err(wrong)?;
    // Another version gets an answer, too: it says which one this is.
    let (request, search, seconds) = if head.schema == SCHEMA && head.tool_version == TOOL {
        let question: Question = serde_json::from_str(&arguments.question).map_err(wrong)?;
        (question.request, question.search, question.seconds)
    } else {
        (Request::default(), None, MIN_ANSWER_TIMEOUT.as_secs_f64())
    };
    let knowledge = built_in().knowledge;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    let (least, most) = (MIN_ANSWER_TIMEOUT.as_secs_f64(), MAX_ANSWER_TIMEOUT.as_secs_f64());
    let time = Duration::from_secs_f64(seconds.clamp(least, most));
    let host = runtime.block_on(async {
        let deadlines = Deadlines::starting_now(time, ANSWER_STEP_TIMEOUT, ANSWER_STEP_TIMEOUT);
        answer(request, search.as_ref(), &knowledge, deadlines).await
    });
    runtime.shutdown_background();
    let conf_files = of_host(&host, &knowledge);
    let ended = now();
    let answer = Answer { schema: SCHEMA.into(), tool_version: TOOL.into(), began, ended, host, conf_files };
    let answer = serde_json::to_string(&answer).map_err(Failure::new)?;
    Ok(Outcome { document: format!("{MARK}{answer}\n"), exit_code: exit::OK })
}
