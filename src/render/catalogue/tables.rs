//! What is known about Pika, as the tables at the end of a page.

use std::fmt::Write as _;

use super::page::Page;
use crate::i18n::texts;
use crate::model::finding::State;
use crate::model::knowledge::{Bind, Defect, Impact, PortOpen};
use crate::model::link::Outcome;
use crate::model::messages::MessageRule;
use crate::model::node::Evidence;
use crate::model::release::{Releases, Version};
use crate::model::text::Bilingual;
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
        let title = match release {
            Some(release) => texts::defects_of_release(self.language, release, defects.len()),
            None => texts::defects_of_all(self.language, defects.len()),
        };
        let _ = writeln!(out, "{}", self.bold(&title));
        for defect in defects {
            out.push('\n');
            let impact = self.impact(defect.impact);
            self.wrap(out, 2, &self.bold(&format!("{}  [{impact}]", self.say(&defect.title))));
            self.wrap(out, 4, &format!("{} {}", self.say(&defect.effect), self.say(&defect.matters)));
            if let Some(workaround) = &defect.workaround {
                let label = texts::DEFECT_WORKAROUND.get(self.language);
                self.wrap(out, 4, &format!("{label}{}", self.say(workaround)));
            }
            let fixed = if defect.fixed_in.is_empty() {
                texts::DEFECT_NOT_MENDED.get(self.language).to_owned()
            } else {
                let fixed: Vec<String> = defect.fixed_in.iter().map(ToString::to_string).collect();
                format!("{} {}", texts::DEFECT_MENDED_IN.get(self.language), fixed.join(", "))
            };
            self.wrap(
                out,
                4,
                &format!("{}: {}; {fixed}", texts::RELEASES.get(self.language), defect.releases),
            );
            let seen = match defect.when {
                Some(_) => texts::DEFECT_SEEN.get(self.language),
                None => texts::DEFECT_NOT_SEEN.get(self.language),
            };
            self.wrap(out, 4, &format!("{}  ({seen}; {})", defect.id, defect.source.join(", ")));
        }
        out.push('\n');
    }

    pub(super) fn setting_faults(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, texts::HEADING_SETTINGS);
        for setting in self.knowledge.settings() {
            for fault in setting.key.rules.iter().filter(|fault| fault.in_answers().is_some()) {
                self.key_rule(
                    out,
                    release,
                    (setting.name, &fault.releases, fault.state),
                    [&fault.found, &fault.needed, &fault.fix],
                );
            }
        }
        out.push('\n');
    }

    pub(super) fn config_keys(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, texts::HEADING_CONFIG_KEYS);
        for key in &self.knowledge.config_keys {
            for rule in key.rules.iter().filter(|rule| rule.in_file().is_some()) {
                self.key_rule(
                    out,
                    release,
                    (&key.name, &rule.releases, rule.state),
                    [&rule.found, &rule.needed, &rule.fix],
                );
            }
            for rule in &key.missing {
                let name = format!("{} {}", key.name, texts::KEY_NOT_THERE.get(self.language));
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
        let label = texts::PAGE_NEEDED.get(self.language);
        self.wrap(out, 4, &format!("{label}{}", self.plain_text(self.say(needed))));
        let label = texts::PAGE_FIX.get(self.language);
        self.wrap(out, 4, &format!("{label}{}", self.plain_text(self.say(fix))));
    }

    pub(super) fn dialects(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, texts::HEADING_DIALECTS);
        for rule in &self.knowledge.dialects.pairs {
            if release
                .is_some_and(|release| !rule.master.contains(release) && !rule.replica.contains(release))
            {
                continue;
            }
            let old = if rule.binlog_type_old == Some(true) { " (identify-binlog-type : old)" } else { "" };
            let (incremental, full) = (word(rule.incremental), word(rule.full));
            let line = texts::dialect(self.language, &rule.master, &rule.replica, old, incremental, full);
            out.push('\n');
            self.wrap(out, 2, &self.bold(&line));
            if let Some(sees) = &rule.sees {
                self.wrap(out, 4, self.say(sees));
            }
            self.wrap(out, 4, &rule.source);
        }
        out.push('\n');
    }

    pub(super) fn link_states(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, texts::HEADING_LINK_STATES);
        for word in &self.knowledge.link_states {
            if release.is_some_and(|release| !word.releases.contains(release)) {
                continue;
            }
            out.push('\n');
            self.wrap(out, 2, &self.bold(&format!("{}: {}  ({})", word.field, word.raw, word.releases)));
            self.wrap(out, 4, &self.plain_text(self.say(&word.meaning)));
            if let Some(fix) = &word.fix {
                let label = texts::PAGE_FIX.get(self.language);
                self.wrap(out, 4, &format!("{label}{}", self.plain_text(self.say(fix))));
            }
        }
        out.push('\n');
    }

    pub(super) fn messages(&self, out: &mut String, release: Option<Version>) {
        self.heading(out, texts::HEADING_MESSAGES);
        let table = &self.knowledge.messages;
        for fault in &table.faults {
            let told = |rule: &&MessageRule| rule.fault.as_ref() == Some(&fault.id);
            let logs = |rule: &&MessageRule, release| {
                rule.releases.as_ref().is_none_or(|releases| releases.contains(release))
            };
            let known = |rule: &&MessageRule| release.is_none_or(|release| logs(rule, release));
            let rules: Vec<&MessageRule> = table.messages.iter().filter(told).filter(known).collect();
            out.push('\n');
            self.wrap(out, 2, &self.bold(&format!("{}  ({})", fault.id, fault.class)));
            self.wrap(out, 4, &self.plain_text(self.say(&fault.cause)));
            for rule in rules {
                // Other programs than Pika have no releases here.
                let who = rule.releases.as_ref().map_or_else(|| rule.id.clone(), ToString::to_string);
                self.wrap(out, 4, &format!("{who}: {}", self.plain_text(&rule.examples.join("; "))));
            }
        }
        self.heading(out, texts::HEADING_RSYNC_EXITS);
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
        self.heading(out, texts::HEADING_GENERATIONS);
        for entry in &self.knowledge.generations {
            if release.is_some_and(|release| !entry.releases.contains(release)) {
                continue;
            }
            self.wrap(out, 2, &format!("{}: {}", entry.releases, self.say(&entry.title)));
        }
        out.push('\n');
        self.upgrades(out, release);
        self.heading(out, texts::RELEASES);
        for (index, tag) in self.knowledge.releases.iter().enumerate() {
            if release.is_some_and(|release| release != tag.version) {
                continue;
            }
            let reports = match tag.reports {
                Some(reports) => format!("  {} {reports}", texts::RELEASE_REPORTS.get(self.language)),
                None => String::new(),
            };
            // The releases are ordered by number, so the last of a line stands before the next line.
            let next = self.knowledge.releases.get(index + 1);
            let ends_line = next.is_none_or(|next| next.version.line() != tag.version.line());
            let last = if ends_line { texts::RELEASE_ENDS_LINE.get(self.language) } else { "" };
            // The tag of some was not to be had.
            let tagged = tag.tagged.as_deref().unwrap_or("-");
            let commit = tag.commit.as_deref().and_then(|commit| commit.get(..8)).unwrap_or("-");
            let known = match tag.evidence {
                Evidence::Run => texts::RELEASE_RUN.get(self.language),
                Evidence::Source => "",
                Evidence::Files => texts::RELEASE_READ_IN_FILES.get(self.language),
            };
            let version = tag.version.to_string();
            let _ = writeln!(out, "  {version:<12} {tagged:<10}  {commit:<8}{known}{reports}{last}");
        }
        out.push('\n');
    }

    fn upgrades(&self, out: &mut String, release: Option<Version>) {
        let concerns = |releases: &Releases| release.is_none_or(|release| releases.contains(release));
        let paths: Vec<_> =
            self.knowledge.upgrades.paths.iter().filter(|path| concerns(&path.from)).collect();
        if !paths.is_empty() {
            self.heading(out, texts::HEADING_UPGRADES);
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
            self.heading(out, texts::HEADING_CONTRADICTIONS);
            for entry in contradictions {
                let but = texts::IN_FACT.get(self.language);
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
        self.heading(out, texts::HEADING_PORTS);
        for entry in &self.knowledge.generations {
            if release.is_some_and(|release| !entry.releases.contains(release)) {
                continue;
            }
            out.push('\n');
            self.wrap(out, 2, &self.bold(&entry.releases.to_string()));
            for rule in &entry.ports {
                let when = match rule.open {
                    PortOpen::Always => texts::PORT_ALWAYS_OPEN.get(self.language),
                    PortOpen::FullSync => texts::PORT_OPEN_IN_FULL_SYNC.get(self.language),
                };
                let bind = match rule.bind {
                    Bind::All => texts::PORT_ON_ALL_ADDRESSES.get(self.language),
                    Bind::NetworkInterface => texts::PORT_ON_NETWORK_INTERFACE.get(self.language),
                };
                let reach = texts::must_reach(self.language, self.say(&rule.dialled_by));
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
            Impact::DataLoss => texts::IMPACT_DATA_LOSS.get(self.language),
            Impact::Divergence => texts::IMPACT_DIVERGENCE.get(self.language),
            Impact::Crash => texts::IMPACT_CRASH.get(self.language),
            Impact::Outage => texts::IMPACT_OUTAGE.get(self.language),
            Impact::Security => texts::IMPACT_SECURITY.get(self.language),
            Impact::WrongAnswer => texts::IMPACT_WRONG_ANSWER.get(self.language),
            Impact::Operations => texts::IMPACT_OPERATIONS.get(self.language),
        }
    }
}

/// An outcome as the data spell it.
fn word(outcome: Outcome) -> String {
    serde_json::to_value(outcome).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
