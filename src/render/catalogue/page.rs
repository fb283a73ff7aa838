//! `explain`: the page of a check.

use std::fmt::Write as _;

use anstyle::Style;

use super::plain::{Plain, reflow};
use crate::i18n::texts;
use crate::model::check::{Appendix, Check, CheckFile, RemedyChoice, StateRule, Status, Target};
use crate::model::knowledge::Knowledge;
use crate::model::release::Version;
use crate::model::text::{Bilingual, Language, Template, Words};
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
        let ok_means = texts::PAGE_OK_MEANS.get(self.language);
        self.wrap(&mut out, 0, &format!("{ok_means}{}", self.template(&file.title)));
        self.history(&mut out, file);
        out.push('\n');

        self.heading(&mut out, texts::HEADING_WHY);
        self.wrap(&mut out, 2, &reflow(&self.template(&file.why)));
        out.push('\n');

        self.heading(&mut out, texts::HEADING_WHEN);
        let target = self.target(file.target);
        let plain = self.plain(file);
        match (&file.when, &file.not_applicable) {
            (Some(when), otherwise) => {
                self.wrap(
                    &mut out,
                    2,
                    &format!(
                        "{target}, {} {}",
                        texts::PAGE_IF.get(self.language),
                        plain.condition(&when.text)
                    ),
                );
                if let Some(otherwise) = otherwise {
                    let text = format!(
                        "{}: {}",
                        texts::PAGE_OTHERWISE.get(self.language),
                        plain.text(otherwise.get(self.language).text.trim())
                    );
                    self.wrap(&mut out, 2, &text);
                }
            }
            (None, _) => self.wrap(&mut out, 2, target),
        }
        out.push('\n');

        if !file.cases.is_empty() {
            self.heading(&mut out, texts::HEADING_CASES);
            if file.looks_at_knowledge() {
                let text = texts::PAGE_OF_TABLE.get(self.language);
                self.wrap(&mut out, 2, text);
                out.push('\n');
            } else {
                self.cases(&mut out, file);
            }
        }

        if !file.params.is_empty() {
            self.heading(&mut out, texts::HEADING_PARAMETERS);
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
            self.heading(&mut out, texts::HEADING_REFERENCES);
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
            let _ = writeln!(out, "  {}", self.bold(&states.join(texts::PAGE_OR.get(self.language))));
            let text = |template: &Template| plain.text(template.get(self.language).text.trim());
            if let Some(found) = &case.found {
                self.wrap(out, 4, &text(found));
            }
            if let Some(needed) = &case.needed {
                let label = texts::PAGE_NEEDED.get(self.language);
                self.wrap(out, 4, &format!("{label}{}", text(needed)));
            }
            if let Some(fix) = &case.fix {
                let label = texts::PAGE_FIX.get(self.language);
                self.wrap(out, 4, &format!("{label}{}", text(fix)));
            }
            self.remedies(out, &case.remedies);
            out.push('\n');
        }
    }

    /// The recipes that a case names, the best first.
    fn remedies(&self, out: &mut String, choice: &RemedyChoice) {
        let RemedyChoice::Named(uses) = choice else { return };
        let known = uses.iter().filter_map(|one| self.knowledge.recipes.get_key_value(&one.recipe.text));
        for (name, recipe) in known {
            let plain = Plain::new(&recipe.bindings, self.knowledge, self.language);
            let title = plain.text(recipe.title.get(self.language).text.trim());
            let label = texts::PAGE_REMEDY.get(self.language);
            self.wrap(out, 4, &format!("{label}{title} ({name})"));
        }
    }

    /// Since when it is there, what may become of it, and what it was called.
    fn history(&self, out: &mut String, file: &CheckFile) {
        let status = match file.status {
            Status::Stable => None,
            Status::Preview => Some(texts::PAGE_PREVIEW.get(self.language)),
            Status::Deprecated => Some(texts::PAGE_DEPRECATED.get(self.language)),
        };
        if let Some(status) = status {
            self.wrap(out, 0, status);
        }
        if let Some(since) = &file.since {
            self.wrap(out, 0, &format!("{}{since}", texts::PAGE_SINCE.get(self.language)));
        }
        if !file.renamed_from.is_empty() {
            let ids = file.renamed_from.join(", ");
            self.wrap(out, 0, &format!("{}{ids}", texts::PAGE_WAS_CALLED.get(self.language)));
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
            Target::Node => texts::TARGET_NODE.get(self.language),
            Target::Conf => texts::TARGET_CONF.get(self.language),
            Target::Link => texts::TARGET_LINK.get(self.language),
            Target::Pair => texts::TARGET_PAIR.get(self.language),
            Target::Log => texts::TARGET_LOG.get(self.language),
            Target::Drift => texts::TARGET_DRIFT.get(self.language),
            Target::Verification => texts::TARGET_VERIFICATION.get(self.language),
            Target::PlannedNode => texts::TARGET_PLANNED_NODE.get(self.language),
            Target::PlannedLink => texts::TARGET_PLANNED_LINK.get(self.language),
            Target::Host => texts::TARGET_HOST.get(self.language),
            Target::Instance => texts::TARGET_INSTANCE.get(self.language),
            Target::Coordinator => texts::TARGET_COORDINATOR.get(self.language),
            Target::Product => texts::TARGET_PRODUCT.get(self.language),
            Target::Codis => texts::TARGET_CODIS.get(self.language),
            Target::Backend => texts::TARGET_BACKEND.get(self.language),
            Target::Companion => texts::TARGET_COMPANION.get(self.language),
            Target::Sentinel => texts::TARGET_SENTINEL.get(self.language),
            Target::Watched => texts::TARGET_WATCHED.get(self.language),
        }
    }

    pub(super) fn appendix(&self, out: &mut String, appendix: Appendix, release: Option<Version>) {
        match appendix {
            Appendix::Defects => self.defects(out, release),
            Appendix::SettingFaults => self.setting_faults(out, release),
            Appendix::ConfigKeys => self.config_keys(out, release),
            Appendix::Dialects => self.dialects(out, release),
            Appendix::LinkStates => self.link_states(out, release),
            Appendix::Releases => self.releases(out, release),
            Appendix::Ports => self.ports(out, release),
            Appendix::Messages => self.messages(out, release),
            Appendix::FullCopies => self.full_copies(out, release),
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

    pub(super) fn heading(&self, out: &mut String, text: Words) {
        let _ = writeln!(out, "{}", self.bold(text.get(self.language)));
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
