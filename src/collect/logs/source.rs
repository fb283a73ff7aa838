//! Reads the log of one server.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use memchr::memchr;

use super::files::{self, Found};
use super::prefix::{self, Begin, Level, Line};
use super::recognise::{Recognised, Recogniser};
use super::secrets;
use crate::i18n::io_error;
use crate::model::limits::{LOG_BLOCK_BYTES, MAX_LOG_GROUPS, MAX_LOG_LINE_BYTES, MAX_LOG_NAMES};
use crate::model::logs::{LogFile, LogMessage, LogProblem, LogSide, LogSource};

/// What is read of one server's logs, for the files of each level; what one level does not need goes to the next.
/// The milder the level, the more of it is noise.
const BUDGET: [(Option<Level>, u64); 5] = [
    (Some(Level::Fatal), 512 * 1024),
    (Some(Level::Error), 1024 * 1024),
    (Some(Level::Warning), 3 * 1024 * 1024),
    (Some(Level::Info), 3 * 1024 * 1024),
    (None, 0),
];
/// What was read, with the times of the messages, of which some will be recent.
pub struct Gathered {
    /// Everything but the recent counts.
    pub source: LogSource,
    /// The times of each of `source.messages`.
    pub times: Vec<Vec<DateTime>>,
    /// The time of the newest line.
    pub newest: Option<DateTime>,
}

/// Reads the log at `path`, a directory or a file.
pub fn gather(path: &Path, side: LogSide, recogniser: &Recogniser<'_>) -> Gathered {
    let mut gathering = Gathering {
        source: LogSource { name: path.display().to_string(), side, ..LogSource::default() },
        recogniser,
        seen: HashSet::new(),
        groups: BTreeMap::new(),
        oldest: None,
        newest: None,
    };
    match files::list(path) {
        Ok(found) => gathering.read_all(&found),
        Err((problem, detail)) => {
            gathering.source.problem = Some(problem);
            gathering.source.detail = detail;
        }
    }
    gathering.finish()
}

/// Messages are told apart by rule, other host and status.
type Key = (String, Vec<u8>, Vec<u8>);

/// Equal messages.
#[derive(Default)]
struct Group {
    times: Vec<DateTime>,
    newest: DateTime,
    /// The newest one, behind its prefix. What may be shown of it is taken out at the end: of thousands one is shown.
    message: Vec<u8>,
    file: String,
    place: LinePlace,
}

struct Gathering<'r> {
    source: LogSource,
    recogniser: &'r Recogniser<'r>,
    /// Lines that were counted. glog writes a warning into the file of the warnings and into that of the infos.
    seen: HashSet<u64>,
    groups: BTreeMap<Key, Group>,
    oldest: Option<DateTime>,
    newest: Option<DateTime>,
}

