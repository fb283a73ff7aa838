//! Configuration files: read alone, or beside their servers.

use tokio::time::timeout_at;

use crate::collect::host::server_conf;
use crate::derive::drift::{Passwords, compare};
use crate::model::companion::CompanionKind;
use crate::parse::conf_text::ConfText;
use crate::parse::secret::Tokens;
use crate::parse::{companion, conf};
use crate::pipeline::error::PipelineError;
use crate::pipeline::run::{CollectionRun, ServerConf};

/// Reads the files that the servers of this host name themselves, as far as nobody named one for them.
pub async fn of_this_host(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    let named = |name: &str| run.server_confs.iter().any(|conf| conf.server == name);
    let nodes: Vec<_> = run
        .facts
        .nodes
        .iter()
        .filter(|node| node.host_network.is_some() && node.version.is_some() && !named(&node.name))
        .cloned()
        .collect();
    // A file system whose server is gone blocks whoever asks about it.
    let reading = tokio::task::spawn_blocking(move || {
        let read = nodes.iter().map(|node| Some((node.name.clone(), server_conf::read_named_by(node)?)));
        read.flatten().collect::<Vec<(String, ConfText)>>()
    });
    if let Ok(Ok(texts)) = timeout_at(run.deadlines.run, reading).await {
        // A file that may not be read says nothing, and nobody asked for it.
        let texts = texts.into_iter().filter(|(_, text)| text.text.is_ok());
        run.server_confs.extend(texts.map(|(server, text)| ServerConf {
            server,
            text,
            named: false,
            judged: false,
        }));
    }
    Ok(())
}

/// What each release makes of the files, and where servers and their files differ.
pub fn derive(run: &mut CollectionRun<'_>) -> Result<(), PipelineError> {
    read_together(run);
    compare_remote(run);
    let (knowledge, tokens) = (run.knowledge, Tokens::of_this_run());
    let mut compared: Vec<String> = Vec::new();
    let mut texts = std::mem::take(&mut run.server_confs);
    texts.sort_by_key(|conf| run.facts.nodes.iter().position(|node| node.name == conf.server));
    for ServerConf { server, text, named, judged } in texts {
        let version = run.facts.node(&server).and_then(|node| node.version);
        let Some(read) = conf::read(&[text], knowledge, tokens, version).pop() else { continue };
        let node = run.facts.node(&server).filter(|_| named || version.is_some());
        if let Some(node) = node.filter(|_| !compared.contains(&server)) {
            let drift = compare(node, &read, Passwords::ByToken, knowledge);
            // A file that another run of this program read, on the server's host, is as good but for its passwords.
            run.facts.conf_drifts.retain(|drift| drift.name != server);
            run.facts.conf_drifts.push(drift);
            compared.push(server);
        }
        if judged {
            run.facts.conf_files.push(read);
        }
    }
    Ok(())
}

/// Files without a server, which may belong to one host or to one cluster.
fn read_together(run: &mut CollectionRun<'_>) {
    let (knowledge, tokens) = (run.knowledge, Tokens::of_this_run());
    let request = &run.plan.conf_files;
    let (mut pikas, mut companions): (Vec<ConfText>, Vec<(CompanionKind, ConfText)>) =
        (Vec::new(), Vec::new());
    for text in std::mem::take(&mut run.conf_texts) {
        let detected = || companion::kind_of(&text.name, text.text.as_ref().ok()?, knowledge);
        match request.kind.unwrap_or_else(detected) {
            Some(kind) => companions.push((kind, text)),
            None => pikas.push(text),
        }
    }
    let conf_files = conf::read(&pikas, knowledge, tokens, request.version);
    let companions: Vec<(CompanionKind, &ConfText)> =
        companions.iter().map(|(kind, text)| (*kind, text)).collect();
    run.facts.companion_files = companion::read(&companions, &conf_files, knowledge, tokens, request.version);
    run.facts.conf_files = conf_files;
}

/// Servers beside the files that another run of this program read on their hosts.
fn compare_remote(run: &mut CollectionRun<'_>) {
    for remote in std::mem::take(&mut run.remote_confs) {
        for (server, mut conf) in remote.files.into_iter().filter(|(name, _)| remote.servers.contains(name)) {
            let Some(node) = run.facts.node(&server) else { continue };
            conf.name = format!("{}:{}", remote.host, conf.name);
            let drift = compare(node, &conf, Passwords::ByPresence, run.knowledge);
            run.facts.conf_drifts.push(drift);
        }
    }
}
