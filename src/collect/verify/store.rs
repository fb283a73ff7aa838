//! What is known so far, in a file: how far each listing was compared, what differed, what differs for good.
//!
//! Everything that follows from a batch is written in one transaction. A run that ends at any moment, by kill -9 too,
//! finds the state of its last transaction, and does the batch after it again.

use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use crate::i18n::reasons;
use crate::model::limits::VERIFY_STATE_CACHE_BYTES;
use crate::model::reason::Reason;
use crate::model::verification::{DataType, DifferenceKind, TypeCounts};

const RUN: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("run");
/// By database and type: how far it is.
const PROGRESS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("progress");
/// By database, type and name: what differed, and is to be looked at again.
const OPEN: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("open");
/// The same: what differs for good.
const DIFFERENT: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("different");

const IDENTITY: &str = "identity";
const STATUS: &str = "status";

/// What a state belongs to. A run with another one is not taken up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// The form of the state.
    pub format: u32,
    /// The sources with their releases.
    pub sources: Vec<String>,
    /// The targets with their releases.
    pub targets: Vec<String>,
    /// The level, the tolerance, the sample and the shard, as they are written in the options.
    pub options: String,
}

/// The part of the state that belongs to no key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunStatus {
    /// When the first part began.
    pub started_at: String,
    /// How long was compared so far, in milliseconds.
    pub took_ms: u64,
    /// How often it was taken up.
    pub resumed: u64,
    /// The share of keys that makes the sample, and of how many, once they were counted.
    pub sample: Option<(f64, u64)>,
    /// Whether everything was listed and compared once.
    pub compared: bool,
    /// How often was looked again.
    pub rounds: u64,
    /// Whether nothing is left to do.
    pub complete: bool,
}

/// How far one type of one database is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeProgress {
    /// The last name that was compared.
    pub after: Option<Vec<u8>>,
    /// Whether all were.
    pub done: bool,
    /// What was counted.
    pub counts: TypeCounts,
}

/// What differed when it was seen first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenDifference {
    /// The database.
    pub db: u32,
    /// The type that it was listed as.
    pub kind: DataType,
    /// The name.
    pub name: Vec<u8>,
    /// Whether it had an end.
    pub mortal: bool,
}

/// What differs for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettledDifference {
    /// The database.
    pub db: u32,
    /// The type on the source; that on the target where the source does not have it.
    pub kind: DataType,
    /// The name.
    pub name: Vec<u8>,
    /// In what.
    pub difference: DifferenceKind,
    /// What the source has.
    pub source: Option<String>,
    /// What the target has.
    pub target: Option<String>,
    /// The server that has it, where there are several on its side.
    pub server: Option<String>,
}

/// What one transaction changes.
#[derive(Debug, Default)]
pub struct StateChange {
    /// How far types are now.
    pub progress: Vec<(u32, DataType, TypeProgress)>,
    /// What is to be looked at again.
    pub opened: Vec<OpenDifference>,
    /// What was looked at again and is done with.
    pub closed: Vec<OpenDifference>,
    /// What differs for good.
    pub settled: Vec<SettledDifference>,
    /// The part that belongs to no key.
    pub status: Option<RunStatus>,
}

/// Why a state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is that of another comparison.
    #[error("the state in {path} is that of another comparison: {was}; this one is {is}")]
    OfAnotherRun {
        /// The file.
        path: PathBuf,
        /// What it belongs to.
        was: String,
        /// What was asked for.
        is: String,
    },
    /// The file cannot be read or written.
    #[error("the state in {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<redb::Error>,
    },
    /// There is no place for a state.
    #[error("no file for the state can be made: {0}")]
    NoFile(#[source] std::io::Error),
}

impl StateError {
    /// As a reason why a run ended.
    pub fn reason(&self) -> Reason {
        reasons::verify_state_failed(self.to_string())
    }
}

/// The state of a run.
pub struct Store {
    database: Database,
    path: PathBuf,
    /// The file that is gone with this, where nobody named one.
    _own: Option<tempfile::TempPath>,
}

