//! Did you mean …?

/// The name whose spelling is nearest to `word`, if at most `most` letters are wrong. Two letters in each other's place
/// are one mistake. `known`: spellings, each with what it stands for.
pub fn nearest<S: AsRef<str>, T: Ord>(
    word: &str,
    known: impl IntoIterator<Item = (S, T)>,
    most: usize,
) -> Option<T> {
    known
        .into_iter()
        .map(|(spelling, name)| (strsim::damerau_levenshtein(spelling.as_ref(), word), name))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, name)| name)
}

/// `; did you mean `timeout`?`, or nothing.
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    match nearest(word, known.into_iter().map(|name| (name, name)), 3) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_no_distant_one() {
        assert_eq!(did_you_mean("tiemout", ["timeout", "time"]), "; did you mean `timeout`?");
        assert_eq!(did_you_mean("colour", ["timeout"]), "");
        let short = [("node/clients", "node/clients"), ("clients", "node/clients"), ("links", "node/links")];
        assert_eq!(nearest("client", short, 4), Some("node/clients"));
    }
}
