//! The catalogue for readers: `list` and `explain`, from the same files that are evaluated.

use std::fmt::Write as _;

use anstyle::Style;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;
use unicode_width::UnicodeWidthChar;

use super::Look;
use super::words::{pick, state as state_word};
use crate::model::catalogue::Catalogue;
use crate::model::check::{Appendix, Case, Check, Target};
use crate::model::finding::State;
use crate::model::knowledge::{Bind, Defect, Impact, Knowledge, PortOpen};
use crate::model::link::Outcome;
use crate::model::release::{Releases, Version};
use crate::model::text::{Bilingual, Language, Template};

/// All checks as a table.
pub fn list(catalogue: &Catalogue, language: Language) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([pick(language, "check", "检查"), pick(language, "ok means", "正常时的含义")]);
    for check in &catalogue.checks {
        table.add_row([check.id.as_str(), check.file.title.get(language).text.as_str()]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

/// All checks as JSON.
pub fn list_json(catalogue: &Catalogue) -> String {
    let checks: Vec<_> = catalogue
        .checks
        .iter()
        .map(|check| {
            json!({
                "id": check.id,
                "target": check.file.target,
                "title": check.file.title,
                "why": check.file.why,
                "params": check.file.params.iter().map(|(name, param)| (name.clone(), param.default.clone())).collect::<serde_json::Map<_, _>>(),
                "references": check.file.references,
            })
        })
        .collect();
    serde_json::to_string_pretty(&checks).unwrap_or_default() + "\n"
}

/// Writes `explain`.
pub struct Page<'k> {
    /// What is known about Pika.
    pub knowledge: &'k Knowledge,
    /// The language of the page.
    pub language: Language,
    /// Its width.
    pub look: Look,
}

impl Page<'_> {
    /// Everything about a check; with `release`, only what concerns that release.
    pub fn explain(&self, check: &Check, release: Option<Version>) -> String {
        let mut out = String::new();
        let file = &check.file;
        let _ = writeln!(out, "{}", self.bold(&check.id));
        let ok_means = pick(self.language, "ok means: ", "正常的含义：");
        self.wrap(&mut out, 0, &format!("{ok_means}{}", self.template(&file.title)));
        out.push('\n');

        self.heading(&mut out, "Why it matters", "为什么重要");
        self.wrap(&mut out, 2, &reflow(&self.template(&file.why)));
        out.push('\n');

        self.heading(&mut out, "When it applies", "何时适用");
        let target = match file.target {
            Target::Node => pick(self.language, "for each server", "对每台服务器"),
            Target::Conf => pick(self.language, "for each pika.conf", "对每个 pika.conf"),
            Target::Link => pick(self.language, "for each replication link", "对每条主从链路"),
            Target::Pair => pick(self.language, "for each double master", "对每组双主"),
            Target::PlannedNode => pick(self.language, "for each server of a plan", "对计划中的每台服务器"),
            Target::PlannedLink => pick(self.language, "for each link of a plan", "对计划中的每条主从链路"),
            Target::Host => pick(self.language, "for each host that is looked at", "对每台查看的主机"),
            Target::Instance => {
                pick(self.language, "for each Pika of a host that is looked at", "对所查看主机上的每个 Pika")
            }
            Target::Coordinator => {
                pick(self.language, "for each coordinator of Codis", "对每个 Codis 协调服务")
            }
            Target::Product => pick(
                self.language,
                "for each product in a coordinator of Codis",
                "对协调服务中的每个 Codis product",
            ),
            Target::Codis => pick(self.language, "for each Codis", "对每个 Codis"),
            Target::Backend => {
                pick(self.language, "for each server behind a Codis", "对 Codis 后面的每台服务器")
            }
            Target::Sentinel => pick(self.language, "for each Sentinel", "对每个 Sentinel"),
            Target::Watched => pick(
                self.language,
                "for each master name that Sentinels watch",
                "对 Sentinel 监控的每个主库名",
            ),
        };
        match (&file.when, &file.otherwise) {
            (Some(when), otherwise) => {
                self.wrap(
                    &mut out,
                    2,
                    &format!("{target}, {} {}", pick(self.language, "if", "条件是"), when.text),
                );
                if let Some(otherwise) = otherwise {
                    let text =
                        format!("{}: {}", pick(self.language, "otherwise", "否则"), self.template(otherwise));
                    self.wrap(&mut out, 2, &text);
                }
            }
            (None, _) => self.wrap(&mut out, 2, target),
        }
        out.push('\n');

        if !file.cases.is_empty() {
            self.heading(&mut out, "What it can find", "可能的结果");
            if file.looks_at_knowledge() {
                let text = pick(
                    self.language,
                    "one problem for each entry of the table below that holds on the server",
                    "下表中每一条在服务器上成立的条目各报告一个问题",
                );
                self.wrap(&mut out, 2, text);
                out.push('\n');
            } else {
                self.cases(&mut out, &file.cases);
            }
        }

        if !file.params.is_empty() {
            self.heading(&mut out, "Parameters", "参数");
            for (name, param) in &file.params {
                let text = format!("{name} = {}: {}", param.default, self.template(&param.meaning));
                self.wrap(&mut out, 2, &text);
            }
            let example = file.params.keys().next().map(String::as_str).unwrap_or_default();
            self.wrap(&mut out, 2, &format!("pikadoctor check … --set {}.{example}=…", check.id));
            out.push('\n');
        }

        if let Some(appendix) = file.appendix {
            self.appendix(&mut out, appendix, release);
        }

        if !file.references.is_empty() {
            self.heading(&mut out, "References", "参考");
            for reference in &file.references {
                self.wrap(&mut out, 2, &format!("- {reference}"));
            }
        }
        out
    }

    fn cases(&self, out: &mut String, cases: &[Case]) {
        for case in cases {
            let _ = writeln!(out, "  {}", self.bold(state_word(case.state, self.language)));
            self.wrap(out, 4, &self.template(&case.found));
            if let Some(needed) = &case.needed {
                let label = pick(self.language, "needed: ", "应为：");
                self.wrap(out, 4, &format!("{label}{}", self.template(needed)));
            }
            if let Some(fix) = &case.fix {
                let label = pick(self.language, "fix: ", "处理：");
                self.wrap(out, 4, &format!("{label}{}", self.template(fix)));
            }
            out.push('\n');
        }
    }

    fn appendix(&self, out: &mut String, appendix: Appendix, release: Option<Version>) {
        match appendix {
            Appendix::Defects => self.defects(out, release),
            Appendix::SettingFaults => self.setting_faults(out, release),
            Appendix::ConfigKeys => self.config_keys(out, release),
            Appendix::Dialects => self.dialects(out, release),
            Appendix::LinkStates => self.link_states(out, release),
            Appendix::Releases => self.releases(out, release),
            Appendix::Ports => self.ports(out, release),
        }
    }

    fn defects(&self, out: &mut String, release: Option<Version>) {
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

    fn setting_faults(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, "Settings and what becomes of them", "各项设置及其实际效果");
        for setting in &self.knowledge.settings {
            for fault in &setting.faults {
                if release.is_some_and(|release| !fault.releases.contains(release)) {
                    continue;
                }
                out.push('\n');
                let state = state_word(fault.state, self.language).to_lowercase();
                self.wrap(out, 2, &self.bold(&format!("{}  {}  [{state}]", setting.name, fault.releases)));
                self.wrap(out, 4, &plain(self.say(&fault.found)));
                let label = pick(self.language, "needed: ", "应为：");
                self.wrap(out, 4, &format!("{label}{}", plain(self.say(&fault.needed))));
                let label = pick(self.language, "fix: ", "处理：");
                self.wrap(out, 4, &format!("{label}{}", plain(self.say(&fault.fix))));
            }
        }
        out.push('\n');
    }

    fn config_keys(&self, out: &mut String, release: Option<Version>) {
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
        self.wrap(out, 4, &plain(self.say(found)));
        let label = pick(self.language, "needed: ", "应为：");
        self.wrap(out, 4, &format!("{label}{}", plain(self.say(needed))));
        let label = pick(self.language, "fix: ", "处理：");
        self.wrap(out, 4, &format!("{label}{}", plain(self.say(fix))));
    }

    fn dialects(&self, out: &mut String, release: Option<Version>) {
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

    fn link_states(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, "The states of a link", "链路的各种状态");
        for word in &self.knowledge.link_states {
            if release.is_some_and(|release| !word.releases.contains(release)) {
                continue;
            }
            out.push('\n');
            self.wrap(out, 2, &self.bold(&format!("{}: {}  ({})", word.field, word.raw, word.releases)));
            self.wrap(out, 4, &plain(self.say(&word.meaning)));
            if let Some(fix) = &word.fix {
                let label = pick(self.language, "fix: ", "处理：");
                self.wrap(out, 4, &format!("{label}{}", plain(self.say(fix))));
            }
        }
        out.push('\n');
    }

    fn releases(&self, out: &mut String, release: Option<Version>) {
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

    fn ports(&self, out: &mut String, release: Option<Version>) {
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

    fn say<'t>(&self, text: &'t Bilingual) -> &'t str {
        text.get(self.language)
    }

    /// A template for reading: `{{ node.name }}` becomes `<node.name>`.
    fn template(&self, template: &Template) -> String {
        plain(template.get(self.language).text.trim())
    }

    fn heading(&self, out: &mut String, en: &'static str, zh: &'static str) {
        let _ = writeln!(out, "{}", self.bold(pick(self.language, en, zh)));
    }

    fn bold(&self, text: &str) -> String {
        let bold = Style::new().bold();
        if self.look.color { format!("{bold}{text}{bold:#}") } else { text.to_owned() }
    }

    fn wrap(&self, out: &mut String, indent: usize, text: &str) {
        let blank = " ".repeat(indent);
        for line in text.lines() {
            // The lines of a list item stand below its text.
            let hang = " ".repeat(indent + if line.starts_with("- ") { 2 } else { 0 });
            let options = textwrap::Options::new(self.look.width)
                .initial_indent(&blank)
                .subsequent_indent(&hang)
                .word_splitter(textwrap::WordSplitter::NoHyphenation)
                .break_words(false);
            for wrapped in textwrap::wrap(line, options) {
                let _ = writeln!(out, "{}", wrapped.trim_end());
            }
        }
    }
}

