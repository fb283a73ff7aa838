//! The words that the formats use themselves, in both languages.

use std::fmt::Write as _;

use super::codis_line::codis_line;
use super::host_line::host_line;
use super::log_words::log_lines;
use crate::i18n::texts;
use crate::model::codis::coordinator::{Coordinator, CoordinatorState};
use crate::model::companion::{CompanionFile, CompanionKind};
use crate::model::conf::ConfFile;
use crate::model::facts::Facts;
use crate::model::finding::{Ended, Finding, Gate, Report, State};
use crate::model::link::{Link, Relation};
use crate::model::node::{Evidence, Node};
use crate::model::reach::ReachState;
use crate::model::replication::Role;
use crate::model::sentinel::Sentinel;
use crate::model::server::ServerKind;
use crate::model::text::Language;

/// The state as a heading.
pub fn state(state: State, language: Language) -> &'static str {
    match state {
        State::Critical => texts::STATE_CRITICAL.get(language),
        State::Unknown => texts::STATE_UNKNOWN.get(language),
        State::Warning => texts::STATE_WARNING.get(language),
        State::Waived => texts::STATE_WAIVED.get(language),
        State::Ok => texts::STATE_OK.get(language),
        State::Skipped => texts::STATE_SKIPPED.get(language),
        State::NotApplicable => texts::STATE_NOT_APPLICABLE.get(language),
    }
}

/// `1 critical, 2 warning, 17 ok`: how many findings there are of each state that occurs, worst first.
pub fn counts(report: &Report) -> String {
    let occurs = State::WORST_FIRST.into_iter().filter(|state| report.counts.of(*state) > 0);
    let parts: Vec<String> = occurs
        .map(|of| {
            let word = state(of, report.language);
            let word = match (of, report.language) {
                (State::NotApplicable, Language::En) => "not applicable".to_owned(),
                (_, Language::En) => word.to_lowercase(),
                (_, Language::Zh) => word.to_owned(),
            };
            format!("{} {word}", report.counts.of(of))
        })
        .collect();
    parts.join(texts::COMMA.get(report.language))
}

/// One line about everything that was looked at.
pub fn seen(facts: &Facts, language: Language) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(facts.sentinels.iter().map(|sentinel| sentinel_line(sentinel, language)));
    lines.extend(facts.coordinators.iter().map(|coordinator| coordinator_line(coordinator, language)));
    lines.extend(facts.codis.iter().map(|codis| codis_line(codis, language)));
    lines.extend(facts.nodes.iter().map(|node| node_line(node, language)));
    lines.extend(facts.links.iter().map(|link| link_line(link, language)));
    lines.extend(facts.conf_files.iter().map(|conf| conf_line(conf, language)));
    lines.extend(facts.logs.iter().flat_map(|view| log_lines(view, language)));
    lines.extend(facts.companion_files.iter().map(|file| companion_line(file, language)));
    lines.extend(facts.hosts.iter().map(|host| host_line(host, language)));
    lines
}

/// One line about a node: `10.0.0.1:9221 Pika 2.3.6 master`.
pub fn node_line(node: &Node, language: Language) -> String {
    let mut line = match &node.planned {
        Some(planned) => format!("{} ({})", planned.name, node.name),
        None => node.name.clone(),
    };
    let product = match (&node.server, &node.version, &node.release) {
        (_, Some(version), Some(release)) => {
            let doubtful = release.candidates.iter().filter(|candidate| candidate.is_final()).count() > 1;
            let others: Vec<String> = release
                .candidates
                .iter()
                .filter(|candidate| doubtful && candidate.is_final() && *candidate != version)
                .map(ToString::to_string)
                .collect();
            let or = texts::OR.get(language);
            let others =
                if others.is_empty() { String::new() } else { format!(" {or} {}", others.join(", ")) };
            format!("Pika {version}{others}{}", evidence(release.evidence, language))
        }
        (_, None, Some(release)) => format!("Pika {}{}", release.reported, evidence(None, language)),
        (Some(server), _, _) => match &server.product {
            Some(product) => product.clone(),
            None => server_kind(server.kind, language).to_owned(),
        },
        (None, _, _) => reach(node.reach.state, language).to_owned(),
    };
    let _ = write!(line, "  {product}");
    if let Some(role) = node.replication.as_ref().and_then(|replication| replication.role) {
        let role = match role {
            Role::Master => "master",
            Role::Slave => "replica",
            Role::MasterAndSlave => "master and replica",
            Role::DoubleMaster => "double master",
        };
        let _ = write!(line, "  {role}");
    }
    line
}