impl Gathering<'_> {
    fn read_all(&mut self, found: &[Found]) {
        let mut left = 0;
        let single = found.iter().all(|file| file.level.is_none());
        for (level, share) in BUDGET {
            left += if single { BUDGET.iter().map(|(_, share)| share).sum() } else { share };
            for file in found.iter().filter(|file| file.level == level) {
                if left == 0 || file.compressed {
                    self.leave_out(file);
                    continue;
                }
                let before = self.source.bytes_read;
                self.read(file, left);
                left -= self.source.bytes_read - before;
            }
            if single {
                left = 0;
            }
        }
        if self.source.lines == 0 {
            self.source.problem = Some(self.why_no_line(found));
        }
    }

    fn why_no_line(&self, found: &[Found]) -> LogProblem {
        let failed = self.source.files.iter().filter_map(|file| file.problem.as_ref()).count();
        if failed > 0 && failed == self.source.files.len() {
            LogProblem::NoAccess
        } else if found.iter().all(|file| file.metadata.len() == 0) {
            LogProblem::EmptyFiles
        } else {
            LogProblem::NotALog
        }
    }

    fn leave_out(&mut self, file: &Found) {
        self.source.bytes_unread += file.metadata.len();
        if self.source.unread_files.len() < MAX_LOG_NAMES {
            self.source.unread_files.push(file.path.display().to_string());
        }
    }

    fn read(&mut self, found: &Found, most: u64) {
        let mut file = LogFile { name: found.path.display().to_string(), ..LogFile::default() };
        match File::open(&found.path).and_then(|opened| self.read_opened(found, opened, most, &mut file)) {
            Ok(()) => {}
            Err(error) => {
                file.problem = Some(io_error(&error));
                file.bytes = found.metadata.len();
            }
        }
        self.source.bytes_read += file.bytes_read;
        self.source.bytes_unread += file.bytes.saturating_sub(file.bytes_read);
        if self.source.files.len() < MAX_LOG_NAMES {
            self.source.files.push(file);
        }
    }

    /// Reads the last `most` bytes, block by block.
    fn read_opened(
        &mut self,
        found: &Found,
        mut opened: File,
        most: u64,
        file: &mut LogFile,
    ) -> io::Result<()> {
        let metadata = opened.metadata()?;
        file.bytes = metadata.len();
        let start = file.bytes.saturating_sub(most);
        let begin = match found.begun {
            Some(begin) => begin,
            None => begin_of(&mut opened, found)?,
        };
        opened.seek(SeekFrom::Start(start))?;
        let readable_by_all = metadata.mode() & 0o004 != 0;
        let mut lines = Lines::new(start);
        let mut block = vec![0; LOG_BLOCK_BYTES];
        let mut rest = opened.take(file.bytes - start);
        loop {
            let count = rest.read(&mut block)?;
            if count == 0 {
                break;
            }
            file.bytes_read += count as u64;
            lines.push(&block[..count], &mut |place, line| {
                self.line(line, place, begin, file, readable_by_all);
            });
        }
        lines.finish(&mut |place, line| self.line(line, place, begin, file, readable_by_all));
        Ok(())
    }

    fn line(&mut self, line: &[u8], place: LinePlace, begin: Begin, file: &LogFile, readable_by_all: bool) {
        let Some(parsed) = prefix::parse(line, begin) else {
            if secrets::in_continuation(line) {
                self.password_line(file, readable_by_all);
            }
            return;
        };
        self.source.lines += 1;
        self.oldest = Some(self.oldest.map_or(parsed.time, |oldest| oldest.min(parsed.time)));
        self.newest = Some(self.newest.map_or(parsed.time, |newest| newest.max(parsed.time)));
        if secrets::in_line(&parsed) {
            self.password_line(file, readable_by_all);
        }
        let Some(recognised) = self.recogniser.recognise(parsed.message) else { return };
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        if self.seen.insert(hasher.finish()) {
            self.count(&recognised, &parsed, place, file);
        }
    }

    fn password_line(&mut self, file: &LogFile, readable_by_all: bool) {
        self.source.password_lines += 1;
        if readable_by_all && self.source.exposed.is_none() {
            self.source.exposed = Some(file.name.clone());
        }
    }

    fn count(&mut self, recognised: &Recognised<'_, '_>, line: &Line<'_>, place: LinePlace, file: &LogFile) {
        let group = |name: &str| recognised.group(name).to_vec();
        let key = (recognised.message.id.clone(), group("host"), group("status"));
        if self.groups.len() >= MAX_LOG_GROUPS && !self.groups.contains_key(&key) {
            return;
        }
        let group = self.groups.entry(key).or_default();
        group.times.push(line.time);
        if line.time >= group.newest {
            group.newest = line.time;
            group.message.clear();
            group.message.extend_from_slice(line.message);
            group.file.clone_from(&file.name);
            group.place = place;
        }
    }

    fn finish(mut self) -> Gathered {
        self.source.oldest = self.oldest.map(shown);
        self.source.newest = self.newest.map(shown);
        let mut times = Vec::new();
        for group in self.groups.into_values() {
            let Some(recognised) = self.recogniser.recognise(&group.message) else { continue };
            let first = group.times.iter().min().copied().unwrap_or(group.newest);
            self.source.messages.push(LogMessage {
                id: recognised.message.id.clone(),
                values: recognised.values(),
                line: recognised.kept(),
                count: group.times.len() as u64,
                first: shown(first),
                last: shown(group.newest),
                // The view counts what is within its window.
                recent: 0,
                file: group.file,
                line_number: group.place.number,
                offset: group.place.offset,
            });
            times.push(group.times);
        }
        Gathered { source: self.source, times, newest: self.newest }
    }
}

/// A time as the facts have it: to the microsecond, so that the order of lines can be seen.
pub fn shown(time: DateTime) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

/// When a file was begun that does not say so in its name: its first line does, or the file system.
fn begin_of(file: &mut File, found: &Found) -> io::Result<Begin> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(64).read_to_end(&mut head)?;
    let text = String::from_utf8_lossy(&head);
    let stated = text.strip_prefix("Log file created at: ").and_then(|date| {
        Some(Begin { year: date.get(..4)?.parse().ok()?, month: date.get(5..7)?.parse().ok()? })
    });
    let modified = || {
        let time = jiff::Timestamp::try_from(found.metadata.modified().ok()?).ok()?;
        let date = time.to_zoned(TimeZone::system()).date();
        // Its lines are not newer than it; those of a later month are a year older.
        Some(Begin { year: date.year(), month: 1 })
    };
    Ok(stated.or_else(modified).unwrap_or(Begin { year: 1970, month: 1 }))
}

/// Where a line stands.
#[derive(Clone, Copy, Default)]
struct LinePlace {
    /// From 1. None when the file is not read from its beginning.
    number: Option<u32>,
    /// Where it begins.
    offset: u64,
}

/// Cuts blocks into lines. Of a line that is too long only the beginning is kept.
struct Lines {
    line: Vec<u8>,
    place: LinePlace,
    /// Where the next byte stands.
    at: u64,
    /// Whether the reading begins within a line, whose rest says nothing.
    skipping: bool,
}

impl Lines {
    fn new(start: u64) -> Self {
        let place = LinePlace { number: (start == 0).then_some(1), offset: start };
        Self { line: Vec::new(), place, at: start, skipping: start > 0 }
    }

    fn push(&mut self, block: &[u8], take: &mut dyn FnMut(LinePlace, &[u8])) {
        let mut rest = block;
        while let Some(end) = memchr(b'\n', rest) {
            self.add(&rest[..end]);
            self.at += end as u64 + 1;
            self.end(take);
            rest = &rest[end + 1..];
        }
        self.add(rest);
        self.at += rest.len() as u64;
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = MAX_LOG_LINE_BYTES.saturating_sub(self.line.len());
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end(&mut self, take: &mut dyn FnMut(LinePlace, &[u8])) {
        if !std::mem::take(&mut self.skipping) {
            take(self.place, &self.line);
        }
        self.line.clear();
        self.place =
            LinePlace { number: self.place.number.map(|number| number.saturating_add(1)), offset: self.at };
    }

    fn finish(self, take: &mut dyn FnMut(LinePlace, &[u8])) {
        if !self.line.is_empty() && !self.skipping {
            take(self.place, &self.line);
        }
    }
}
