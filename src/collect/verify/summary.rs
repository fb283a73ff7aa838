//! What a run came to, from its state.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::chosen::fewer_than_one_in;
use super::options::VerifyOptions;
use super::pace::PaceController;
use super::store::{RunStatus, SettledDifference, StateError, Store};
use crate::catalog::era;
use crate::collect::clock;
use crate::collect::files::write::write_output;
use crate::collect::link::Party;
use crate::i18n::reasons;
use crate::model::limits::{
    MAX_KEY_CHARACTERS, MAX_SCANNED_DATABASE_BYTES, MAX_VERIFY_EXAMPLES, MAX_VERIFY_PREFIXES,
    MAX_VERIFY_PREFIXES_COUNTED,
};
use crate::model::node::Node;
use crate::model::reason::Reason;
use crate::model::unavailable::Unavailable;
use crate::model::verification::{
    ComparedServer, DifferenceCounts, DifferenceKind, KeyDifference, Pace, ReplyTime, SampledKeys,
    SharedPrefix, SlotCounts, Verification,
};

/// What separates the parts of names.
const SEPARATORS: &[u8] = b":/.|#";
/// The slots of Codis.
const SLOTS: u32 = 1024;

/// The servers of one side.
pub fn name_of(parties: &[Party<'_>]) -> Vec<ComparedServer> {
    let server = |party: &Party<'_>| ComparedServer {
        name: party.node.name.clone(),
        release: party.node.version.map(|version| version.to_string()).unwrap_or_default(),
        run_id: party.node.process.as_ref().and_then(|process| process.run_id.clone()),
    };
    parties.iter().map(server).collect()
}

/// Why the keys of a server are not listed.
pub fn why_not(node: &Node) -> Option<Reason> {
    let Some(version) = node.version else { return Some(reasons::release_of_one_not_known()) };
    let mode = node.config.as_ref().and_then(|config| config.get("instance-mode"));
    let size = node.data.as_ref().and_then(|data| data.db_size_bytes);
    if mode.is_some_and(|mode| mode == "sharding") {
        Some(reasons::sharding_lists_no_keys())
    } else if version.is_of(&era::SCAN_NEVER_RETURNS) {
        Some(reasons::scan_never_returns())
    } else if version.is_of(&era::SCAN_READS_EVERYTHING)
        && size.is_none_or(|size| size > MAX_SCANNED_DATABASE_BYTES)
    {
        Some(reasons::scan_reads_all_keys())
    } else {
        None
    }
}

/// Fills in what the state says.
pub fn summary(
    verification: &mut Verification,
    store: &Store,
    status: &RunStatus,
    options: &VerifyOptions,
    pace: Option<&PaceController>,
) -> Result<(), StateError> {
    verification.started_at.clone_from(&status.started_at);
    verification.ended_at = clock::now();
    verification.took_ms = status.took_ms;
    verification.resumed = status.resumed;
    verification.rounds = status.rounds;
    verification.is_complete = status.complete && verification.stopped.is_none();
    verification.counts = store.all_progress()?.into_iter().map(|progress| progress.counts).collect();
    verification.counts.retain(|counts| counts.on_source + counts.on_target > 0);
    verification.different = verification.counts.iter().map(|counts| counts.differences.sum()).sum();
    gather(verification, store, options)?;
    let compared = verification.compared();
    verification.sample = options.sample.zip(status.sample).map(|(wanted, (share, of_about))| SampledKeys {
        wanted,
        compared,
        of_about,
        share,
        fewer_than_one_in: fewer_than_one_in(compared).filter(|_| verification.different == 0),
    });
    #[expect(clippy::cast_precision_loss, reason = "a rate for a person")]
    let mean = compared as f64 / (status.took_ms.max(1) as f64 / 1000.0);
    verification.pace = Pace { rate_limit: options.rate, mean, ..Pace::default() };
    if let Some(pace) = pace {
        let (pauses, time) = pace.pauses();
        verification.pace.pauses = pauses;
        verification.pace.paused_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        verification.pace.slowest = pace.slowest();
        let names = verification.sources.iter().chain(&verification.targets).map(|server| &server.name);
        verification.pace.reply_times = names
            .zip(pace.reply_times())
            .map(|(server, (at_rest_us, worst_us))| ReplyTime {
                server: server.clone(),
                at_rest_us,
                worst_us,
            })
            .collect();
    }
    Ok(())
}

