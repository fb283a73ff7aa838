//! The MANIFEST of a RocksDB: which data files the database consists of.
//!
//! It is a log of changes: blocks of 32 KiB, in each of them records (checksum, length, kind), of which one or several make an entry. An
//! entry is a list of fields, each with a tag. Source: db/version_edit.cc and db/log_reader.cc of RocksDB 5.x to 8.x.

use std::collections::BTreeSet;

/// Why a manifest says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is in a form that this reader does not know.
    #[error("it is in a form that is not known here")]
    Unknown,
    /// It has no entry at all.
    #[error("it is empty")]
    Empty,
}

const BLOCK: usize = 32 * 1024;
/// Fields that a reader may pass over have this bit, and say how long they are.
const MAY_BE_IGNORED: u64 = 1 << 13;

/// The numbers of the data files that a database consists of.
pub fn data_files(manifest: &[u8]) -> Result<BTreeSet<u64>, ManifestError> {
    let mut files = BTreeSet::new();
    let mut entry = Vec::new();
    let mut any = false;
    for block in manifest.chunks(BLOCK) {
        let mut rest = block;
        while let Some((kind, body, after)) = record(rest) {
            rest = after;
            match kind {
                // Whole, or the last part of one.
                1 | 4 => {
                    entry.extend_from_slice(body);
                    apply(&entry, &mut files).ok_or(ManifestError::Unknown)?;
                    entry.clear();
                    any = true;
                }
                2 => entry = body.to_vec(),
                3 => entry.extend_from_slice(body),
                _ => return Err(ManifestError::Unknown),
            }
        }
    }
    if any { Ok(files) } else { Err(ManifestError::Empty) }
}

/// The first record of a block: its kind, what it holds, what follows. `None`: the rest is padding, or not yet written.
fn record(block: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = block.split_at_checked(7)?;
    let length = usize::from(u16::from_le_bytes([head[4], head[5]]));
    // Kinds from 5 on are those of recycled logs, which have a longer head.
    let kind = head[6];
    if kind == 0 {
        return None;
    }
    let (body, after) = rest.split_at_checked(length)?;
    Some((kind, body, after))
}

/// Applies an entry. `None`: it has a field that is not known.
fn apply(entry: &[u8], files: &mut BTreeSet<u64>) -> Option<()> {
    let mut fields = Fields(entry);
    while !fields.0.is_empty() {
        match fields.number()? {
            // Comparator; the name of a column family.
            1 | 201 => fields.skip()?,
            // Numbers of logs and files, the last sequence, and what belongs to a column family.
            2 | 3 | 4 | 9 | 10 | 200 | 203 | 300 => {
                fields.number()?;
            }
            // A place from which a compaction goes on.
            5 => {
                fields.number()?;
                fields.skip()?;
            }
            6 => {
                fields.number()?;
                let number = fields.number()?;
                files.remove(&number);
            }
            tag @ (7 | 100 | 102 | 103) => {
                fields.number()?;
                let number = fields.number()?;
                if tag == 102 {
                    fields.number()?;
                }
                // Its size, and its smallest and its largest key.
                fields.number()?;
                fields.skip()?;
                fields.skip()?;
                if tag != 7 {
                    fields.number()?;
                    fields.number()?;
                }
                if tag == 103 {
                    while fields.number()? != 1 {
                        fields.skip()?;
                    }
                }
                files.insert(number);
            }
            202 => {}
            tag if tag & MAY_BE_IGNORED != 0 => fields.skip()?,
            _ => return None,
        }
    }
    Some(())
}

/// What is left of an entry.
struct Fields<'e>(&'e [u8]);

impl Fields<'_> {
    /// A number of seven bits a byte, the lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Something that begins with its length.
    fn skip(&mut self) -> Option<()> {
        let length = usize::try_from(self.number()?).ok()?;
        self.0 = self.0.get(length..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record, without a right checksum: that of a file that is written to may be behind anyway.
    fn whole(entry: &[u8]) -> Vec<u8> {
        part(1, entry)
    }

    fn part(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_le_bytes();
        [&[0, 0, 0, 0, length[0], length[1], kind], body].concat()
    }

    /// A file of level 0 in the form of RocksDB 5 and later.
    fn added(number: u8) -> Vec<u8> {
        // Tag 103, level, number, size, two keys, two sequences, a field of two bytes, the end.
        vec![103, 0, number, 9, 1, b'a', 1, b'z', 1, 2, 5, 2, 7, 7, 1]
    }

    #[test]
    fn files_that_were_added_and_not_removed_are_there() {
        let first = [vec![1, 3, b'c', b'm', b'p', 2, 4, 3, 5, 4, 6], added(7), added(8)].concat();
        let second =
            [vec![6, 0, 7], vec![100, 1, 9, 9, 1, b'a', 1, b'z', 1, 2], vec![0x81, 0x40, 1, 0]].concat();
        let manifest = [whole(&first), whole(&second)].concat();
        assert_eq!(data_files(&manifest), Ok(BTreeSet::from([8, 9])));
        // An entry in two parts, and blocks that are filled up.
        let (head, tail) = first.split_at(9);
        let manifest = [part(2, head), part(4, tail), whole(&second), vec![0; 6]].concat();
        assert_eq!(data_files(&manifest), Ok(BTreeSet::from([8, 9])));
    }

    #[test]
    fn what_is_no_manifest_is_no_database_without_files() {
        assert_eq!(data_files(b""), Err(ManifestError::Empty));
        assert_eq!(data_files(&whole(&[99, 1])), Err(ManifestError::Unknown));
        assert_eq!(data_files(&whole(&[103, 0])), Err(ManifestError::Unknown), "it ends too early");
        assert_eq!(data_files(&part(9, b"x")), Err(ManifestError::Unknown));
        // A last record that is being written is left out.
        let manifest = [whole(&added(7)), part(1, &added(8))[..12].to_vec()].concat();
        assert_eq!(data_files(&manifest), Ok(BTreeSet::from([7])));
    }
}
