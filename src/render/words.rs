//! The words that the formats use themselves, in both languages.

use std::fmt::Write as _;

use super::codis_line::codis_line;
use super::host_line::host_line;
use super::i18n::pick;
use super::log_words::log_lines;
use crate::model::codis::coordinator::{Coordinator, CoordinatorState};
use crate::model::companion::{CompanionFile, CompanionKind};
use crate::model::conf::ConfFile;
use crate::model::facts::Facts;
use crate::model::finding::{Ended, Finding, Gate, Report, State};
use crate::model::link::{Link, Relation};
use crate::model::node::Node;
use crate::model::reach::ReachState;
use crate::model::replication::Role;
use crate::model::sentinel::Sentinel;
use crate::model::server::ServerKind;
use crate::model::text::Language;

/// The state as a heading.
pub fn state(state: State, language: Language) -> &'static str {
    match state {
        State::Critical => pick(language, "CRITICAL", "严重"),
        State::Unknown => pick(language, "UNKNOWN", "未知"),
        State::Warning => pick(language, "WARNING", "警告"),
        State::Waived => pick(language, "waived", "已豁免"),
        State::Ok => pick(language, "ok", "正常"),
        State::Skipped => pick(language, "skipped", "跳过"),
        State::NotApplicable => pick(language, "n/a", "不适用"),
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
    parts.join(pick(report.language, ", ", "，"))
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
            let or = pick(language, "or", "或");
            let others =
                if others.is_empty() { String::new() } else { format!(" {or} {}", others.join(", ")) };
            format!("Pika {version}{others}")
        }
        (_, None, Some(release)) => format!("Pika {}", release.reported),
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

/// One line about a replication link: `10.0.0.2:9221 <- 10.0.0.1:9221  follows it`.
pub fn link_line(link: &Link, language: Language) -> String {
    let relation = match link.relation {
        Some(Relation::Follows) => pick(language, "follows it", "已在复制"),
        Some(Relation::Elsewhere) => pick(language, "follows another address", "跟随其他地址"),
        Some(Relation::Nobody) => pick(language, "follows nobody", "未跟随任何主库"),
        None => pick(language, "not known whom it follows", "复制关系未知"),
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
            if names.is_empty() { pick(language, "nothing", "无").to_owned() } else { names.join(", ") };
        let _ = write!(line, "  {} {names}", pick(language, "watches", "监控"));
    }
    line
}

/// One line about a configuration file: `pika.conf  for 2.3.6`.
pub fn conf_line(conf: &ConfFile, language: Language) -> String {
    let releases = match (&conf.version, &conf.content) {
        (Some(version), _) => version.to_string(),
        (None, Some(content)) => match language {
            Language::En => format!("any release; most likely {}", content.likely),
            Language::Zh => format!("任意版本；最可能是 {}", content.likely),
        },
        (None, None) => pick(language, "any release", "任意版本").to_owned(),
    };
    format!("{}  {} {releases}", conf.name, pick(language, "for", "适用于"))
}

/// One line about a coordinator: `zookeeper 10.0.0.1:2181  demo, other`.
pub fn coordinator_line(coordinator: &Coordinator, language: Language) -> String {
    let state = match (&coordinator.state, &coordinator.products) {
        (CoordinatorState::Answered, Some(products)) if !products.is_empty() => {
            let names: Vec<&str> = products.iter().map(|product| product.name.as_str()).collect();
            names.join(", ")
        }
        (CoordinatorState::Answered, _) => pick(language, "no product", "没有 product").to_owned(),
        (CoordinatorState::NoV2, _) => pick(language, "no v2 API", "没有 v2 API").to_owned(),
        (CoordinatorState::Refused, _) => pick(language, "refuses the credentials", "拒绝了凭据").to_owned(),
        (CoordinatorState::Wrong, _) => pick(language, "not a coordinator", "不是协调服务").to_owned(),
        (CoordinatorState::Unreached, _) => pick(language, "not reached", "无法访问").to_owned(),
    };
    format!("{}  {state}", coordinator.name)
}

