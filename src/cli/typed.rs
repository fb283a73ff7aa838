//! What was typed may hold a password, and a message that repeats it must not.

use std::borrow::Cow;
use std::ffi::OsString;

/// The command line of this run, as far as passwords may stand in it.
///
/// The program takes no password as an argument, because other users see arguments; people type one nevertheless. A message
/// about such an argument is kept in logs of CI and in tickets.
pub struct Typed {
    /// Pieces of arguments, with what comes in their place.
    hidden: Vec<(String, &'static str)>,
}

impl Typed {
    /// What must be hidden of these arguments.
    pub fn of(arguments: &[OsString]) -> Self {
        let texts = arguments.iter().skip(1).map(|argument| argument.to_string_lossy());
        Self { hidden: texts.flat_map(|text| [user_info(&text), assigned(&text)]).flatten().collect() }
    }

    /// The text without them.
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.hidden.iter().fold(Cow::Borrowed(text), |text, (piece, instead)| {
            if text.contains(piece) { Cow::Owned(text.replace(piece, instead)) } else { text }
        })
    }
}

/// The user and the password in front of a host: `redis://user:password@host`, `password@host`.
fn user_info(argument: &str) -> Option<(String, &'static str)> {
    let value = argument
        .strip_prefix('-')
        .and_then(|option| option.split_once('='))
        .map_or(argument, |(_, value)| value);
    let authority = value.split_once("://").map_or(value, |(_, rest)| rest);
    let (info, _) = authority.rsplit_once('@').filter(|(info, _)| !info.is_empty())?;
    Some((format!("{info}@"), "…@"))
}

/// The value of an option or a variable whose name says that it is a secret.
fn assigned(argument: &str) -> Option<(String, &'static str)> {
    const WORDS: [&str; 5] = ["pass", "auth", "secret", "token", "pwd"];
    let (name, value) = argument.split_once('=').filter(|(_, value)| !value.is_empty())?;
    let name = name.to_ascii_lowercase();
    // The file of a password is no password.
    let is_secret = WORDS.iter().any(|word| name.contains(word)) && !name.ends_with("file");
    is_secret.then(|| (value.to_owned(), "…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_and_the_rest_is_repeated() {
        for (argument, message, shown) in [
            ("redis://:hunter2@h:1", "`redis://:hunter2@h:1` is wrong", "`redis://…@h:1` is wrong"),
            ("hunter2@h", "'hunter2@h'", "'…@h'"),
            ("--codis=ftp://u:p@w@h", "'ftp://u:p@w@h'", "'ftp://…@h'"),
            (
                "--ask-password=hunter2",
                "value 'hunter2' for '--ask-password'",
                "value '…' for '--ask-password'",
            ),
            ("PIKADOCTOR_PASSWORD=hunter2", "'PIKADOCTOR_PASSWORD=hunter2'", "'PIKADOCTOR_PASSWORD=…'"),
            ("--password-file=pw", "cannot read pw", "cannot read pw"),
            ("10.0.0.1:9221", "10.0.0.1:9221", "10.0.0.1:9221"),
            ("@", "no '@' there", "no '@' there"),
        ] {
            let typed = Typed::of(&["pikadoctor".into(), argument.into()]);
            assert_eq!(typed.hide(message), shown, "{argument}");
        }
    }
}
