//! What mends a problem, as lines: sentences may be wrapped, commands and lines of files never are.

use crate::i18n::texts;
use crate::model::finding::Problem;
use crate::model::remedy::{Action, Remedy, RemedyStep, Where};
use crate::model::text::Language;

/// A line of what mends a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MendLine {
    /// A sentence.
    Text(String),
    /// A command, or a line of a file: to be copied whole.
    Code(String),
}

/// What mends a problem: the sentence of the check, and the steps of the remedy that is advised.
pub fn mend_lines(problem: &Problem, language: Language) -> Vec<MendLine> {
    let fix = problem.fix.iter().flat_map(|fix| fix.lines()).map(|line| MendLine::Text(line.to_owned()));
    fix.chain(problem.remedies.first().into_iter().flat_map(|remedy| lines(remedy, language))).collect()
}

/// The same as one text. None: nothing is advised.
pub fn mend_text(problem: &Problem, language: Language) -> Option<String> {
    let lines = mend_lines(problem, language);
    let plain = lines.into_iter().map(|line| match line {
        MendLine::Text(text) => text,
        MendLine::Code(code) => format!("   {code}"),
    });
    let text = plain.collect::<Vec<_>>().join("\n");
    (!text.is_empty()).then_some(text)
}

/// A remedy: what it is and costs, and its steps.
pub fn lines(remedy: &Remedy, language: Language) -> Vec<MendLine> {
    let mut lines =
        vec![MendLine::Text(format!("{}{}", remedy.title, texts::COLON.get(language).trim_end()))];
    let costs = [remedy.loses.text.as_str(), remedy.clients.as_str()];
    let costs = costs.into_iter().filter(|cost| !cost.is_empty());
    lines.extend(
        costs.chain(remedy.before.iter().map(String::as_str)).map(|text| MendLine::Text(format!("- {text}"))),
    );
    // One step needs no number.
    let is_single = remedy.steps.len() == 1;
    for (index, step) in remedy.steps.iter().enumerate() {
        let number = if is_single { String::new() } else { format!("{}. ", index + 1) };
        lines.extend(step_lines(step, &number, language));
    }
    lines
}

/// A step; `number` stands in front of it.
pub fn step_lines(step: &RemedyStep, number: &str, language: Language) -> Vec<MendLine> {
    let code: Vec<String> = step.action.command().into_iter().chain(step.action.line()).collect();
    let is_edit = matches!(step.action, Action::Edit { .. });
    let on = match step.action.place() {
        Some(Where { host: Some(host), .. }) if !is_edit && !code.is_empty() => {
            texts::on_host(language, host)
        }
        _ => String::new(),
    };
    let end = if code.is_empty() { "" } else { texts::COLON.get(language).trim_end() };
    let mut lines = vec![MendLine::Text(format!("{number}{}{on}{end}", step.says))];
    // A line that is taken out has been named.
    let is_removal = matches!(step.action, Action::Edit { value: None, .. });
    if is_removal {
        lines[0] = MendLine::Text(format!("{number}{}", step.says));
    } else {
        lines.extend(code.into_iter().map(MendLine::Code));
    }
    let until = match &step.action {
        Action::Wait { shows: Some(text), .. } => Some(texts::until_shows(language, text)),
        Action::Wait { lacks: Some(text), .. } => Some(texts::until_lacks(language, text)),
        Action::Run { reply: Some(reply), .. } if reply != "OK" => Some(texts::it_replies(language, reply)),
        _ => None,
    };
    lines.extend(until.map(|until| MendLine::Text(format!("   {until}"))));
    lines
}
