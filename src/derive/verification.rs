//! Joins the comparisons of the parts of a key space to one of the whole, and sees whether two addresses are one server.

use std::collections::{BTreeMap, BTreeSet};

use crate::collect::verify::fewer_than_one_in;
use crate::i18n::reasons;
use crate::model::limits::{MAX_VERIFY_EXAMPLES, MAX_VERIFY_PREFIXES};
use crate::model::node::Node;
use crate::model::verification::{
    ComparedServer, DifferenceKind, KeyDifference, Pace, ReplyTime, Shard, SharedPrefix, SlotCounts,
    TypeCounts, Verification,
};

/// Process ids up to this one are those of containers, and equal ones mean nothing.
const CONTAINER_PIDS: i64 = 100;
/// By how many seconds two uptimes of one process may differ.
const SAME_START_SECONDS: i64 = 5;

/// Whether two nodes are one server by two addresses, as far as their answers tell. Its data would be equal to itself.
pub fn is_same_server(a: &Node, b: &Node) -> bool {
    let peers = (a.reach.peer.as_ref(), b.reach.peer.as_ref());
    if matches!(peers, (Some(a), Some(b)) if a == b) {
        return true;
    }
    let (Some(one), Some(other)) = (&a.process, &b.process) else { return false };
    let (Some(pid), Some(started), Some(also)) = (one.pid, one.uptime_seconds, other.uptime_seconds) else {
        return false;
    };
    let alike = Some(pid) == other.pid
        && started.abs_diff(also) <= SAME_START_SECONDS.unsigned_abs()
        && one.tcp_port == other.tcp_port
        && one.config_file == other.config_file
        && a.version == b.version;
    // A run-id is kept in a file and copied with it; together with the process it is proof. Without one, process ids of
    // containers that were made alike are the same.
    alike && one.run_id == other.run_id && (one.run_id.is_some() || pid > CONTAINER_PIDS)
}

/// A comparison and the file that it was read from.
#[derive(Clone, Debug)]
pub struct ReportedPart {
    /// The file, for messages.
    pub origin: String,
    /// What it holds.
    pub verification: Verification,
}

/// Why parts cannot be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// A comparison that is none of a part.
    #[error("{origin}: the comparison of {name} is not that of a part: it was made without --shard")]
    NoPart {
        /// The file.
        origin: String,
        /// What was compared.
        name: String,
    },
    /// Parts of different runs.
    #[error(
        "{first} and {other} do not belong together: {what} is `{was}` in the first and `{is}` in the second"
    )]
    DifferentRuns {
        /// The first file.
        first: String,
        /// The file that does not fit.
        other: String,
        /// In what they differ.
        what: &'static str,
        /// What the first says.
        was: String,
        /// What the other says.
        is: String,
    },
    /// A part that is there twice.
    #[error("{first} and {other} are both part {number} of {of} of {name}")]
    Overlap {
        /// The first file.
        first: String,
        /// The second file.
        other: String,
        /// The part.
        number: u32,
        /// Of how many.
        of: u32,
        /// What was compared.
        name: String,
    },
    /// Parts that are not there.
    #[error("of {name} part {missing} of {of} is not there")]
    Gap {
        /// What was compared.
        name: String,
        /// The parts, `2` or `2, 5-7`.
        missing: String,
        /// Of how many.
        of: u32,
    },
    /// A number of a part that is none.
    #[error("{origin}: part {number} of {of} is no part")]
    Impossible {
        /// The file.
        origin: String,
        /// The part.
        number: u32,
        /// Of how many.
        of: u32,
    },
}

/// Joins parts to wholes, one for each pair of servers, in the order in which these come first.
///
/// # Errors
/// When a part is missing, is there twice, or belongs to another run: what is joined must have been compared in whole
/// and in one way.
pub fn join(parts: Vec<ReportedPart>) -> Result<Vec<Verification>, JoinError> {
    let mut runs: Vec<(String, Vec<ReportedPart>)> = Vec::new();
    for part in parts {
        let name = part.verification.name.clone();
        match runs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, parts)) => parts.push(part),
            None => runs.push((name, vec![part])),
        }
    }
    // Reports about other servers are most often a mistake of the shell's wildcard; a plan has the same servers in each.
    if let [(_, first), others @ ..] = runs.as_slice()
        && let Some((_, other)) = others.iter().find(|(_, parts)| parts.len() != first.len())
        && let (Some(first), Some(other)) = (first.first(), other.first())
    {
        return Err(different(first, other, "what is compared", |part| part.verification.name.clone()));
    }
    runs.into_iter().map(|(_, parts)| whole(parts)).collect()
}

