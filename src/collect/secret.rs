//! Passwords, and where they come from.

use std::env::VarError;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::files::open::read_named;
use crate::model::limits::MAX_PASSWORD_FILE_BYTES;
use crate::parse::document::rewrite::rewrite_texts;
use crate::parse::document::shorten::shortened;
use crate::parse::hide::secrets::Secrets;

/// Every secret that this process was given, for [`hide_in`] and [`hide_in_text`].
static GIVEN: Mutex<Option<Secrets>> = Mutex::new(None);

/// Notes a secret: from now on nothing that is printed or kept holds it.
pub fn note(text: &str) {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    given.get_or_insert_default().add(text);
}

/// The secrets that this process was given until now.
fn given() -> Secrets {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
}

/// A value without the secrets that this process was given, whoever repeated them, and without more of a text than is
/// kept of one: facts, or what another program is asked.
///
/// # Errors
/// When something is left that cannot be read any more, as a release that is a password.
pub fn hide_in<T: Serialize + DeserializeOwned>(value: T) -> Result<T, serde_json::Error> {
    let secrets = given();
    // Hidden first: what is left of a secret at a cut is harder to see.
    rewrite_texts(&value, &|text| {
        let hidden = secrets.hide(text);
        shortened(hidden.as_deref().unwrap_or(text)).or(hidden)
    })
}

/// The environment variables that no other program inherits: those of this program, and whatever holds a secret.
pub fn secret_variables() -> Vec<OsString> {
    let secrets = given();
    let holds_one = |(name, value): &(OsString, OsString)| {
        name.to_string_lossy().starts_with(VARIABLES) || secrets.hide(&value.to_string_lossy()).is_some()
    };
    std::env::vars_os().filter(holds_one).map(|(name, _)| name).collect()
}

/// A text for the standard error without them.
pub fn hide_in_text(text: &str) -> String {
    given().hide(text).unwrap_or_else(|| text.to_owned())
}

/// A password on its way to a server. It cannot be printed, and whoever repeats it is not, either.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        note(&text);
        Self(text)
    }

    /// The password itself, for AUTH alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the password file {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// There is no such file, and what was named may be the password itself.
    #[error("there is no password file of the name that was given in {}; the password itself is never an argument", .0.display())]
    NoSuchFile(PathBuf),
    /// The file has no first line, or more than one.
    #[error("the password file {} must hold the password on its only line", .0.display())]
    NotOneLine(PathBuf),
    /// `--ask-password` without a terminal.
    #[error("--ask-password needs a terminal; use PIKADOCTOR_PASSWORD or --password-file")]
    NoTerminal,
    /// The environment variable holds no text.
    #[error("{0} is not valid UTF-8")]
    NotUnicode(String),
    /// The environment variable must hold a user and a password.
    #[error("{0} must be user:password")]
    NoCredentials(String),
    /// The terminal cannot be read.
    #[error("cannot read the password from the terminal: {0}")]
    Prompt(io::Error),
}

impl SecretError {
    /// The directory says enough: the rest of the path is not repeated.
    pub fn no_such_file(path: &Path) -> Self {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Self::NoSuchFile(directory.unwrap_or(Path::new(".")).to_owned())
    }
}

/// How the variables of this program begin.
pub const VARIABLES: &str = "PIKADOCTOR_";

/// The environment variable that holds the password.
pub const PASSWORD_VARIABLE: &str = "PIKADOCTOR_PASSWORD";

/// The secret in an environment variable. An empty one is a secret, too; it is for the caller to say what it means.
pub fn secret_in(variable: &str) -> Result<Option<Password>, SecretError> {
    match std::env::var(variable) {
        Ok(text) => Ok(Some(Password::new(text))),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(SecretError::NotUnicode(variable.to_owned())),
    }
}

/// The password in an environment variable; an empty one is none.
pub fn password_in(variable: &str) -> Result<Option<Password>, SecretError> {
    Ok(secret_in(variable)?.filter(|password| !password.expose().is_empty()))
}

/// The `user:password` in an environment variable; an empty one is none.
pub fn credentials_in(variable: &str) -> Result<Option<Password>, SecretError> {
    match password_in(variable)? {
        Some(credentials) if !credentials.expose().contains(':') => {
            Err(SecretError::NoCredentials(variable.to_owned()))
        }
        credentials => Ok(credentials),
    }
}

/// Reads a password file: the password is its only line. A line feed at the end does not belong to it.
pub fn read_password_file(path: &Path) -> Result<Password, SecretError> {
    let fail = |source: io::Error| match source.kind() {
        // A word alone may be the password itself.
        io::ErrorKind::NotFound if path.components().count() == 1 => SecretError::no_such_file(path),
        _ => SecretError::File { path: path.to_owned(), source },
    };
    let bytes = read_named(path, MAX_PASSWORD_FILE_BYTES).map_err(fail)?;
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(|| SecretError::NotOneLine(path.to_owned()))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains('\n') {
        return Err(SecretError::NotOneLine(path.to_owned()));
    }
    Ok(Password::new(line))
}

/// Asks for a password on the terminal.
pub fn ask_password(target: &str) -> Result<Password, SecretError> {
    if !io::stdin().is_terminal() {
        return Err(SecretError::NoTerminal);
    }
    rpassword::prompt_password(format!("Password of {target}: "))
        .map(Password::new)
        .map_err(SecretError::Prompt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_cannot_be_printed() {
        assert_eq!(format!("{:?}", Password::new("sesame")), "Password(…)");
    }

    #[test]
    fn a_password_file_holds_one_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_password_file(&path)
        };
        assert_eq!(read("a b#c \n").unwrap().expose(), "a b#c ", "blanks belong to the password");
        assert_eq!(read("abc\r\n").unwrap().expose(), "abc");
        assert!(matches!(read(""), Err(SecretError::NotOneLine(_))));
        assert!(matches!(read("one\ntwo\n"), Err(SecretError::NotOneLine(_))));
        let missing = read_password_file(Path::new("no/such/file"));
        assert!(missing.unwrap_err().to_string().contains("no/such/file"));
    }
}
