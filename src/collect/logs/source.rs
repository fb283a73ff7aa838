//! Reads the log of one server.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use memchr::memchr;

use super::envelope;
use super::files::{self, Found};
use super::prefix::{self, Begin, Level, Line};
use super::recognise::{Recognised, Recogniser};
use super::secrets;
use crate::collect::files::open::open_regular;
use crate::i18n::io_error;
use crate::model::limits::{LOG_BLOCK_BYTES, MAX_LOG_GROUPS, MAX_LOG_LINE_BYTES, MAX_LOG_NAMES};
use crate::model::logs::{LogFile, LogMessage, LogProblem, LogSide, LogSource};
use crate::model::messages::{LogProgram, MessageRule};

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
        pending: None,
        clock: DateTime::MIN,
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

/// What Codis puts before the error behind a message, in a line of its own.
const ERROR_OF_CODIS: &[u8] = b"[error]: ";

/// Equal messages.
struct Group {
    program: LogProgram,
    /// Whether the program ended with them.
    is_end: bool,
    times: Vec<DateTime>,
    newest: DateTime,
    /// The newest one, behind its prefix. What may be shown of it is taken out at the end: of thousands one is shown.
    message: Vec<u8>,
    file: String,
    place: LinePlace,
}

impl Group {
    fn of(rule: &MessageRule) -> Self {
        Self {
            program: rule.program,
            is_end: rule.any_end || rule.fatal,
            times: Vec::new(),
            newest: DateTime::MIN,
            message: Vec::new(),
            file: String::new(),
            place: LinePlace::default(),
        }
    }
}

/// A message of Codis whose error may follow.
struct Pending {
    time: DateTime,
    level: Level,
    message: Vec<u8>,
    file: String,
    place: LinePlace,
}

/// Where a line stands, and what is known of its file.
#[derive(Clone, Copy)]
struct At<'f> {
    place: LinePlace,
    begin: Begin,
    file: &'f str,
    readable_by_all: bool,
}

