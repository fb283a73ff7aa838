//! What is known about Pika, as the tables at the end of a page.

use std::fmt::Write as _;

use super::page::Page;
use crate::model::finding::State;
use crate::model::knowledge::{Bind, Defect, Impact, PortOpen};
use crate::model::link::Outcome;
use crate::model::messages::MessageRule;
use crate::model::release::{Releases, Version};
use crate::model::text::{Bilingual, Language};
use crate::render::i18n::pick;
use crate::render::words::state as state_word;

/// The order in which defects are listed: what costs most first.
const IMPACTS: [Impact; 7] = [
    Impact::DataLoss,
    Impact::Divergence,
    Impact::Crash,
    Impact::Outage,
    Impact::Security,
    Impact::WrongAnswer,
    Impact::Operations,
];

impl Page<'_> {
    pub(super) fn defects(&self, out: &mut String, release: Option<Version>) {
        let concerns = |defect: &&Defect| release.is_none_or(|release| defect.releases.contains(release));
        let mut defects: Vec<&Defect> = self.knowledge.defects.iter().filter(concerns).collect();
        defects.sort_by_key(|defect| IMPACTS.iter().position(|impact| *impact == defect.impact));
        let title = match (release, self.language) {
            (Some(release), Language::En) => format!("Known defects of {release}: {}", defects.len()),
            (Some(release), Language::Zh) => format!("{release} 的已知缺陷：{} 个", defects.len()),
            (None, Language::En) => {
                format!("Known defects: {} (for one release: --release 2.3.6)", defects.len())
            }
            (None, Language::Zh) => {
                format!("已知缺陷：{} 个（只看某一版本：--release 2.3.6）", defects.len())
            }
        };
        let _ = writeln!(out, "{}", self.bold(&title));
        for defect in defects {
            out.push('\n');
            let impact = self.impact(defect.impact);
            self.wrap(out, 2, &self.bold(&format!("{}  [{impact}]", self.say(&defect.title))));
            self.wrap(out, 4, &format!("{} {}", self.say(&defect.effect), self.say(&defect.matters)));
            if let Some(workaround) = &defect.workaround {
                let label = pick(self.language, "Without another release: ", "不升级时的办法：");
                self.wrap(out, 4, &format!("{label}{}", self.say(workaround)));
            }
            let fixed = if defect.fixed_in.is_empty() {
                pick(self.language, "no release mends it", "尚无版本修复").to_owned()
            } else {
                let fixed: Vec<String> = defect.fixed_in.iter().map(ToString::to_string).collect();
                format!("{} {}", pick(self.language, "mended in", "修复于"), fixed.join(", "))
            };
            self.wrap(
                out,
                4,
                &format!("{}: {}; {fixed}", pick(self.language, "Releases", "版本"), defect.releases),
            );
            let seen = match defect.when {
                Some(_) => pick(self.language, "can be seen from outside", "可从外部看出"),
                None => pick(self.language, "cannot be seen from outside", "无法从外部看出"),
            };
            self.wrap(out, 4, &format!("{}  ({seen}; {})", defect.id, defect.source.join(", ")));
        }
        out.push('\n');
    }

    pub(super) fn setting_faults(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, "Settings and what becomes of them", "各项设置及其实际效果");
        for setting in &self.knowledge.settings {
            for fault in &setting.faults {
                self.key_rule(
                    out,
                    release,
                    (&setting.name, &fault.releases, fault.state),
                    [&fault.found, &fault.needed, &fault.fix],
                );
            }
        }
        out.push('\n');
    }

    pub(super) fn config_keys(&self, out: &mut String, release: Option<Version>) {
        self.heading(
            out,
            "Keys of pika.conf and what becomes of their values",
            "pika.conf 各配置项及其实际效果",
        );
        for key in &self.knowledge.config_keys {
            for rule in &key.rules {
                self.key_rule(
                    out,
                    release,
                    (&key.name, &rule.releases, rule.state),
                    [&rule.found, &rule.needed, &rule.fix],
                );
            }
            for rule in &key.missing {
                let name = format!("{} {}", key.name, pick(self.language, "(not there)", "（缺失）"));
                self.key_rule(
                    out,
                    release,
                    (&name, &rule.releases, rule.state),
                    [&rule.found, &rule.needed, &rule.fix],
                );
            }
        }
        out.push('\n');
    }

    fn key_rule(
        &self,
        out: &mut String,
        release: Option<Version>,
        (name, releases, state): (&str, &Releases, State),
        [found, needed, fix]: [&Bilingual; 3],
    ) {
        if release.is_some_and(|release| !releases.contains(release)) {
            return;
        }
        out.push('\n');
        let state = state_word(state, self.language).to_lowercase();
        self.wrap(out, 2, &self.bold(&format!("{name}  {releases}  [{state}]")));
        self.wrap(out, 4, &self.plain_text(self.say(found)));
        let label = pick(self.language, "needed: ", "应为：");
        self.wrap(out, 4, &format!("{label}{}", self.plain_text(self.say(needed))));
        let label = pick(self.language, "fix: ", "处理：");
        self.wrap(out, 4, &format!("{label}{}", self.plain_text(self.say(fix))));
    }

    pub(super) fn dialects(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, "Which release follows which", "哪些版本之间可以复制");
        for rule in &self.knowledge.dialects.pairs {
            if release
                .is_some_and(|release| !rule.master.contains(release) && !rule.replica.contains(release))
            {
                continue;
            }
            let old = if rule.binlog_type_old == Some(true) { " (identify-binlog-type : old)" } else { "" };
            let line = match self.language {
                Language::En => format!("{} -> {}{old}: ", rule.master, rule.replica),
                Language::Zh => format!("{} -> {}{old}：", rule.master, rule.replica),
            };
            let outcomes = match self.language {
                Language::En => {
                    format!("{} incremental, {} with a full copy", word(rule.incremental), word(rule.full))
                }
                Language::Zh => format!("增量 {}，全量 {}", word(rule.incremental), word(rule.full)),
            };
            out.push('\n');
            self.wrap(out, 2, &self.bold(&format!("{line}{outcomes}")));
            if let Some(sees) = &rule.sees {
                self.wrap(out, 4, self.say(sees));
            }
            self.wrap(out, 4, &rule.source);
        }
        out.push('\n');
    }

    pub(super) fn link_states(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, "The states of a link", "链路的各种状态");
        for word in &self.knowledge.link_states {
            if release.is_some_and(|release| !word.releases.contains(release)) {
                continue;
            }
            out.push('\n');
            self.wrap(out, 2, &self.bold(&format!("{}: {}  ({})", word.field, word.raw, word.releases)));
            self.wrap(out, 4, &self.plain_text(self.say(&word.meaning)));
            if let Some(fix) = &word.fix {
                let label = pick(self.language, "fix: ", "处理：");
                self.wrap(out, 4, &format!("{label}{}", self.plain_text(self.say(fix))));
            }
        }
        out.push('\n');
    }

    pub(super) fn messages(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, "Messages of logs", "日志消息");
        let table = &self.knowledge.messages;
        for fault in &table.faults {
            let told = |rule: &&MessageRule| rule.fault.as_ref() == Some(&fault.id);
            let known = |rule: &&MessageRule| release.is_none_or(|release| rule.releases.contains(release));
            let rules: Vec<&MessageRule> = table.messages.iter().filter(told).filter(known).collect();
            out.push('\n');
            self.wrap(out, 2, &self.bold(&format!("{}  ({})", fault.id, fault.class)));
            self.wrap(out, 4, &self.plain_text(self.say(&fault.cause)));
            for rule in rules {
                self.wrap(
                    out,
                    4,
                    &format!("{}: {}", rule.releases, self.plain_text(&rule.examples.join("; "))),
                );
            }
        }
        self.heading(out, "Exit codes of rsync", "rsync 退出码");
        for exit in &table.rsync_exits {
            self.wrap(
                out,
                2,
                &format!("{} (Error: {})  {}", exit.code, exit.code << 8, self.say(&exit.meaning)),
            );
        }
        out.push('\n');
    }

    pub(super) fn releases(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, "Generations of replication", "各代复制方式");
        for entry in &self.knowledge.generations {
            if release.is_some_and(|release| !entry.releases.contains(release)) {
                continue;
            }
            self.wrap(out, 2, &format!("{}: {}", entry.releases, self.say(&entry.title)));
        }
        out.push('\n');
        self.upgrades(out, release);
        self.heading(out, "Releases", "版本");
        for (index, tag) in self.knowledge.releases.iter().enumerate() {
            if release.is_some_and(|release| release != tag.version) {
                continue;
            }
            let reports = match tag.reports {
                Some(reports) => format!("  {} {reports}", pick(self.language, "reports", "报告为")),
                None => String::new(),
            };
            // The releases are ordered by number, so the last of a line stands before the next line.
            let next = self.knowledge.releases.get(index + 1);
            let ends_line = next.is_none_or(|next| next.version.line() != tag.version.line());
            let last = if ends_line {
                pick(self.language, "  the last of its line", "  该版本线的最后一个")
            } else {
                ""
            };
            let commit = &tag.commit[..8];
            let _ =
                writeln!(out, "  {:<12} {}  {commit}{reports}{last}", tag.version.to_string(), tag.tagged);
        }
        out.push('\n');
    }

    fn upgrades(&self, out: &mut String, release: Option<Version>) {
        let concerns = |releases: &Releases| release.is_none_or(|release| releases.contains(release));
        let paths: Vec<_> =
            self.knowledge.upgrades.paths.iter().filter(|path| concerns(&path.from)).collect();
        if !paths.is_empty() {
            self.heading(out, "Ways to another release", "升级路径");
            for path in paths {
                self.wrap(out, 2, &self.bold(&format!("{} → {}", path.from, path.to)));
                self.wrap(out, 4, self.say(&path.way));
                self.wrap(out, 4, &format!("({})", path.source));
            }
            out.push('\n');
        }
        let contradictions: Vec<_> =
            self.knowledge.upgrades.contradictions.iter().filter(|entry| concerns(&entry.releases)).collect();
        if !contradictions.is_empty() {
            self.heading(out, "What is written elsewhere and is not so", "与实际不符的说法");
            for entry in contradictions {
                let but = pick(self.language, "in fact", "实际上");
                let text = format!(
                    "- {}: {}; {but}: {} ({})",
                    entry.r#where,
                    self.say(&entry.says),
                    self.say(&entry.code),
                    entry.releases
                );
                self.wrap(out, 2, &text);
            }
            out.push('\n');
        }
    }

    pub(super) fn ports(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, "Derived ports", "派生端口");
        for entry in &self.knowledge.generations {
            if release.is_some_and(|release| !entry.releases.contains(release)) {
                continue;
            }
            out.push('\n');
            self.wrap(out, 2, &self.bold(&entry.releases.to_string()));
            for rule in &entry.ports {
                let when = match rule.open {
                    PortOpen::Always => pick(self.language, "always open", "始终开放"),
                    PortOpen::FullSync => {
                        pick(self.language, "open during a full sync", "仅在全量同步期间开放")
                    }
                };
                let bind = match rule.bind {
                    Bind::All => pick(self.language, "on all addresses", "监听所有地址"),
                    Bind::NetworkInterface => pick(
                        self.language,
                        "on network-interface, or all addresses",
                        "监听 network-interface，未设置则监听所有地址",
                    ),
                };
                let reach = match self.language {
                    Language::En => format!("{} must reach it", rule.dialled_by.en),
                    Language::Zh => format!("{}必须能连到它", rule.dialled_by.zh),
                };
                self.wrap(
                    out,
                    4,
                    &format!("+{}: {}; {when}, {bind}; {reach}", rule.offset, self.say(&rule.purpose)),
                );
            }
        }
        out.push('\n');
    }

    fn impact(&self, impact: Impact) -> &'static str {
        match impact {
            Impact::DataLoss => pick(self.language, "data loss", "数据丢失"),
            Impact::Divergence => pick(self.language, "master and replica differ", "主从不一致"),
            Impact::Crash => pick(self.language, "crash", "崩溃"),
            Impact::Outage => pick(self.language, "outage", "服务中断"),
            Impact::Security => pick(self.language, "security", "安全"),
            Impact::WrongAnswer => pick(self.language, "wrong answer", "结果错误"),
            Impact::Operations => pick(self.language, "operations", "运维"),
        }
    }
}

/// An outcome as the data spell it.
fn word(outcome: Outcome) -> String {
    serde_json::to_value(outcome).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
