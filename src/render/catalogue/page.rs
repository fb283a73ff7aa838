//! `explain`: the page of a check.

use std::fmt::Write as _;

use anstyle::Style;

use super::plain::{Plain, reflow};
use crate::model::check::{Appendix, Check, CheckFile, StateRule, Status, Target};
use crate::model::knowledge::Knowledge;
use crate::model::release::Version;
use crate::model::text::{Bilingual, Language, Template};
use crate::render::i18n::pick;
use crate::render::options::RenderOptions;
use crate::render::words::state as state_word;
use crate::render::wrap::wrap;

/// Writes `explain`.
pub struct Page<'k> {
    /// What is known about Pika.
    pub knowledge: &'k Knowledge,
    /// The language of the page.
    pub language: Language,
    /// Its width.
    pub look: RenderOptions,
}

impl<'k> Page<'k> {
    /// Everything about a check; with `release`, only what concerns that release.
    pub fn explain(&self, check: &Check, release: Option<Version>) -> String {
        let mut out = String::new();
        let file = &check.file;
        let _ = writeln!(out, "{}", self.bold(&check.id));
        let ok_means = pick(self.language, "ok means: ", "正常的含义：");
        self.wrap(&mut out, 0, &format!("{ok_means}{}", self.template(&file.title)));
        self.history(&mut out, file);
        out.push('\n');

        self.heading(&mut out, "Why it matters", "为什么重要");
        self.wrap(&mut out, 2, &reflow(&self.template(&file.why)));
        out.push('\n');

        self.heading(&mut out, "When it applies", "何时适用");
        let target = self.target(file.target);
        let plain = self.plain(file);
        match (&file.when, &file.not_applicable) {
            (Some(when), otherwise) => {
                self.wrap(
                    &mut out,
                    2,
                    &format!(
                        "{target}, {} {}",
                        pick(self.language, "if", "条件是"),
                        plain.condition(&when.text)
                    ),
                );
                if let Some(otherwise) = otherwise {
                    let text = format!(
                        "{}: {}",
                        pick(self.language, "otherwise", "否则"),
                        plain.text(otherwise.get(self.language).text.trim())
                    );
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
                self.cases(&mut out, file);
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

    fn cases(&self, out: &mut String, file: &CheckFile) {
        for case in &file.cases {
            let plain = self.plain(file).within(&case.bindings);
            let states = match &case.state {
                StateRule::Fixed(state) => vec![*state],
                StateRule::Expression(source) => plain.states(&source.text),
            };
            let states: Vec<&str> =
                states.into_iter().map(|state| state_word(state, self.language)).collect();
            let _ = writeln!(out, "  {}", self.bold(&states.join(pick(self.language, " or ", " 或 "))));
            let text = |template: &Template| plain.text(template.get(self.language).text.trim());
            if let Some(found) = &case.found {
                self.wrap(out, 4, &text(found));
            }
            if let Some(needed) = &case.needed {
                let label = pick(self.language, "needed: ", "应为：");
                self.wrap(out, 4, &format!("{label}{}", text(needed)));
            }
            if let Some(fix) = &case.fix {
                let label = pick(self.language, "fix: ", "处理：");
                self.wrap(out, 4, &format!("{label}{}", text(fix)));
            }
            out.push('\n');
        }
    }

    /// Since when it is there, what may become of it, and what it was called.
    fn history(&self, out: &mut String, file: &CheckFile) {
        let status = match file.status {
            Status::Stable => None,
            Status::Preview => Some(pick(
                self.language,
                "preview: what it means may change in the next release",
                "预览：其含义可能在下一版本中改变",
            )),
            Status::Deprecated => Some(pick(
                self.language,
                "deprecated: it goes in one of the next releases",
                "已弃用：将在后续版本中移除",
            )),
        };
        if let Some(status) = status {
            self.wrap(out, 0, status);
        }
        if let Some(since) = &file.since {
            self.wrap(out, 0, &format!("{}{since}", pick(self.language, "since: ", "始于：")));
        }
        if !file.renamed_from.is_empty() {
            let ids = file.renamed_from.join(", ");
            self.wrap(out, 0, &format!("{}{ids}", pick(self.language, "was called: ", "曾用名：")));
        }
    }

    fn plain<'c>(&self, file: &'c CheckFile) -> Plain<'c>
    where
        'k: 'c,
    {
        Plain::new(&file.bindings, self.knowledge, self.language)
    }

    fn target(&self, target: Target) -> &'static str {
        match target {
            Target::Node => pick(self.language, "for each server", "对每台服务器"),
            Target::Conf => pick(self.language, "for each pika.conf", "对每个 pika.conf"),
            Target::Link => pick(self.language, "for each replication link", "对每条主从链路"),
            Target::Pair => pick(self.language, "for each double master", "对每组双主"),
            Target::Log => pick(self.language, "for each log", "对每份日志"),
            Target::Drift => {
                pick(self.language, "for each server with its pika.conf", "对每台服务器及其 pika.conf")
            }
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
            Target::Companion => pick(
                self.language,
                "for each dashboard.toml, proxy.toml and sentinel.conf",
                "对每个 dashboard.toml、proxy.toml 和 sentinel.conf",
            ),
            Target::Sentinel => pick(self.language, "for each Sentinel", "对每个 Sentinel"),
            Target::Watched => pick(
                self.language,
                "for each master name that Sentinels watch",
                "对 Sentinel 监控的每个主库名",
            ),
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
            Appendix::Messages => self.messages(out, release),
        }
    }

    pub(super) fn say<'t>(&self, text: &'t Bilingual) -> &'t str {
        text.get(self.language)
    }

    /// A template for reading: `{{ node.name }}` becomes `<node.name>`.
    fn template(&self, template: &Template) -> String {
        self.plain_text(template.get(self.language).text.trim())
    }

    /// The same for a text of the knowledge.
    pub(super) fn plain_text(&self, text: &str) -> String {
        Plain::new(&[], self.knowledge, self.language).text(text)
    }

    pub(super) fn heading(&self, out: &mut String, en: &'static str, zh: &'static str) {
        let _ = writeln!(out, "{}", self.bold(pick(self.language, en, zh)));
    }

    pub(super) fn bold(&self, text: &str) -> String {
        let bold = Style::new().bold();
        if self.look.color { format!("{bold}{text}{bold:#}") } else { text.to_owned() }
    }

    pub(super) fn wrap(&self, out: &mut String, indent: usize, text: &str) {
        let blank = " ".repeat(indent);
        for line in text.lines() {
            // The lines of a list item stand below its text.
            let hang = " ".repeat(indent + if line.starts_with("- ") { 2 } else { 0 });
            for wrapped in wrap(line, self.look.width, &blank, &hang) {
                let _ = writeln!(out, "{}", wrapped.trim_end());
            }
        }
    }
}
