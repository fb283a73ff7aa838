//! For a person at a terminal: worst first, one block a problem, nothing about what is fine but a count.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use super::causes::{StandingCause, causes, follows_from, standing};
use super::remedy::{MendLine, mend_lines};
use super::words::{accepted, counts, gate as gate_words, seen, state as state_word};
use super::wrap::wrap;
use crate::i18n::texts;
use crate::model::exit;
use crate::model::finding::{Finding, Gate, Problem, Report, State, Verdict};
use crate::model::text::{Language, escape_control};
use crate::render::options::RenderOptions;

/// What a forecast is asked for.
const FORECAST: &str = "link/forecast";

/// Where the text of a block begins.
const INDENT: usize = 10;

/// The report for a person.
pub fn render(report: &Report, look: RenderOptions) -> String {
    let mut page = Page { out: String::new(), look, language: report.language };
    let causes = causes(report);
    let shown = |cause: &&StandingCause<'_>| look.shows(cause.worst());
    for cause in causes.iter().filter(shown).filter(|cause| !cause.finding.problems.is_empty()) {
        page.cause(cause);
    }
    let lacking = causes.iter().filter(shown).filter(|cause| cause.finding.problems.is_empty());
    page.unknowns(&lacking.map(|cause| cause.finding).collect::<Vec<_>>());
    // What is as it should be, where somebody asks for it.
    let is_other = |finding: &&Finding| {
        !finding.state.matters() && (look.shows(finding.state) || look.always == Some(finding.check.as_str()))
    };
    let mut others: Vec<&Finding> = report.findings.iter().filter(is_other).collect();
    others.sort_by_key(|finding| report.findings.iter().position(|it| it.target == finding.target));
    page.others(&others);
    page.summary(report);
    page.next(&causes);
    let body = std::mem::take(&mut page.out);
    page.header(report);
    page.verdict(report, &causes);
    if body.contains("redis-cli ") && needs_password(report) {
        let first = texts::PASSWORD_FIRST.get(page.language);
        let _ = writeln!(page.out, "  {first}\n    export REDISCLI_AUTH='…'\n");
    }
    page.out + &body
}

/// Whether a server is known to want a password from clients.
fn needs_password(report: &Report) -> bool {
    let configs = report.facts.nodes.iter().filter_map(|node| node.config.as_ref());
    configs.filter_map(|config| config.get("requirepass")).any(|password| !password.is_empty())
}

struct Page {
    out: String,
    look: RenderOptions,
    language: Language,
}

impl Page {
    fn header(&mut self, report: &Report) {
        let _ = writeln!(self.out, "pikadoctor {}", report.tool_version);
        for line in seen(&report.facts, self.language) {
            let _ = writeln!(self.out, "  {}", escape_control(&line));
        }
        self.out.push('\n');
    }

    /// A cause, and a line about what follows from it; everything that follows, where somebody asks for more.
    fn cause(&mut self, cause: &StandingCause<'_>) {
        self.finding(cause.finding, cause.consequences_line(self.language));
        if self.look.verbose() {
            for finding in &cause.consequences {
                self.finding(finding, None);
            }
        }
    }