/// What stands behind a release whose word does not rest on a tag: that it was only read, or is not known at all.
fn evidence(evidence: Option<Evidence>, language: Language) -> String {
    let said = match evidence {
        Some(Evidence::Run | Evidence::Source) => return String::new(),
        Some(Evidence::Files) => texts::READ_NOT_RUN.get(language),
        None => texts::NOT_KNOWN_TO_THIS_VERSION.get(language),
    };
    format!(" ({said})")
}

/// One line about a replication link: `10.0.0.2:9221 <- 10.0.0.1:9221  follows it`.
pub fn link_line(link: &Link, language: Language) -> String {
    let relation = match link.relation {
        Some(Relation::Follows) => texts::LINK_FOLLOWS_IT.get(language),
        Some(Relation::Elsewhere) => texts::LINK_FOLLOWS_ANOTHER.get(language),
        Some(Relation::Nobody) => texts::LINK_FOLLOWS_NOBODY.get(language),
        None => texts::LINK_NOT_KNOWN.get(language),
    };
    format!("{}  {relation}", link.name)
}

/// One line about a Sentinel: `10.0.0.9:26379  Redis Sentinel 7.0.15  watches demo-1 (10.0.0.1:9221)`.
pub fn sentinel_line(sentinel: &Sentinel, language: Language) -> String {
    let product = match &sentinel.server {
        Some(server) => {
            server.product.clone().unwrap_or_else(|| server_kind(server.kind, language).to_owned())
        }
        None => reach(sentinel.reach.state, language).to_owned(),
    };
    let mut line = format!("{}  {product}", sentinel.name);
    if let Some(masters) = &sentinel.masters {
        let names: Vec<String> =
            masters.iter().map(|master| format!("{} ({})", master.name, master.instance.address)).collect();
        let names =
            if names.is_empty() { texts::WATCHES_NOTHING.get(language).to_owned() } else { names.join(", ") };
        let _ = write!(line, "  {} {names}", texts::WATCHES.get(language));
    }
    line
}

/// One line about a configuration file: `pika.conf  for 2.3.6`.
pub fn conf_line(conf: &ConfFile, language: Language) -> String {
    let releases = match (&conf.version, &conf.content) {
        (Some(version), _) => format!("{version}{}", evidence(conf.evidence, language)),
        (None, Some(content)) => texts::conf_most_likely(language, &content.likely),
        (None, None) => texts::ANY_RELEASE.get(language).to_owned(),
    };
    format!("{}  {} {releases}", conf.name, texts::FOR.get(language))
}

/// One line about a coordinator: `zookeeper 10.0.0.1:2181  demo, other`.
pub fn coordinator_line(coordinator: &Coordinator, language: Language) -> String {
    let state = match (&coordinator.state, &coordinator.products) {
        (CoordinatorState::Answered, Some(products)) if !products.is_empty() => {
            let names: Vec<&str> = products.iter().map(|product| product.name.as_str()).collect();
            names.join(", ")
        }
        (CoordinatorState::Answered, _) => texts::COORDINATOR_NO_PRODUCT.get(language).to_owned(),
        (CoordinatorState::NoV2, _) => texts::COORDINATOR_NO_V2.get(language).to_owned(),
        (CoordinatorState::Refused, _) => texts::COORDINATOR_REFUSES.get(language).to_owned(),
        (CoordinatorState::Wrong, _) => texts::COORDINATOR_WRONG.get(language).to_owned(),
        (CoordinatorState::Unreached, _) => texts::COORDINATOR_NOT_REACHED.get(language).to_owned(),
    };
    format!("{}  {state}", coordinator.name)
}

