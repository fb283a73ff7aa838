//! A text as it reads when one way of writing is undone.

/// A text that was decoded, with the place of each byte in the text that it was decoded from.
pub struct DecodedText {
    /// What it says.
    pub bytes: Vec<u8>,
    /// The first byte and the end of what each byte was written as. `None`: one byte for one.
    places: Option<Vec<(usize, usize)>>,
}

impl DecodedText {
    /// The text as it is.
    pub fn plain(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), places: None }
    }

    /// The part of the original text that `from..to` was written as.
    pub fn original(&self, from: usize, to: usize) -> (usize, usize) {
        match &self.places {
            None => (from, to),
            Some(places) => (places[from].0, places[to - 1].1),
        }
    }

    /// The same with what `decode` makes of it: for what stands at the beginning of a slice, the bytes that it means and how many
    /// it takes. `None`: nothing was encoded.
    fn decoded(&self, decode: impl Fn(&[u8]) -> Option<(Vec<u8>, usize)>) -> Option<Self> {
        let (mut bytes, mut places, mut changed) = (Vec::with_capacity(self.bytes.len()), Vec::new(), false);
        let mut at = 0;
        while at < self.bytes.len() {
            let (meant, taken) = match decode(&self.bytes[at..]) {
                Some(decoded) => {
                    changed = true;
                    decoded
                }
                None => (vec![self.bytes[at]], 1),
            };
            let place = self.original(at, at + taken);
            places.extend(meant.iter().map(|_| place));
            bytes.extend(meant);
            at += taken;
        }
        changed.then_some(Self { bytes, places: Some(places) })
    }
}

/// The text as it is, and as each way of writing would have it read, those within each other too.
pub fn views(text: &str) -> Vec<DecodedText> {
    let plain = DecodedText::plain(text);
    let mut all = Vec::new();
    // A line of JSON within JSON, an escaped text in an address: twice is what a proxy in between makes of one.
    for first in [escapes as Decode, percent, entities] {
        let Some(view) = plain.decoded(first) else { continue };
        for second in [escapes as Decode, percent, entities] {
            all.extend(view.decoded(second));
        }
        all.push(view);
    }
    all.push(plain);
    all
}

type Decode = fn(&[u8]) -> Option<(Vec<u8>, usize)>;

/// `%2F` and the `+` of a form.
fn percent(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    match text {
        [b'%', high, low, ..] => Some((vec![16 * digit(*high)? + digit(*low)?], 3)),
        [b'+', ..] => Some((vec![b' '], 1)),
        _ => None,
    }
}

/// The escapes of JSON, of RESP as Redis prints it, of Go and of this program.
fn escapes(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let [b'\\', kind, rest @ ..] = text else { return None };
    let byte = match kind {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'a' => 7,
        b'x' => return Some((vec![16 * digit(*rest.first()?)? + digit(*rest.get(1)?)?], 4)),
        b'u' if rest.first() == Some(&b'{') => {
            let end = rest.iter().take(10).position(|byte| *byte == b'}')?;
            return Some((character(&rest[1..end])?, end + 3));
        }
        b'u' => return Some((character(rest.get(..4)?)?, 6)),
        other if other.is_ascii_punctuation() || *other == b' ' => *other,
        _ => return None,
    };
    Some((vec![byte], 2))
}

/// `&amp;` and `&#39;`.
fn entities(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let [b'&', rest @ ..] = text else { return None };
    let end = rest.iter().take(9).position(|byte| *byte == b';')?;
    let byte = match &rest[..end] {
        b"amp" => b'&',
        b"lt" => b'<',
        b"gt" => b'>',
        b"quot" => b'"',
        b"apos" => b'\'',
        [b'#', b'x' | b'X', digits @ ..] => return Some((character(digits)?, end + 2)),
        [b'#', digits @ ..] => {
            let number: u32 = std::str::from_utf8(digits).ok()?.parse().ok()?;
            return Some((char::from_u32(number)?.to_string().into_bytes(), end + 2));
        }
        _ => return None,
    };
    Some((vec![byte], end + 2))
}

/// The character of a number in hexadecimal digits.
fn character(digits: &[u8]) -> Option<Vec<u8>> {
    let number = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some(char::from_u32(number)?.to_string().into_bytes())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
