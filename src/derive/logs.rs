//! Puts messages together into what went wrong: the lines of the master and of the replica about one fault become one
//! trouble.

use std::collections::BTreeMap;

use crate::i18n::reasons;
use crate::model::conf::Place;
use crate::model::knowledge::Knowledge;
use crate::model::logs::{LogEvidence, LogMessage, LogSide, LogSource, LogTrouble, LogView};
use crate::model::messages::{LogFault, MessageRule, Messages};
use crate::model::unavailable::Unavailable;

/// Completes what was read.
pub fn complete(view: &mut LogView, knowledge: &Knowledge) {
    if view.sources.iter().all(|source| source.problem.is_some()) {
        view.unavailable.push(Unavailable::failed("troubles", reasons::no_log_line_read()));
        return;
    }
    view.troubles = Some(troubles(&view.sources, &knowledge.messages));
}

/// A message, whose log it stands in, and its rule.
struct Seen<'s> {
    source: &'s LogSource,
    message: &'s LogMessage,
    rule: &'s MessageRule,
}

fn troubles(sources: &[LogSource], table: &Messages) -> Vec<LogTrouble> {
    let mut by_fault: BTreeMap<usize, Vec<Seen<'_>>> = BTreeMap::new();
    for source in sources {
        for message in &source.messages {
            let Some(rule) = table.messages.iter().find(|rule| rule.id == message.id) else { continue };
            let Some(fault) = fault_of(rule, message, table) else { continue };
            let Some(index) = table.faults.iter().position(|known| known.id == fault) else { continue };
            by_fault.entry(index).or_default().push(Seen { source, message, rule });
        }
    }
    take_in(&mut by_fault, table);
    join_other_ends(&mut by_fault, table);
    let mut troubles: Vec<LogTrouble> =
        by_fault.into_iter().map(|(index, seen)| trouble(&table.faults[index], seen)).collect();
    troubles.sort_by(|a, b| b.last.cmp(&a.last));
    troubles
}

/// Lines of what came before belong to what came of it, where that goes on.
fn take_in(by_fault: &mut BTreeMap<usize, Vec<Seen<'_>>>, table: &Messages) {
    let outcomes: Vec<usize> =
        by_fault.keys().copied().filter(|index| !table.faults[*index].takes_in.is_empty()).collect();
    for outcome in outcomes {
        let fault = &table.faults[outcome];
        if by_fault.get(&outcome).is_some_and(|seen| seen.iter().all(|seen| over(fault, seen).is_some())) {
            continue;
        }
        for id in &fault.takes_in {
            let Some(index) = table.faults.iter().position(|known| known.id == *id) else { continue };
            let lines = by_fault.remove(&index).unwrap_or_default();
            by_fault.entry(outcome).or_default().extend(lines);
        }
    }
}

/// Lines that are but the other end's view of a fault go to that fault, where it goes on.
fn join_other_ends(by_fault: &mut BTreeMap<usize, Vec<Seen<'_>>>, table: &Messages) {
    let goes_on = |fault: &LogFault, seen: &[Seen<'_>]| seen.iter().any(|seen| over(fault, seen).is_none());
    let views: Vec<usize> = by_fault.keys().copied().filter(|index| table.faults[*index].other_end).collect();
    for view in views {
        let fault = &table.faults[view];
        if !by_fault.get(&view).is_some_and(|seen| goes_on(fault, seen)) {
            continue;
        }
        let newest = by_fault
            .iter()
            .filter(|(index, seen)| {
                let other = &table.faults[**index];
                !other.other_end && other.class == fault.class && goes_on(other, seen)
            })
            .max_by_key(|(_, seen)| seen.iter().map(|seen| seen.message.last.clone()).max())
            .map(|(index, _)| *index);
        if let Some(newest) = newest {
            let lines = by_fault.remove(&view).unwrap_or_default();
            by_fault.entry(newest).or_default().extend(lines);
        }
    }
}

/// The fault that a message tells of.
pub fn fault_of<'t>(rule: &'t MessageRule, message: &LogMessage, table: &'t Messages) -> Option<&'t str> {
    let general = rule.fault.as_deref();
    if !rule.by_exit {
        return general;
    }
    let code = message.values.get("status").and_then(|status| exit_code(status));
    let exit = code.and_then(|code| table.rsync_exits.iter().find(|exit| exit.code == code));
    let special = exit.and_then(|exit| match rule.side {
        LogSide::Replica => exit.receiving.as_deref(),
        LogSide::Master | LogSide::Any => exit.sending.as_deref(),
    });
    special.or(general)
}

/// The exit code in a wait status, as `system()` returns it. None when a signal ended the program.
pub fn exit_code(status: &str) -> Option<u32> {
    let status: u32 = status.parse().ok()?;
    let signal = status & 0x7f;
    (signal == 0).then_some((status >> 8) & 0xff)
}

fn trouble(fault: &LogFault, mut seen: Vec<Seen<'_>>) -> LogTrouble {
    seen.sort_by(|a, b| b.message.last.cmp(&a.message.last));
    let mut values = BTreeMap::new();
    for (name, value) in seen.iter().rev().flat_map(|seen| &seen.message.values) {
        values.insert(name.clone(), value.clone());
    }
    let sides = |side| seen.iter().any(|seen| side_of(seen) == side);
    let ends: Vec<Option<&str>> = seen.iter().map(|seen| over(fault, seen)).collect();
    let newest = seen.first();
    LogTrouble {
        fault: fault.id.clone(),
        class: fault.class.clone(),
        recent: seen.iter().map(|seen| seen.message.recent).sum(),
        count: seen.iter().map(|seen| seen.message.count).sum(),
        first: seen.iter().map(|seen| seen.message.first.clone()).min().unwrap_or_default(),
        last: newest.map(|seen| seen.message.last.clone()).unwrap_or_default(),
        // It is over when every line that tells of it has a later one that says so.
        over: ends
            .iter()
            .copied()
            .collect::<Option<Vec<&str>>>()
            .and_then(|ends| ends.into_iter().max())
            .map(str::to_owned),
        both_ends: sides(LogSide::Master) && sides(LogSide::Replica),
        values,
        place: newest.and_then(|seen| {
            let line = seen.message.line_number?;
            Some(Place { file: seen.message.file.clone(), line, column: 1 })
        }),
        evidence: seen.iter().map(evidence).collect(),
    }
}

fn evidence(seen: &Seen<'_>) -> LogEvidence {
    LogEvidence {
        side: side_of(seen),
        message: seen.message.id.clone(),
        recent: seen.message.recent,
        last: seen.message.last.clone(),
        line: seen.message.line.clone(),
        file: seen.message.file.clone(),
    }
}

/// Whose line it is: the log was named as that of an end, or only that end writes such lines.
fn side_of(seen: &Seen<'_>) -> LogSide {
    if seen.source.side == LogSide::Any { seen.rule.side } else { seen.source.side }
}

/// The time of the message after which the trouble is over as far as `seen` tells of it. It stands in the same log,
/// and it must not be about another host: a replica that is well says nothing about one that is not.
fn over<'s>(fault: &LogFault, seen: &Seen<'s>) -> Option<&'s str> {
    let host = |message: &'s LogMessage| message.values.get("host").map(String::as_str);
    seen.source
        .messages
        .iter()
        .filter(|message| fault.over_after.contains(&message.id) && message.last > seen.message.last)
        .filter(|message| host(seen.message).is_none_or(|wanted| host(message) == Some(wanted)))
        .map(|message| message.last.as_str())
        .max()
}