/// One line about a file of a program around Pika: `proxy.toml  proxy.toml of Codis 3.2.2`.
pub fn companion_line(file: &CompanionFile, language: Language) -> String {
    let kind = match file.kind {
        Some(CompanionKind::Dashboard) => texts::DASHBOARD_TOML.get(language),
        Some(CompanionKind::Proxy) => texts::PROXY_TOML.get(language),
        Some(CompanionKind::Sentinel) => "sentinel.conf",
        None => "-",
    };
    let releases = file.content.iter().flat_map(|content| &content.likely);
    let releases: Vec<String> = releases
        .filter_map(|release| serde_json::to_value(release).ok()?.as_str().map(str::to_owned))
        .collect();
    format!("{}  {kind} {}", file.name, releases.join(", ")).trim_end().to_owned()
}

/// Why there is nothing to say about a server.
fn reach(state: ReachState, language: Language) -> &'static str {
    match state {
        ReachState::Answered => texts::REACH_ANSWERED.get(language),
        ReachState::Silent => texts::REACH_SILENT.get(language),
        ReachState::Closed => texts::REACH_CLOSED.get(language),
        ReachState::Stalled => texts::REACH_STALLED.get(language),
        ReachState::Refused => texts::REACH_REFUSED.get(language),
        ReachState::Filtered => texts::REACH_FILTERED.get(language),
        ReachState::Unreachable => texts::REACH_UNREACHABLE.get(language),
        ReachState::Unresolved => texts::REACH_UNRESOLVED.get(language),
        ReachState::Failed => texts::REACH_FAILED.get(language),
        ReachState::NotTried => texts::REACH_NOT_TRIED.get(language),
    }
}

fn server_kind(kind: ServerKind, language: Language) -> &'static str {
    match kind {
        ServerKind::Pika => "Pika",
        ServerKind::PikaLocked => texts::SERVER_PIKA_LOCKED.get(language),
        ServerKind::Locked => texts::SERVER_LOCKED.get(language),
        ServerKind::Redis => "Redis",
        ServerKind::Valkey => "Valkey",
        ServerKind::RedisLike => texts::SERVER_REDIS_LIKE.get(language),
        ServerKind::Sentinel => "Redis Sentinel",
        ServerKind::CodisProxy => texts::SERVER_CODIS_PROXY.get(language),
        ServerKind::UnknownRedisProtocol => texts::SERVER_UNKNOWN_REDIS_PROTOCOL.get(language),
        ServerKind::RsyncDaemon => texts::SERVER_RSYNC_DAEMON.get(language),
        ServerKind::Http => texts::SERVER_HTTP.get(language),
        ServerKind::Tls => texts::SERVER_TLS.get(language),
        ServerKind::Ssh => texts::SERVER_SSH.get(language),
        ServerKind::Garbage => texts::SERVER_GARBAGE.get(language),
    }
}

/// Who answers for a finding: `waived by ops until 2026-12-31: the new version comes in December`. Nothing when
/// nobody does or did.
pub fn accepted(finding: &Finding, language: Language) -> Option<String> {
    let accepted = finding.accepted.as_ref()?;
    let place = &accepted.place;
    let (Some(owner), Some(expires), Some(reason)) = (&accepted.owner, &accepted.expires, &accepted.reason)
    else {
        return Some(texts::stands_already(language, place));
    };
    Some(if accepted.expired {
        texts::waived_by_expired(language, owner, expires, reason, place)
    } else {
        texts::waived_by(language, owner, expires, reason, place)
    })
}

/// How the word of a gate came about: `after 1m 5s, 12 looks; the time to wait is over`.
pub fn gate(gate: &Gate, language: Language) -> String {
    let time = duration(gate.waited_seconds);
    let rounds = gate.rounds;
    let mut text = if rounds == 1 {
        texts::GATE_ONE_LOOK.get(language).to_owned()
    } else {
        texts::gate_looks(language, rounds, time)
    };
    let why = match gate.ended {
        Ended::Done => return text,
        Ended::TimeOver => texts::GATE_TIME_OVER.get(language),
        Ended::Hopeless => texts::GATE_HOPELESS.get(language),
        Ended::Interrupted => texts::GATE_INTERRUPTED.get(language),
    };
    text.push_str(texts::SEMICOLON.get(language));
    text.push_str(why);
    text
}

/// `850ms`, `5s`, `1m 5s`.
pub fn duration(seconds: f64) -> String {
    let rounded = if seconds < 1.0 { (seconds * 1000.0).round() / 1000.0 } else { seconds.round() };
    let duration = jiff::SignedDuration::try_from_secs_f64(rounded).unwrap_or_default();
    format!("{duration:#}")
}
