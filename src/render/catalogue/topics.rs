//! `explain` of what is no check.

use std::fmt::Write as _;

use super::page::Page;
use crate::i18n::texts;
use crate::model::release::{Releases, Version};
use crate::model::topics::{CopyBegins, Topic};

impl Page<'_> {
    /// Everything about a topic; with `release`, only what concerns that release.
    pub fn topic(&self, topic: &Topic, release: Option<Version>) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{}", self.bold(&topic.id));
        self.wrap(&mut out, 0, self.say(&topic.title));
        out.push('\n');
        for paragraph in &topic.about {
            let concerns = |releases: &Releases| release.is_none_or(|release| releases.contains(release));
            if !paragraph.releases.as_ref().is_none_or(concerns) {
                continue;
            }
            if let Some(releases) = &paragraph.releases {
                self.wrap(&mut out, 2, &self.bold(&releases.to_string()));
            }
            self.wrap(&mut out, 2, self.say(&paragraph.text).trim());
            out.push('\n');
        }
        if let Some(appendix) = topic.appendix {
            self.appendix(&mut out, appendix, release);
        }
        if !topic.checks.is_empty() {
            self.heading(&mut out, texts::HEADING_CHECKS);
            for check in &topic.checks {
                self.wrap(&mut out, 2, &format!("pikadoctor explain {check}"));
            }
            out.push('\n');
        }
        self.heading(&mut out, texts::HEADING_REFERENCES);
        for source in &topic.source {
            self.wrap(&mut out, 2, &format!("- {source}"));
        }
        out
    }

    /// How a full copy that failed is begun anew.
    pub(super) fn full_copies(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, texts::HEADING_FULL_COPIES);
        for entry in &self.knowledge.full_copies {
            if release.is_some_and(|release| !entry.releases.contains(release)) {
                continue;
            }
            out.push('\n');
            self.wrap(out, 2, &self.bold(&format!("{}  [{}]", self.say(&entry.title), entry.releases)));
            self.wrap(out, 4, self.say(&entry.stays).trim());
            let begins = match entry.begins {
                CopyBegins::ByItself => texts::COPY_BY_ITSELF,
                CopyBegins::SlaveofAgain => texts::COPY_SLAVEOF_AGAIN,
                CopyBegins::Slaveof => texts::COPY_SLAVEOF,
                CopyBegins::RestartReplica => texts::COPY_RESTART_REPLICA,
                CopyBegins::RestartMaster => texts::COPY_RESTART_MASTER,
            };
            self.wrap(out, 4, begins.get(self.language));
            if let Some(note) = &entry.note {
                self.wrap(out, 4, self.say(note).trim());
            }
            self.wrap(out, 4, &format!("({})", entry.source));
        }
        out.push('\n');
    }
}