impl Store {
    /// Opens the state in `path`, or begins one; without a path in a file that is gone afterwards. Returns what it says
    /// of a run with this identity.
    pub fn open(path: Option<&Path>, identity: &RunIdentity) -> Result<(Self, RunStatus), StateError> {
        let (path, own) = if let Some(path) = path {
            (path.to_owned(), None)
        } else {
            let own = tempfile::NamedTempFile::new().map_err(StateError::NoFile)?.into_temp_path();
            (own.to_path_buf(), Some(own))
        };
        let failed = |source: redb::Error| StateError::File { path: path.clone(), source: Box::new(source) };
        let database = Database::builder()
            .set_cache_size(VERIFY_STATE_CACHE_BYTES)
            .create(&path)
            .map_err(|error| failed(error.into()))?;
        let (known, status) = begin(&database, identity).map_err(failed)?;
        if known != *identity {
            let was = serde_json::to_string(&known).unwrap_or_default();
            let is = serde_json::to_string(identity).unwrap_or_default();
            return Err(StateError::OfAnotherRun { path, was, is });
        }
        Ok((Self { database, path, _own: own }, status))
    }

    fn failed(&self, source: redb::Error) -> StateError {
        StateError::File { path: self.path.clone(), source: Box::new(source) }
    }

    /// Writes what a batch came to, all of it or nothing.
    pub fn write(&self, change: &StateChange) -> Result<(), StateError> {
        write(&self.database, change).map_err(|error| self.failed(error))
    }

    /// How far a type of a database is.
    pub fn progress(&self, db: u32, kind: DataType) -> Result<Option<TypeProgress>, StateError> {
        let read = || -> Result<Option<TypeProgress>, redb::Error> {
            let table = self.database.begin_read()?.open_table(PROGRESS)?;
            Ok(table.get(place(db, kind, b"").as_slice())?.and_then(|value| decode(value.value())))
        };
        read().map_err(|error| self.failed(error))
    }

    /// How far all of them are, in their order.
    pub fn all_progress(&self) -> Result<Vec<TypeProgress>, StateError> {
        let read = || -> Result<Vec<TypeProgress>, redb::Error> {
            let table = self.database.begin_read()?.open_table(PROGRESS)?;
            let mut all = Vec::new();
            for entry in table.iter()? {
                all.extend(decode::<TypeProgress>(entry?.1.value()));
            }
            Ok(all)
        };
        read().map_err(|error| self.failed(error))
    }

    /// Some of what is to be looked at again, of one type of one database, after a place.
    pub fn open_after(
        &self,
        after: Option<&OpenDifference>,
        most: usize,
    ) -> Result<Vec<OpenDifference>, StateError> {
        let read = || -> Result<Vec<OpenDifference>, redb::Error> {
            let table = self.database.begin_read()?.open_table(OPEN)?;
            // The first place after that of the last one.
            let from = after.map_or_else(Vec::new, |last| {
                let mut from = place(last.db, last.kind, &last.name);
                from.push(0);
                from
            });
            let mut found: Vec<OpenDifference> = Vec::new();
            for entry in table.range(from.as_slice()..)? {
                let Some(open) = decode::<OpenDifference>(entry?.1.value()) else { continue };
                let is_of_same =
                    found.first().is_none_or(|first| (first.db, first.kind) == (open.db, open.kind));
                if found.len() == most || !is_of_same {
                    break;
                }
                found.push(open);
            }
            Ok(found)
        };
        read().map_err(|error| self.failed(error))
    }

    /// How many are to be looked at again.
    pub fn open_count(&self) -> Result<u64, StateError> {
        use redb::ReadableTableMetadata as _;
        let read =
            || -> Result<u64, redb::Error> { Ok(self.database.begin_read()?.open_table(OPEN)?.len()?) };
        read().map_err(|error| self.failed(error))
    }

    /// Goes through everything that differs for good.
    pub fn each_difference(&self, mut each: impl FnMut(SettledDifference)) -> Result<(), StateError> {
        let mut read = || -> Result<(), redb::Error> {
            let table = self.database.begin_read()?.open_table(DIFFERENT)?;
            for entry in table.iter()? {
                if let Some(difference) = decode(entry?.1.value()) {
                    each(difference);
                }
            }
            Ok(())
        };
        read().map_err(|error| self.failed(error))
    }
}