    /// GO or NO-GO of a gate or a forecast, and what holds it back.
    fn verdict(&mut self, report: &Report, causes: &[StandingCause<'_>]) {
        let verdict = match &report.gate {
            Some(gate) => gate.verdict,
            None if self.look.always != Some(FORECAST) => return,
            None if report.exit_code == exit::OK => Verdict::Go,
            None => Verdict::NoGo,
        };
        let holds = causes.iter().filter(|cause| self.look.fails(cause.worst()));
        let names: Vec<&str> = holds.map(|cause| cause.finding.check.as_str()).collect();
        let word = self.word(verdict);
        let text = match names.as_slice() {
            [] => texts::GATE_HELD_BY_NOTHING.get(self.language).to_owned(),
            names => texts::gate_held_by(self.language, names.join(texts::COMMA.get(self.language))),
        };
        self.paragraph(0, &format!("{word}  "), &text);
        self.out.push('\n');
    }

    /// What is as it should be, by target: its name stands at the first of a group.
    fn others(&mut self, others: &[&Finding]) {
        let mut target = None;
        for finding in others {
            let previous = target.replace(finding.target.as_str());
            let is_new = previous != Some(&finding.target);
            if is_new && previous.is_some() && !self.out.ends_with("\n\n") {
                self.out.push('\n');
            }
            self.body(finding, None, if is_new { &finding.target } else { "" });
        }
        if !others.is_empty() {
            self.out.push('\n');
        }
    }

    fn finding(&mut self, finding: &Finding, therefore: Option<String>) {
        self.body(finding, therefore, &finding.target);
        self.out.push('\n');
    }

    fn body(&mut self, finding: &Finding, therefore: Option<String>, target: &str) {
        self.heading(finding.state, &finding.check, target);
        // The title says what should be true; beside a problem it would read as if it were, and
        // beside what is fine it says nothing new.
        if let Some(accepted) = accepted(finding, self.language) {
            self.paragraph(INDENT, "", &accepted);
        }
        if let Some(from) = follows_from(&finding.explained_by, self.language) {
            self.paragraph(INDENT, "", &from);
        }
        if !finding.note.is_empty() {
            self.paragraph(INDENT, "", &finding.note);
        }
        let problems = standing(finding);
        for (index, problem) in problems.iter().enumerate() {
            self.problem(problem);
            // What mends several problems alike is said once, behind the last of them.
            let is_next_alike = problems
                .get(index + 1)
                .is_some_and(|next| (&next.fix, &next.remedies) == (&problem.fix, &problem.remedies));
            if finding.explained_by.is_empty() && !is_next_alike {
                self.mend(problem);
            }
        }
        if let Some(findings) = therefore {
            self.paragraph(INDENT, "", &texts::therefore(self.language, findings));
        }
        if matches!(finding.state, State::Critical | State::Warning) && finding.explained_by.is_empty() {
            self.labelled(
                texts::LABEL_MORE.get(self.language),
                &format!("pikadoctor explain {}", finding.check),
            );
        }
    }

    fn problem(&mut self, problem: &Problem) {
        if let Some(place) = &problem.place {
            self.labelled(texts::LABEL_AT.get(self.language), &place.to_string());
        }
        self.labelled(texts::LABEL_FOUND.get(self.language), &problem.found);
        if let Some(needed) = &problem.needed {
            self.labelled(texts::LABEL_NEEDED.get(self.language), needed);
        }
        for (index, possible) in problem.possible.iter().enumerate() {
            let number = format!("{}. ", index + 1);
            let blank = " ".repeat(number.len());
            let cause = format!("{number}{}", possible.cause);
            if index == 0 {
                self.labelled(texts::LABEL_POSSIBLE.get(self.language), &cause);
            } else {
                self.paragraph(INDENT, "", &cause);
            }
            if let Some(what) = &possible.speaks_for {
                self.paragraph(INDENT, "", &format!("{blank}{}", texts::speaks_for(self.language, what)));
            }
            let look = texts::look_on(self.language, &possible.look.on);
            self.paragraph(INDENT, "", &format!("{blank}{look}"));
            self.code(&possible.look.run);
        }
    }

    fn code(&mut self, code: &str) {
        let code = self.styled(&escape_control(code), Style::new().bold());
        let _ = writeln!(self.out, "{}   {code}", " ".repeat(INDENT));
    }

    /// What mends it. A command stands alone on its line, and whole however long it is.
    fn mend(&mut self, problem: &Problem) {
        for (index, line) in mend_lines(problem, self.language).into_iter().enumerate() {
            match line {
                MendLine::Text(text) if index == 0 => {
                    self.labelled(texts::LABEL_FIX.get(self.language), &text);
                }
                MendLine::Text(text) => self.paragraph(INDENT, "", &text),
                MendLine::Code(code) => self.code(&code),
            }
        }
    }

    /// `STATE     check                    target`, the target on the right where there is room.
    fn heading(&mut self, state: State, check: &str, target: &str) {
        let word = state_word(state, self.language);
        let target = escape_control(target);
        let gap = self
            .look
            .width
            .saturating_sub(INDENT.max(word.width() + 1) + check.width() + target.width())
            .max(2);
        let word_gap = INDENT.saturating_sub(word.width()).max(1);
        let styled = self.styled(word, style_of(state));
        let check = self.styled(check, Style::new().bold());
        let line = format!("{styled}{}{check}{}{target}", " ".repeat(word_gap), " ".repeat(gap));
        let _ = writeln!(self.out, "{}", line.trim_end());
    }

    fn labelled(&mut self, label: &str, text: &str) {
        let padded = format!("  {label}{}", " ".repeat(INDENT.saturating_sub(2 + label.width()).max(1)));
        let styled = self.styled(label, Style::new().dimmed());
        let shown = padded.replacen(label, &styled, 1);
        self.paragraph(INDENT, &shown, text);
    }

    /// Wraps every line of `text`; its own line breaks stay. `first` stands before the first line.
    fn paragraph(&mut self, indent: usize, first: &str, text: &str) {
        let blank = " ".repeat(indent);
        let width = self.look.width.saturating_sub(indent).max(20);
        for (index, line) in text.lines().enumerate() {
            // A numbered or indented line goes on below its own text.
            let hang = line.len() - line.trim_start().len() + list_marker(line.trim_start());
            let line = escape_control(line);
            for (wrapped_index, wrapped) in
                wrap(&line, width, "", &blank[..hang.min(indent)]).iter().enumerate()
            {
                let start =
                    if index == 0 && wrapped_index == 0 && !first.is_empty() { first } else { &blank };
                let _ = writeln!(self.out, "{}", format!("{start}{wrapped}").trim_end());
            }
        }
    }

    /// Checks that could not be answered, gathered by the reason: one lost connection has many children.
    fn unknowns(&mut self, findings: &[&Finding]) {
        let mut groups: Vec<(String, &str, Vec<&Finding>)> = Vec::new();
        for finding in findings {
            // The path before the reason differs from check to check; the reason itself is what is shared.
            let reason =
                finding.note.split_once(": ").map_or(finding.note.as_str(), |(_, reason)| reason).to_owned();
            match groups.iter_mut().find(|(known, target, _)| *known == reason && *target == finding.target) {
                Some((_, _, group)) => group.push(finding),
                None => groups.push((reason, &finding.target, vec![finding])),
            }
        }
        for (reason, target, group) in groups {
            match group.as_slice() {
                [one] => {
                    self.heading(State::Unknown, &one.check, target);
                    self.labelled(texts::LABEL_CHECK.get(self.language), &one.title);
                    self.labelled(texts::LABEL_REASON.get(self.language), &one.note);
                }
                many => {
                    let count = texts::count_checks(self.language, many.len());
                    self.heading(State::Unknown, &count, target);
                    self.labelled(texts::LABEL_REASON.get(self.language), &reason);
                    if self.look.verbose() {
                        let ids: Vec<&str> = many.iter().map(|finding| finding.check.as_str()).collect();
                        self.labelled(texts::LABEL_CHECKS.get(self.language), &ids.join(", "));
                    }
                }
            }
            self.out.push('\n');
        }
    }

    fn summary(&mut self, report: &Report) {
        self.paragraph(0, "", &counts(report));
        // What was skipped for want of access is said, so that nobody takes it for ok.
        let mut reasons: Vec<&str> = Vec::new();
        for finding in report.findings.iter().filter(|finding| finding.state == State::Skipped) {
            let reason = finding.note.split_once(": ").map_or(finding.note.as_str(), |(_, reason)| reason);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        if !reasons.is_empty() {
            let label = texts::SKIPPED_BECAUSE.get(self.language);
            // At the left edge a line of its own would look like one of this program.
            self.paragraph(0, "", &format!("{label}{}", escape_control(&reasons.join("; "))));
        }
        // Neither is what is waived: one line each, so that nobody forgets that it is there.
        for finding in report.findings.iter().filter(|finding| finding.state == State::Waived) {
            let accepted = accepted(finding, self.language).unwrap_or_default();
            let line = format!("{} {}: {accepted}", finding.check, finding.target);
            self.paragraph(2, "", &escape_control(&line));
        }
        if let Some(gate) = &report.gate {
            self.gate(gate);
        }
        let (word, meaning) = match report.exit_code {
            exit::OK => ("OK", ""),
            exit::WARNING => ("WARNING", texts::EXIT_WARNING.get(self.language)),
            exit::CRITICAL => ("CRITICAL", texts::EXIT_CRITICAL.get(self.language)),
            _ => ("UNKNOWN", texts::EXIT_UNKNOWN.get(self.language)),
        };
        let styled = self.styled(word, style_of(report.state).bold());
        let exit = texts::EXIT_CODE.get(self.language);
        let _ = writeln!(self.out, "{styled}  {exit} {}{meaning}", report.exit_code);
    }

    /// The last line: what to do next.
    fn next(&mut self, causes: &[StandingCause<'_>]) {
        let Some(StandingCause { finding, .. }) = causes.first() else { return };
        let (language, target) = (self.language, escape_control(&finding.target));
        let problems = standing(finding);
        let line = if problems.iter().any(|problem| !problem.possible.is_empty()) {
            texts::next_look(language, &finding.check, target)
        } else if problems.iter().all(|problem| problem.may_pass) && finding.state == State::Warning {
            texts::next_wait(language, &finding.check, target)
        } else {
            texts::next_fix(language, &finding.check, target)
        };
        self.paragraph(0, "", &line);
    }

    fn gate(&mut self, gate: &Gate) {
        let word = self.word(gate.verdict);
        let _ = writeln!(self.out, "{word}  {}", gate_words(gate, self.language));
    }

    fn word(&self, verdict: Verdict) -> String {
        let (word, color) = match verdict {
            Verdict::Go => ("GO", AnsiColor::Green),
            Verdict::NoGo => ("NO-GO", AnsiColor::Red),
        };
        self.styled(word, Style::new().fg_color(Some(color.into())).bold())
    }

    fn styled(&self, text: &str, style: Style) -> String {
        if self.look.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// How far the text of `1. …` or `- …` is indented.
fn list_marker(line: &str) -> usize {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && line[digits..].starts_with(". ") {
        digits + 2
    } else if line.starts_with("- ") {
        2
    } else {
        0
    }
}

fn style_of(state: State) -> Style {
    let color = match state {
        State::Critical => AnsiColor::Red,
        State::Unknown => AnsiColor::Magenta,
        State::Warning => AnsiColor::Yellow,
        State::Ok => AnsiColor::Green,
        State::Waived => AnsiColor::Cyan,
        State::Skipped | State::NotApplicable => AnsiColor::BrightBlack,
    };
    Style::new().fg_color(Some(color.into())).bold()
}
