//! Files that somebody named: a bundle, configuration files, logs.

use std::io;

use tokio::time::timeout_at;

use crate::collect::files::bundle::read_facts;
use crate::collect::files::conf_file::read_conf;
use crate::collect::logs;
use crate::derive;
use crate::i18n::reasons;
use crate::model::link::Link;
use crate::model::logs::{LogProblem, LogSource, LogView};
use crate::parse::conf_text::{ConfError, ConfText};
use crate::pipeline::error::PipelineError;
use crate::pipeline::request::LogsRequest;
use crate::pipeline::run::{CollectionRun, ServerConf};

/// Reads the facts from a bundle or from a report.
pub async fn bundle(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    if let Some(path) = run.plan.bundle.clone() {
        let name = path.clone();
        let reading = tokio::task::spawn_blocking(move || read_facts(&path));
        run.facts = match reading.await {
            Ok(facts) => facts?,
            Err(error) => return Err(PipelineError::Reading { path: name, source: io::Error::other(error) }),
        };
    }
    Ok(())
}

/// Reads configuration files and logs, each in a thread of its own: a file system whose server is gone blocks whoever
/// asks about it.
pub async fn collect(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let plan = run.plan;
    for name in &plan.conf_files.names {
        let text = read_text(run, name).await;
        run.conf_texts.push(text);
    }
    for conf in &plan.server_confs {
        let text = read_text(run, &conf.path.to_string_lossy()).await;
        let (server, judged) = (conf.server.clone(), conf.judged);
        run.server_confs.push(ServerConf { server, text, named: true, judged });
    }
    for request in &plan.logs {
        let view = read_logs(run, request).await;
        run.logs.push((request.clone(), view));
    }
    Ok(())
}

async fn read_text(run: &CollectionRun<'_>, name: &str) -> ConfText {
    let reading = tokio::task::spawn_blocking({
        let name = name.to_owned();
        move || read_conf(&name)
    });
    match timeout_at(run.deadlines.run, reading).await {
        Ok(Ok(text)) => text,
        Ok(Err(_)) | Err(_) => ConfText { name: name.to_owned(), text: Err(ConfError::Elapsed) },
    }
}

async fn read_logs(run: &CollectionRun<'_>, request: &LogsRequest) -> LogView {
    let name = request.name.clone().unwrap_or_default();
    let reading = tokio::task::spawn_blocking({
        let (name, request, knowledge) = (name.clone(), request.clone(), run.knowledge.clone());
        move || logs::read(&name, &request.logs, request.window, &knowledge)
    });
    match timeout_at(run.deadlines.run, reading).await {
        Ok(Ok(view)) => view,
        Ok(Err(_)) | Err(_) => LogView {
            name,
            window_seconds: request.window.length.as_secs(),
            sources: request
                .logs
                .iter()
                .map(|log| LogSource {
                    name: log.path.display().to_string(),
                    side: log.side,
                    problem: Some(LogProblem::Failed),
                    detail: Some(reasons::not_read_in_time()),
                    ..LogSource::default()
                })
                .collect(),
            ..LogView::default()
        },
    }
}

/// Puts the messages of logs together, under the name of the server that they belong to. Logs of a server that was not
/// asked are left out.
pub fn derive_logs(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    for (request, mut view) in std::mem::take(&mut run.logs) {
        if let Some(server) = &request.server {
            if run.facts.node(server).is_none() {
                continue;
            }
            let of_server = |link: &&Link| link.replica == *server;
            let link = run.facts.links.iter().find(of_server);
            view.name = link.map_or_else(|| server.clone(), |link| link.name.clone());
        }
        derive::logs::complete(&mut view, run.knowledge);
        run.facts.logs.push(view);
    }
    Ok(())
}