/// Examples, prefixes, slots and the file of all differences.
fn gather(verification: &mut Verification, store: &Store, options: &VerifyOptions) -> Result<(), StateError> {
    let mut prefixes: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    let mut slots: BTreeMap<u32, DifferenceCounts> = BTreeMap::new();
    let mut examples: BTreeMap<DifferenceKind, Vec<KeyDifference>> = BTreeMap::new();
    let mut file = match &options.differences {
        Some(_) => Some(std::io::BufWriter::new(tempfile::tempfile().map_err(StateError::NoFile)?)),
        None => None,
    };
    let mut unwritten = None;
    store.each_difference(|difference| {
        if let Some(prefix) = prefix_of(&difference.name)
            && (prefixes.len() < MAX_VERIFY_PREFIXES_COUNTED || prefixes.contains_key(prefix))
        {
            *prefixes.entry(prefix.to_vec()).or_default() += 1;
        }
        if options.slots {
            *slots.entry(slot_of(&difference.name)).or_default().of(difference.difference) += 1;
        }
        let of_kind = examples.entry(difference.difference).or_default();
        if of_kind.len() < MAX_VERIFY_EXAMPLES {
            of_kind.push(shown(&difference, MAX_KEY_CHARACTERS));
        }
        if let Some(file) = &mut file {
            let line = serde_json::to_string(&shown(&difference, usize::MAX)).unwrap_or_default();
            if let Err(error) = writeln!(file, "{line}") {
                unwritten.get_or_insert(error);
            }
        }
    })?;
    if let (Some(error), _) | (None, Some(error)) = (unwritten, finish(file, options).err()) {
        verification
            .unavailable
            .push(Unavailable::failed("differences", Reason::verbatim(error.to_string())));
    }
    verification.slots =
        slots.into_iter().map(|(slot, differences)| SlotCounts { slot, differences }).collect();
    let mut shared: Vec<SharedPrefix> = prefixes
        .into_iter()
        .filter(|(_, keys)| *keys > 1)
        .map(|(prefix, keys)| SharedPrefix { prefix: readable(&prefix, MAX_KEY_CHARACTERS), keys })
        .collect();
    shared.sort_by_key(|prefix| std::cmp::Reverse(prefix.keys));
    shared.truncate(MAX_VERIFY_PREFIXES);
    verification.prefixes = shared;
    // Some of each kind: a hundred missing keys must not hide the one that has another value.
    let kinds = examples.len().max(1);
    let each = MAX_VERIFY_EXAMPLES / kinds;
    let mut rest = Vec::new();
    for mut of_kind in examples.into_values() {
        rest.extend(of_kind.split_off(each.min(of_kind.len())));
        verification.examples.extend(of_kind);
    }
    let left = MAX_VERIFY_EXAMPLES.saturating_sub(verification.examples.len());
    verification.examples.extend(rest.into_iter().take(left));
    Ok(())
}

/// Puts all differences where a person wants them.
fn finish(file: Option<std::io::BufWriter<std::fs::File>>, options: &VerifyOptions) -> std::io::Result<()> {
    use std::io::{Read as _, Seek as _};
    let (Some(file), Some(path)) = (file, &options.differences) else { return Ok(()) };
    let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    write_output(path, &bytes)
}

fn shown(difference: &SettledDifference, most: usize) -> KeyDifference {
    KeyDifference {
        db: format!("db{}", difference.db),
        kind: difference.kind,
        key: readable(&difference.name, most),
        difference: difference.difference,
        source: difference.source.clone(),
        target: difference.target.clone(),
        server: difference.server.clone(),
    }
}

/// A name as text: what is no UTF-8 is written as `\xNN`.
fn readable(name: &[u8], most: usize) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        text += chunk.valid();
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text.chars().take(most).collect()
}

/// A name up to and with its first separator.
fn prefix_of(name: &[u8]) -> Option<&[u8]> {
    let end = name.iter().position(|byte| SEPARATORS.contains(byte))?;
    (end > 0).then(|| &name[..=end])
}

/// The slot of Codis that a name is in: CRC-32 of the name, or of what stands between its first braces.
fn slot_of(name: &[u8]) -> u32 {
    let tag = name.iter().position(|byte| *byte == b'{').and_then(|begin| {
        let rest = &name[begin + 1..];
        rest.iter().position(|byte| *byte == b'}').map(|end| &rest[..end])
    });
    let mut crc = flate2::Crc::new();
    crc.update(tag.unwrap_or(name));
    crc.sum() % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_prefixes_and_slots_as_codis_does() {
        assert_eq!(prefix_of(b"user:17:name"), Some(b"user:".as_slice()));
        assert_eq!(prefix_of(b"plain"), None);
        assert_eq!(prefix_of(b":odd"), None);
        // zlib's CRC-32 of `123456789` is cbf43926.
        assert_eq!(slot_of(b"123456789"), 0xcbf4_3926 % 1024);
        assert_eq!(slot_of(b"a{123456789}b"), slot_of(b"123456789"));
        assert_ne!(slot_of(b"a{123456789"), slot_of(b"123456789"));
        assert_eq!(readable(b"a\xff\xc3\xa9", 60), "a\\xff\u{e9}");
    }
}
