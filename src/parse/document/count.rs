//! Counts what a JSON text holds, before anything is made of it: a value takes many times the bytes that it is written
//! with, `{},` some forty times, and a text of thirty megabytes has ten million of them.

/// Whether a text has more values and names than `most`. What is no JSON is counted as if it were.
pub fn has_more_values_than(text: &[u8], most: usize) -> bool {
    let (mut count, mut quoted, mut at) = (0_usize, false, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            // Each of them stands before a value or a name, or opens what would be one when it is empty.
            b',' | b':' | b'[' | b'{' if !quoted => {
                count += 1;
                if count > most {
                    return true;
                }
            }
            _ => {}
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_what_stands_in_texts_is_not() {
        for (text, count) in [
            ("", 0),
            ("7", 0),
            ("[]", 1),
            ("[1, 2]", 2),
            (r#"{"a": "x,[{:", "b\"\\": {}}"#, 5),
            (r#"[{"":0},{"":0}]"#, 6),
            ("[[[[", 4),
        ] {
            assert!(!has_more_values_than(text.as_bytes(), count), "{text}");
            assert!(count == 0 || has_more_values_than(text.as_bytes(), count - 1), "{text}");
        }
    }
}
