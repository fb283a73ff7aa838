//! `pikadoctor answer-host`, which another pikadoctor calls over ssh

use std::time::Duration;

use crate::catalog::built_in;
use crate::cli::error::CliError;
use crate::cli::outcome::CommandOutcome;
use crate::cli::runtime;
use crate::collect::host::Request;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::ssh::wire::{Answer, AnswerHead, MARK, Question, SCHEMA, TOOL, now};
use crate::model::exit;
use crate::model::limits::{ANSWER_STEP_TIMEOUT, MAX_ANSWER_TIMEOUT, MIN_ANSWER_TIMEOUT};
use crate::parse::document::encode::to_json;
use crate::parse::document::json::Json;
use crate::pipeline::answer::{answer, of_host};

/// Look at this host for another pikadoctor, which calls this over ssh
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub struct AnswerHostCommand {
    /// The question
    question: String,
}

pub fn run(arguments: &AnswerHostCommand) -> Result<CommandOutcome, CliError> {
    let began = now();
    let document = Json::parse(arguments.question.as_bytes()).map_err(CliError::Question)?;
    let head: AnswerHead = document.decode().map_err(CliError::Question)?;
    // Another version gets an answer, too: it says which one this is.
    let (request, search, seconds) = if head.schema == SCHEMA && head.tool_version == TOOL {
        let question: Question = document.decode().map_err(CliError::Question)?;
        (question.request, question.search, question.seconds)
    } else {
        (Request::default(), None, MIN_ANSWER_TIMEOUT.as_secs_f64())
    };
    let knowledge = built_in().knowledge;
    let (least, most) = (MIN_ANSWER_TIMEOUT.as_secs_f64(), MAX_ANSWER_TIMEOUT.as_secs_f64());
    let time = Duration::from_secs_f64(seconds.clamp(least, most));
    let host = runtime::run(async {
        let deadlines = Deadlines::starting_now(time, ANSWER_STEP_TIMEOUT, ANSWER_STEP_TIMEOUT);
        answer(request, search.as_ref(), &knowledge, deadlines).await
    })??;
    let conf_files = of_host(&host, &knowledge);
    let ended = now();
    let answer = Answer { schema: SCHEMA.into(), tool_version: TOOL.into(), began, ended, host, conf_files };
    let answer = to_json(&answer)?;
    Ok(CommandOutcome { document: format!("{MARK}{answer}\n"), exit_code: exit::OK })
}
