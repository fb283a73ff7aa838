//! Short names for texts: the same for the same text on every machine and in every run.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

/// The first hexadecimal digits of the SHA-256 of `text`, at most 64 of them.
pub fn fingerprint(text: &str, digits: usize) -> String {
    let mut hex = digest(&SHA256, text.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    hex.truncate(digits);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sha_256_that_everybody_knows() {
        assert_eq!(fingerprint("abc", 16), "ba7816bf8f01cfea");
        assert_eq!(fingerprint("", 64), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