fn different(
    first: &ReportedPart,
    other: &ReportedPart,
    what: &'static str,
    says: impl Fn(&ReportedPart) -> String,
) -> JoinError {
    JoinError::DifferentRuns {
        first: first.origin.clone(),
        other: other.origin.clone(),
        what,
        was: says(first),
        is: says(other),
    }
}

/// What a comparison says of itself.
type Says = fn(&Verification) -> String;

/// What all parts of a run have in common, each with its name.
const COMMON: [(&str, Says); 7] = [
    ("the source", |it| servers(&it.sources, |server| server.name.clone())),
    ("the target", |it| servers(&it.targets, |server| server.name.clone())),
    ("the release of the source", |it| servers(&it.sources, |server| server.release.clone())),
    ("the release of the target", |it| servers(&it.targets, |server| server.release.clone())),
    ("the level", |it| it.level.word().to_owned()),
    ("--life-tolerance", |it| {
        it.life_tolerance_seconds.map_or("none".to_owned(), |seconds| format!("{seconds}s"))
    }),
    ("--sample", |it| it.sample.as_ref().map_or("none".to_owned(), |sample| sample.wanted.to_string())),
];

fn servers(side: &[ComparedServer], says: fn(&ComparedServer) -> String) -> String {
    side.iter().map(says).collect::<Vec<_>>().join(",")
}

/// One comparison of all its parts.
fn whole(mut parts: Vec<ReportedPart>) -> Result<Verification, JoinError> {
    let shard = |part: &ReportedPart| {
        let Some(shard) = part.verification.shard else {
            let (origin, name) = (part.origin.clone(), part.verification.name.clone());
            return Err(JoinError::NoPart { origin, name });
        };
        let Shard { number, of } = shard;
        if number == 0 || number > of {
            return Err(JoinError::Impossible { origin: part.origin.clone(), number, of });
        }
        Ok(shard)
    };
    let shards: Vec<Shard> = parts.iter().map(shard).collect::<Result<_, _>>()?;
    let (Some(first), Some(Shard { of, .. })) = (parts.first(), shards.first().copied()) else {
        return Ok(Verification::default());
    };
    for (other, shard) in parts.iter().zip(&shards).skip(1) {
        for (what, says) in COMMON {
            if says(&first.verification) != says(&other.verification) {
                return Err(different(first, other, what, |part| says(&part.verification)));
            }
        }
        if shard.of != of {
            let says = |part: &ReportedPart| part.verification.shard.map_or(0, |it| it.of).to_string();
            return Err(different(first, other, "the number of parts", says));
        }
    }
    let mut seen: BTreeMap<u32, &str> = BTreeMap::new();
    for (part, Shard { number, .. }) in parts.iter().zip(&shards) {
        if let Some(first) = seen.insert(*number, &part.origin) {
            let name = part.verification.name.clone();
            let (first, other) = (first.to_owned(), part.origin.clone());
            return Err(JoinError::Overlap { first, other, number: *number, of, name });
        }
    }
    // A number of parts that nobody has is not counted up to.
    let numbers: BTreeSet<u32> = seen.into_keys().collect();
    if numbers.len() < of as usize {
        let name = first.verification.name.clone();
        return Err(JoinError::Gap { name, missing: missing_of(&numbers, of), of });
    }
    parts.sort_by_key(|part| part.verification.shard.map(|shard| shard.number));
    Ok(sum(parts.into_iter().map(|part| part.verification).collect()))
}

/// The numbers from 1 to `of` that are not there: `2, 5-7`.
fn missing_of(there: &BTreeSet<u32>, of: u32) -> String {
    let mut ranges = Vec::new();
    let mut next = 1;
    for number in there.iter().copied().map(u64::from).chain([u64::from(of) + 1]) {
        match number.checked_sub(next) {
            Some(0) | None => {}
            Some(1) => ranges.push(next.to_string()),
            Some(_) => ranges.push(format!("{next}-{}", number - 1)),
        }
        next = number + 1;
    }
    ranges.join(", ")
}