/// Joins the lines of each paragraph: their breaks are those of the file, not of the reader's terminal.
/// Blank lines and list items stay.
fn reflow(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = line.trim();
        let begins_anew = line.is_empty() || line.starts_with("- ") || out.is_empty() || out.ends_with('\n');
        if !begins_anew {
            // Chinese has no blanks between words, nor at the end of a line.
            let wide = |c: Option<char>| c.is_some_and(|c| c.width() == Some(2));
            if !wide(out.chars().last()) && !wide(line.chars().next()) {
                out.push(' ');
            }
        } else if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(line);
        if line.is_empty() {
            out.push('\n');
        }
    }
    out
}

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

/// Jinja for a reader: values in angle brackets without their filters, no control statements.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find(['{']) {
        out.push_str(&rest[..open]);
        let after = &rest[open..];
        let (close, value) = if after.starts_with("{{") {
            ("}}", true)
        } else if after.starts_with("{%") {
            ("%}", false)
        } else {
            out.push('{');
            rest = &after[1..];
            continue;
        };
        let Some(end) = after.find(close) else { break };
        if value {
            out.push_str(&plain_expression(&after[2..end]));
        } else {
            out.push('/');
        }
        rest = &after[end + 2..];
    }
    out.push_str(rest);
    out
}

/// `node.name|shell` becomes `<node.name>`, `'a' if x else 'b'` becomes `a / b`.
fn plain_expression(expression: &str) -> String {
    if let Some((yes, rest)) = expression.split_once(" if ")
        && let Some((_, no)) = rest.split_once(" else ")
    {
        let choices: Vec<String> =
            [yes, no].into_iter().map(plain_expression).filter(|choice| !choice.is_empty()).collect();
        return choices.join(" / ");
    }
    let bare = expression.split('|').next().unwrap_or_default().trim();
    match bare.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(text) if !text.contains('\'') => text.to_owned(),
        _ => format!("<{}>", bare.trim_matches(['(', ')'])),
    }
}

/// An outcome as the data spell it.
fn word(outcome: Outcome) -> String {
    serde_json::to_value(outcome).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_read_without_knowing_jinja() {
        for (template, expected) in [
            ("{{ node.name }} refuses", "<node.name> refuses"),
            ("ping {{ node.address.host|shell }}", "ping <node.address.host>"),
            (
                "a {{ 'double master' if node.x == 'y' else 'master' }} refuses",
                "a double master / master refuses",
            ),
            ("{% if x %}yes{% else %}no{% endif %}", "/yes/no/"),
            ("no { braces", "no { braces"),
        ] {
            assert_eq!(plain(template), expected);
        }
    }

    #[test]
    fn paragraphs_are_joined_and_lists_are_kept() {
        assert_eq!(reflow("a\nb\n\nc:\n- d\n- e\nf"), "a b\n\nc:\n- d\n- e f");
        assert_eq!(reflow("中\n文"), "中文");
    }
}
