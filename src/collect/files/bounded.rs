//! Reads what may be larger than it should be.

use std::io::{self, Read};

/// Everything that `source` gives, if that is at most `most` bytes; `None` if there is more. The length is bounded here
/// and not by the metadata, which say nothing about pipes and devices.
pub fn read_bounded(source: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(u64::try_from(bytes.len()).is_ok_and(|length| length <= most).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_not_read_to_its_end() {
        assert_eq!(read_bounded(io::repeat(b'a'), 4).unwrap(), None);
        assert_eq!(read_bounded(io::repeat(b'a').take(4), 4).unwrap().unwrap(), b"aaaa");
        assert_eq!(read_bounded(io::empty(), 0).unwrap().unwrap(), b"");
    }
}