/// What the file belongs to and where it stands; a new one belongs to `identity` from now on.
fn begin(database: &Database, identity: &RunIdentity) -> Result<(RunIdentity, RunStatus), redb::Error> {
    let transaction = database.begin_write()?;
    let found = {
        let mut run = transaction.open_table(RUN)?;
        for table in [PROGRESS, OPEN, DIFFERENT] {
            transaction.open_table(table)?;
        }
        let known = run.get(IDENTITY)?.and_then(|value| decode::<RunIdentity>(value.value()));
        let status = run.get(STATUS)?.and_then(|value| decode::<RunStatus>(value.value()));
        if known.is_none() {
            run.insert(IDENTITY, encode(identity).as_slice())?;
        }
        (known.unwrap_or_else(|| identity.clone()), status.unwrap_or_default())
    };
    transaction.commit()?;
    Ok(found)
}

fn write(database: &Database, change: &StateChange) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut progress = transaction.open_table(PROGRESS)?;
        for (db, kind, value) in &change.progress {
            progress.insert(place(*db, *kind, b"").as_slice(), encode(value).as_slice())?;
        }
        let mut open = transaction.open_table(OPEN)?;
        for difference in &change.closed {
            open.remove(place(difference.db, difference.kind, &difference.name).as_slice())?;
        }
        for difference in &change.opened {
            let place = place(difference.db, difference.kind, &difference.name);
            open.insert(place.as_slice(), encode(difference).as_slice())?;
        }
        let mut different = transaction.open_table(DIFFERENT)?;
        for difference in &change.settled {
            let place = place(difference.db, difference.kind, &difference.name);
            different.insert(place.as_slice(), encode(difference).as_slice())?;
        }
        if let Some(status) = &change.status {
            transaction.open_table(RUN)?.insert(STATUS, encode(status).as_slice())?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// The place of a name: databases and types in their order, then the names in that of their bytes.
fn place(db: u32, kind: DataType, name: &[u8]) -> Vec<u8> {
    let kind = DataType::ALL.iter().position(|known| *known == kind).unwrap_or_default();
    let mut place = db.to_be_bytes().to_vec();
    place.push(u8::try_from(kind).unwrap_or(u8::MAX));
    place.extend_from_slice(name);
    place
}

fn encode(value: &impl Serialize) -> Vec<u8> {
    // Types of our own with text keys alone: there is nothing in them that JSON cannot hold.
    serde_json::to_vec(value).unwrap_or_default()
}

fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(options: &str) -> RunIdentity {
        let sources = vec!["a 3.3.6".to_owned()];
        RunIdentity { format: 1, sources, targets: vec!["b 3.3.6".to_owned()], options: options.to_owned() }
    }

    fn open(name: &[u8]) -> OpenDifference {
        OpenDifference { db: 0, kind: DataType::Hash, name: name.to_vec(), mortal: false }
    }

    #[test]
    fn a_state_is_taken_up_by_its_own_run_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        let (store, status) = Store::open(Some(&path), &identity("length")).unwrap();
        assert_eq!(status, RunStatus::default());
        let status = RunStatus { resumed: 3, ..RunStatus::default() };
        let opened =
            [b"a\0".to_vec(), b"a".to_vec(), vec![0xff], Vec::new()].map(|name| open(&name)).to_vec();
        store.write(&StateChange { opened, status: Some(status.clone()), ..StateChange::default() }).unwrap();
        drop(store);
        let refused = Store::open(Some(&path), &identity("value")).err().unwrap();
        assert!(matches!(refused, StateError::OfAnotherRun { .. }), "{refused}");
        let (store, again) = Store::open(Some(&path), &identity("length")).unwrap();
        assert_eq!(again, status);
        // In the order of their bytes, each once, whatever is in a name.
        let mut names = Vec::new();
        let mut last = None;
        while let Some(next) = store.open_after(last.as_ref(), 1).unwrap().pop() {
            names.push(next.name.clone());
            last = Some(next);
        }
        assert_eq!(names, [b"".to_vec(), b"a".to_vec(), b"a\0".to_vec(), vec![0xff]]);
        assert_eq!(store.open_count().unwrap(), 4);
        store.write(&StateChange { closed: vec![open(b"a")], ..StateChange::default() }).unwrap();
        assert_eq!(store.open_count().unwrap(), 3);
    }

    #[test]
    fn a_file_that_is_no_state_is_refused_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        std::fs::write(&path, "somebody's notes").unwrap();
        assert!(Store::open(Some(&path), &identity("length")).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's notes");
    }
}
