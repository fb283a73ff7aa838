//! Findings that somebody answers for until a day. Pure.

use jiff::civil::Date;

use crate::i18n::texts;
use crate::model::facts::Facts;
use crate::model::finding::{Acceptance, AcceptedBy, Finding, State};
use crate::model::text::Language;

/// A finding that is accepted for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The check.
    pub check: String,
    /// The names of targets that it is for; `*` is anything, `?` one character.
    pub target: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds, UTC.
    pub expires: Date,
    /// Where it is written: `FILE:LINE:COLUMN`.
    pub place: String,
}

/// Marks what is waived, and what was until a day before `today`. Returns a remark for each waiver that nothing
/// needs.
pub fn waive(
    waivers: &[Waiver],
    findings: &mut [Finding],
    today: Date,
    facts: &Facts,
    language: Language,
) -> Vec<String> {
    let mut remarks = Vec::new();
    for waiver in waivers {
        let expired = today > waiver.expires;
        let mut used = false;
        for finding in findings.iter_mut().filter(|finding| finding.check == waiver.check) {
            let meant = std::iter::once(finding.target.clone())
                .chain(name_in_plan(&finding.target, facts))
                .any(|name| matches(&waiver.target, &name));
            let accepted_already = finding.accepted.as_ref().is_some_and(|accepted| !accepted.expired);
            if !meant || !finding.state.matters() || accepted_already {
                // One that has expired is of no use where another one holds.
                used |= meant && accepted_already && !expired;
                continue;
            }
            used = true;
            finding.accepted = Some(Acceptance {
                state: finding.state,
                by: AcceptedBy::Waiver,
                place: waiver.place.clone(),
                reason: Some(waiver.reason.clone()),
                owner: Some(waiver.owner.clone()),
                expires: Some(waiver.expires.to_string()),
                expired,
            });
            if !expired {
                finding.state = State::Waived;
            }
        }
        let (place, check, target) = (&waiver.place, &waiver.check, &waiver.target);
        let (owner, last_day) = (&waiver.owner, waiver.expires);
        match (used, expired) {
            (true, true) => {
                remarks.push(texts::waiver_expired(language, place, check, target, owner, last_day));
            }
            (false, _) => remarks.push(texts::waiver_not_needed(language, place, check, target)),
            (true, false) => {}
        }
    }
    remarks
}

/// What the plan calls a server or a link that findings call by its address.
fn name_in_plan(target: &str, facts: &Facts) -> Option<String> {
    let name = |node: &str| Some(facts.node(node)?.planned.as_ref()?.name.clone());
    if let Some(link) = facts.links.iter().find(|link| link.name == target) {
        return Some(format!("{} <- {}", name(&link.replica)?, name(&link.master)?));
    }
    if let Some(pair) = facts.pairs.iter().find(|pair| pair.name == target) {
        return Some(format!("{} <-> {}", name(&pair.a)?, name(&pair.b)?));
    }
    name(target)
}

/// Whether `name` is what `pattern` says. `*` is any number of characters, `?` is one.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // The place to go on from when what follows the last `*` does not fit.
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == name[n]) {
            p += 1;
            n += 1;
        } else if let Some((star_at, taken)) = star {
            p = star_at + 1;
            n = taken + 1;
            star = Some((star_at, taken + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "10.0.0.1:9221", true),
            ("10.0.0.?:9221", "10.0.0.1:9221", true),
            ("10.0.0.?:9221", "10.0.0.12:9221", false),
            ("10.*:9221", "10.0.0.1:9221", true),
            ("10.*:9221", "10.0.0.1:9222", false),
            ("* <- *:9221", "a:1 <- b:9221", true),
            ("**a*", "bab", true),
            ("a", "ab", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