/// Parts that fit, in their order, as one.
fn sum(parts: Vec<Verification>) -> Verification {
    let mut parts = parts.into_iter();
    let mut whole = parts.next().unwrap_or_default();
    stop(&mut whole);
    for mut part in parts {
        stop(&mut part);
        // They ran beside each other.
        whole.took_ms = whole.took_ms.max(part.took_ms);
        whole.started_at = std::mem::take(&mut whole.started_at).min(part.started_at);
        whole.ended_at = std::mem::take(&mut whole.ended_at).max(part.ended_at);
        whole.resumed += part.resumed;
        whole.rounds = whole.rounds.max(part.rounds);
        whole.is_complete &= part.is_complete;
        whole.stopped = whole.stopped.or(part.stopped);
        whole.different += part.different;
        add_counts(&mut whole.counts, part.counts);
        add_slots(&mut whole.slots, part.slots);
        for prefix in part.prefixes {
            match whole.prefixes.iter_mut().find(|known| known.prefix == prefix.prefix) {
                Some(known) => known.keys += prefix.keys,
                None => whole.prefixes.push(prefix),
            }
        }
        whole.examples.extend(part.examples);
        for missing in part.unavailable {
            if !whole.unavailable.contains(&missing) {
                whole.unavailable.push(missing);
            }
        }
        if let (Some(sample), Some(other)) = (&mut whole.sample, part.sample) {
            sample.compared += other.compared;
            sample.of_about = sample.of_about.max(other.of_about);
        }
        add_pace(&mut whole.pace, part.pace);
    }
    whole.shard = None;
    whole.counts.sort_by_key(|counts| (number_of(&counts.db), counts.kind));
    whole.prefixes.sort_by(|a: &SharedPrefix, b| b.keys.cmp(&a.keys).then(a.prefix.cmp(&b.prefix)));
    whole.prefixes.truncate(MAX_VERIFY_PREFIXES);
    whole.examples = some_of_each(std::mem::take(&mut whole.examples));
    if let Some(sample) = &mut whole.sample {
        sample.fewer_than_one_in = fewer_than_one_in(sample.compared).filter(|_| whole.different == 0);
    }
    whole
}

/// Says which part it was that ended too early.
fn stop(part: &mut Verification) {
    if let (Some(Shard { number, of }), Some(reason)) = (part.shard, part.stopped.take()) {
        part.stopped = Some(reasons::verify_parts_incomplete(number, of, reason));
    }
}

/// The number in `db3`.
fn number_of(db: &str) -> u32 {
    db.trim_start_matches("db").parse().unwrap_or(u32::MAX)
}

fn add_counts(whole: &mut Vec<TypeCounts>, part: Vec<TypeCounts>) {
    for counts in part {
        match whole.iter_mut().find(|known| known.db == counts.db && known.kind == counts.kind) {
            Some(known) => {
                known.on_source += counts.on_source;
                known.on_target += counts.on_target;
                known.compared += counts.compared;
                known.expired += counts.expired;
                known.unread += counts.unread;
                known.settled += counts.settled;
                known.changed += counts.changed;
                let mut of_part = counts.differences;
                for kind in DifferenceKind::ALL {
                    *known.differences.of(kind) += *of_part.of(kind);
                }
            }
            None => whole.push(counts),
        }
    }
}

fn add_slots(whole: &mut Vec<SlotCounts>, part: Vec<SlotCounts>) {
    for mut counts in part {
        match whole.iter_mut().find(|known| known.slot == counts.slot) {
            Some(known) => {
                for kind in DifferenceKind::ALL {
                    *known.differences.of(kind) += *counts.differences.of(kind);
                }
            }
            None => whole.push(counts),
        }
    }
    whole.sort_by_key(|counts| counts.slot);
}

/// As many of each kind as there is room for, so that a hundred of one do not hide the one of another.
fn some_of_each(all: Vec<KeyDifference>) -> Vec<KeyDifference> {
    let kinds =
        DifferenceKind::ALL.iter().filter(|kind| all.iter().any(|it| it.difference == **kind)).count();
    let each = MAX_VERIFY_EXAMPLES / kinds.max(1);
    let mut taken: BTreeMap<DifferenceKind, usize> = BTreeMap::new();
    let (mut some, mut rest) = (Vec::new(), Vec::new());
    for example in all {
        let count = taken.entry(example.difference).or_default();
        *count += 1;
        if *count <= each { some.push(example) } else { rest.push(example) }
    }
    let left = MAX_VERIFY_EXAMPLES.saturating_sub(some.len());
    some.extend(rest.into_iter().take(left));
    some.sort_by_key(|example| example.difference);
    some
}