struct Gathering<'r> {
    source: LogSource,
    recogniser: &'r Recogniser<'r>,
    /// Lines that were counted. glog writes a warning into the file of the warnings and into that of the infos.
    seen: HashSet<u64>,
    groups: BTreeMap<Key, Group>,
    oldest: Option<DateTime>,
    newest: Option<DateTime>,
    pending: Option<Pending>,
    /// The time of the line before, and of the file itself at its beginning.
    clock: DateTime,
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
        match open_regular(&found.path).and_then(|opened| self.read_opened(found, opened, most, &mut file)) {
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
        self.clock = modified(&metadata).unwrap_or(DateTime::MIN);
        let name = file.name.clone();
        let readable_by_all = metadata.mode() & 0o004 != 0;
        let at = |place| At { place, begin, file: &name, readable_by_all };
        let mut lines = Lines::new(start);
        let mut block = vec![0; LOG_BLOCK_BYTES];
        let mut rest = opened.take(file.bytes - start);
        loop {
            let count = rest.read(&mut block)?;
            if count == 0 {
                break;
            }
            file.bytes_read += count as u64;
            lines.push(&block[..count], &mut |place, line| self.line(line, at(place)));
        }
        lines.finish(&mut |place, line| self.line(line, at(place)));
        self.end_message();
        Ok(())
    }

    fn line(&mut self, line: &[u8], at: At<'_>) {
        if let Some(parsed) = prefix::parse(line, at.begin) {
            return self.first_line(&parsed, at);
        }
        if let Some(error) = line.strip_prefix(ERROR_OF_CODIS).filter(|_| self.pending.is_some()) {
            return self.error_of_codis(error);
        }
        match envelope::open(line, at.begin) {
            Some(wrapped) => match prefix::parse(&wrapped.line, at.begin) {
                Some(parsed) => self.first_line(&parsed, at),
                None => self.bare(&wrapped.line, wrapped.time, at),
            },
            None => self.bare(line, None, at),
        }
    }

    /// The first line of a message.
    fn first_line(&mut self, line: &Line<'_>, at: At<'_>) {
        self.end_message();
        self.seen_at(line.time);
        if secrets::in_line(line) {
            self.password_line(at);
        }
        if line.program == LogProgram::Codis && line.level >= Level::Warning {
            // What the error was stands in a line of its own, which follows.
            self.pending = Some(Pending {
                time: line.time,
                level: line.level,
                message: line.message.to_vec(),
                file: at.file.to_owned(),
                place: at.place,
            });
        } else {
            self.message(line.program, line.level, line.time, line.message, at.file, at.place);
        }
    }

    /// A line that no program's prefix begins: more of a message, or what went to the standard error.
    fn bare(&mut self, line: &[u8], time: Option<DateTime>, at: At<'_>) {
        if secrets::in_continuation(line) {
            self.password_line(at);
        }
        if self.recogniser.recognise(LogProgram::Bare, Level::Info, line).is_none() {
            return;
        }
        // Where nothing says when, it is no earlier than the line before it.
        let time = time.unwrap_or(self.clock);
        self.seen_at(time);
        self.message(LogProgram::Bare, Level::Info, time, line, at.file, at.place);
    }

    fn error_of_codis(&mut self, error: &[u8]) {
        if let Some(mut pending) = self.pending.take() {
            pending.message.push(b' ');
            pending.message.extend_from_slice(ERROR_OF_CODIS);
            pending.message.extend_from_slice(error);
            self.pending = Some(pending);
        }
        self.end_message();
    }

    /// Looks at a message that may have gone on until here.
    fn end_message(&mut self) {
        if let Some(Pending { time, level, message, file, place }) = self.pending.take() {
            self.message(LogProgram::Codis, level, time, &message, &file, place);
        }
    }

    fn seen_at(&mut self, time: DateTime) {
        self.source.lines += 1;
        self.clock = time;
        self.oldest = Some(self.oldest.map_or(time, |oldest| oldest.min(time)));
        self.newest = Some(self.newest.map_or(time, |newest| newest.max(time)));
    }

    fn message(
        &mut self,
        program: LogProgram,
        level: Level,
        time: DateTime,
        message: &[u8],
        file: &str,
        place: LinePlace,
    ) {
        let recogniser = self.recogniser;
        let Some(found) = recogniser.recognise(program, level, message) else { return };
        let mut hasher = DefaultHasher::new();
        (shown(time), message).hash(&mut hasher);
        if self.seen.insert(hasher.finish()) {
            self.count(&found, time, message, file, place);
        }
    }

    fn password_line(&mut self, at: At<'_>) {
        self.source.password_lines += 1;
        if at.readable_by_all && self.source.exposed.is_none() {
            self.source.exposed = Some(at.file.to_owned());
        }
    }

    fn count(
        &mut self,
        recognised: &Recognised<'_, '_>,
        time: DateTime,
        message: &[u8],
        file: &str,
        place: LinePlace,
    ) {
        let group = |name: &str| recognised.group(name).to_vec();
        // Lines that are known only as such are told apart by what they say.
        let status = if recognised.message.any_end { message.to_vec() } else { group("status") };
        let key = (recognised.message.id.clone(), group("host"), status);
        if self.groups.len() >= MAX_LOG_GROUPS && !self.groups.contains_key(&key) {
            return;
        }
        let group = self.groups.entry(key).or_insert_with(|| Group::of(recognised.message));
        group.times.push(time);
        if time >= group.newest {
            group.newest = time;
            group.message.clear();
            group.message.extend_from_slice(message);
            file.clone_into(&mut group.file);
            group.place = place;
        }
    }

    fn finish(mut self) -> Gathered {
        self.source.oldest = self.oldest.map(shown);
        self.source.newest = self.newest.map(shown);
        let mut times = Vec::new();
        for group in self.groups.into_values() {
            let level = if group.is_end { Level::Fatal } else { Level::Info };
            let Some(recognised) = self.recogniser.recognise(group.program, level, &group.message) else {
                continue;
            };
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
    // Its lines are not newer than it; those of a later month are a year older.
    let last = || modified(&found.metadata).map(|time| Begin { year: time.year(), month: 1 });
    Ok(stated.or_else(last).unwrap_or(Begin { year: 1970, month: 1 }))
}

/// When a file was written to for the last time, by the clock of this host.
fn modified(metadata: &Metadata) -> Option<DateTime> {
    let time = jiff::Timestamp::try_from(metadata.modified().ok()?).ok()?;
    Some(time.to_zoned(TimeZone::system()).datetime())
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