/// One line about a file of a program around Pika: `proxy.toml  proxy.toml of Codis 3.2.2`.
pub fn companion_line(file: &CompanionFile, language: Language) -> String {
    let kind = match file.kind {
        Some(CompanionKind::Dashboard) => {
            pick(language, "dashboard.toml of Codis", "Codis 的 dashboard.toml")
        }
        Some(CompanionKind::Proxy) => pick(language, "proxy.toml of Codis", "Codis 的 proxy.toml"),
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
        ReachState::Answered => pick(language, "answered", "有应答"),
        ReachState::Silent => pick(language, "silent", "无应答"),
        ReachState::Closed => pick(language, "closed the connection", "连接被关闭"),
        ReachState::Stalled => pick(language, "stopped in the middle of an answer", "应答中断"),
        ReachState::Refused => pick(language, "connection refused", "连接被拒绝"),
        ReachState::Filtered => pick(language, "no answer to connecting", "连接超时"),
        ReachState::Unreachable => pick(language, "no route", "无路由"),
        ReachState::Unresolved => pick(language, "name has no address", "域名无法解析"),
        ReachState::Failed => pick(language, "not connected", "连接失败"),
        ReachState::NotTried => pick(language, "not tried", "未尝试"),
    }
}

fn server_kind(kind: ServerKind, language: Language) -> &'static str {
    match kind {
        ServerKind::Pika => "Pika",
        ServerKind::PikaLocked => pick(language, "Pika, locked by a password", "Pika（需要密码）"),
        ServerKind::Locked => pick(language, "a server locked by a password", "需要密码的服务"),
        ServerKind::Redis => "Redis",
        ServerKind::Valkey => "Valkey",
        ServerKind::RedisLike => pick(language, "a relative of Redis", "类 Redis 服务"),
        ServerKind::Sentinel => "Redis Sentinel",
        ServerKind::CodisProxy => pick(language, "Codis proxy", "Codis 代理"),
        ServerKind::UnknownRedisProtocol => pick(language, "speaks Redis' protocol", "使用 Redis 协议的服务"),
        ServerKind::RsyncDaemon => pick(language, "rsync daemon", "rsync 守护进程"),
        ServerKind::Http => pick(language, "web server", "Web 服务"),
        ServerKind::Tls => pick(language, "expects TLS", "需要 TLS"),
        ServerKind::Ssh => pick(language, "SSH server", "SSH 服务"),
        ServerKind::Garbage => pick(language, "not Redis' protocol", "非 Redis 协议"),
    }
}

/// Who answers for a finding: `waived by ops until 2026-12-31: the new version comes in December`. Nothing when
/// nobody does or did.
pub fn accepted(finding: &Finding, language: Language) -> Option<String> {
    let accepted = finding.accepted.as_ref()?;
    let place = &accepted.place;
    let (Some(owner), Some(expires), Some(reason)) = (&accepted.owner, &accepted.expires, &accepted.reason)
    else {
        return Some(match language {
            Language::En => format!("stands in {place} already"),
            Language::Zh => format!("{place} 中已有"),
        });
    };
    Some(match (language, accepted.expired) {
        (Language::En, false) => format!("waived by {owner} until {expires}: {reason} ({place})"),
        (Language::En, true) => {
            format!(
                "waived by {owner} until {expires}, which is over, so it counts again: {reason} ({place})"
            )
        }
        (Language::Zh, false) => format!("由 {owner} 豁免至 {expires}：{reason}（{place}）"),
        (Language::Zh, true) => {
            format!("由 {owner} 豁免至 {expires}，现已过期，重新计入：{reason}（{place}）")
        }
    })
}

/// How the word of a gate came about: `after 1m 5s, 12 looks; the time to wait is over`.
pub fn gate(gate: &Gate, language: Language) -> String {
    let time = duration(gate.waited_seconds);
    let rounds = gate.rounds;
    let mut text = match (language, rounds) {
        (Language::En, 1) => "1 look".to_owned(),
        (Language::En, _) => format!("{rounds} looks in {time}"),
        (Language::Zh, 1) => "检查 1 次".to_owned(),
        (Language::Zh, _) => format!("{time} 内检查 {rounds} 次"),
    };
    let why = match gate.ended {
        Ended::Done => return text,
        Ended::TimeOver => pick(language, "the time to wait is over", "等待时间已到"),
        Ended::Hopeless => pick(language, "waiting does not change what is wrong", "继续等待无法解决问题"),
        Ended::Interrupted => pick(language, "stopped by hand", "已手动中止"),
    };
    text.push_str(pick(language, "; ", "；"));
    text.push_str(why);
    text
}

/// `850ms`, `5s`, `1m 5s`.
pub fn duration(seconds: f64) -> String {
    let rounded = if seconds < 1.0 { (seconds * 1000.0).round() / 1000.0 } else { seconds.round() };
    let duration = jiff::SignedDuration::try_from_secs_f64(rounded).unwrap_or_default();
    format!("{duration:#}")
}