fn add_pace(whole: &mut Pace, part: Pace) {
    whole.rate_limit = whole.rate_limit.zip(part.rate_limit).map(|(a, b)| a + b);
    whole.mean += part.mean;
    whole.slowest = match (whole.slowest, part.slowest) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    whole.pauses += part.pauses;
    whole.paused_ms = whole.paused_ms.max(part.paused_ms);
    for time in part.reply_times {
        match whole.reply_times.iter_mut().find(|known| known.server == time.server) {
            Some(ReplyTime { at_rest_us, worst_us, .. }) => {
                *at_rest_us = (*at_rest_us).min(time.at_rest_us);
                *worst_us = (*worst_us).max(time.worst_us);
            }
            None => whole.reply_times.push(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::reason::Reason;
    use crate::model::verification::{CompareLevel, DataType, DifferenceCounts};

    type Change = fn(&mut Verification);

    fn part(number: u32, of: u32) -> ReportedPart {
        let server =
            |name: &str| ComparedServer { name: name.to_owned(), release: "3.3.6".to_owned(), run_id: None };
        let counts = TypeCounts {
            db: "db0".to_owned(),
            kind: DataType::Hash,
            on_source: 10,
            on_target: 9,
            compared: 10,
            differences: DifferenceCounts { missing: 1, ..DifferenceCounts::default() },
            expired: 1,
            settled: 0,
            unread: 0,
            changed: 0,
        };
        let verification = Verification {
            name: "b <- a".to_owned(),
            sources: vec![server("a")],
            targets: vec![server("b")],
            started_at: format!("2026-01-01T00:00:0{number}Z"),
            ended_at: format!("2026-01-01T00:01:0{number}Z"),
            is_complete: true,
            shard: Some(Shard { number, of }),
            counts: vec![counts],
            different: 1,
            ..Verification::default()
        };
        ReportedPart { origin: format!("{number}.json"), verification }
    }

    fn error(parts: Vec<ReportedPart>) -> String {
        join(parts).unwrap_err().to_string()
    }

    #[test]
    fn parts_become_the_whole() {
        let all = join(vec![part(3, 3), part(1, 3), part(2, 3)]).unwrap();
        let [whole] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((whole.compared(), whole.different, whole.is_complete), (30, 3, true));
        assert_eq!((whole.counts.len(), whole.counts[0].differences.missing), (1, 3));
        assert_eq!(
            (whole.counts[0].on_source, whole.counts[0].on_target, whole.counts[0].expired),
            (30, 27, 3)
        );
        assert_eq!(whole.shard, None);
        assert_eq!((&*whole.started_at, &*whole.ended_at), ("2026-01-01T00:00:01Z", "2026-01-01T00:01:03Z"));
    }

    #[test]
    fn a_part_that_was_stopped_leaves_the_whole_incomplete() {
        let mut stopped = part(2, 2);
        stopped.verification.is_complete = false;
        stopped.verification.stopped = Some(Reason::verbatim("it went away"));
        let whole = &join(vec![part(1, 2), stopped]).unwrap()[0];
        assert!(!whole.is_complete);
        assert_eq!(whole.stopped.as_ref().unwrap().as_str(), "part 2 of 2: it went away");
    }

    #[test]
    fn gaps_overlaps_and_other_runs_are_refused() {
        assert_eq!(
            error(vec![part(1, 8), part(2, 8), part(7, 8)]),
            "of b <- a part 3-6, 8 of 8 is not there"
        );
        assert_eq!(error(vec![part(2, 2), part(2, 2)]), "2.json and 2.json are both part 2 of 2 of b <- a");
        assert!(
            error(vec![part(1, 2), part(2, 3)]).contains("the number of parts is `2` in the first and `3`")
        );
        assert!(error(vec![part(0, 2)]).contains("part 0 of 2 is no part"));
        assert!(error(vec![part(3, 2)]).contains("part 3 of 2 is no part"));
        assert!(error(vec![part(1, u32::MAX)]).contains("part 2-4294967295 of"));
        let mut alone = part(1, 1);
        alone.verification.shard = None;
        assert!(error(vec![alone]).contains("without --shard"));
        let changes: [(&str, Change); 4] = [
            ("the level", |it| it.level = CompareLevel::Value),
            ("the release of the target", |it| it.targets[0].release = "3.5.5".to_owned()),
            ("--life-tolerance", |it| it.life_tolerance_seconds = Some(5)),
            ("what is compared", |it| it.name = "c <- a".to_owned()),
        ];
        for (what, change) in changes {
            let mut other = part(2, 2);
            change(&mut other.verification);
            let message = error(vec![part(1, 2), other, part(2, 2)]);
            assert!(message.contains(what), "{what}: {message}");
        }
    }

    #[test]
    fn two_addresses_of_one_process_are_one_server() {
        let node = |peer: &str, pid: i64| {
            let mut node = Node::default();
            node.reach.peer = Some(peer.to_owned());
            node.process = Some(crate::model::info::Process {
                pid: Some(pid),
                tcp_port: Some(9221),
                uptime_seconds: Some(100),
                config_file: Some("/etc/pika.conf".to_owned()),
                server_id: None,
                run_id: None,
                os: None,
            });
            node
        };
        assert!(is_same_server(&node("10.0.0.1:9221", 1), &node("10.0.0.1:9221", 2)));
        assert!(is_same_server(&node("10.0.0.1:9221", 4711), &node("10.0.0.9:9221", 4711)));
        assert!(!is_same_server(&node("10.0.0.1:9221", 4711), &node("10.0.0.9:9221", 4712)));
        // Two containers.
        assert!(!is_same_server(&node("10.0.0.1:9221", 1), &node("10.0.0.9:9221", 1)));
    }
}
