//! Passwords: where they come from, and what remains of them.

use std::fmt;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A password on its way to a server. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
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

/// Turns secrets into tokens that are equal for equal secrets within one run, and say nothing else.
pub struct Tokens {
    key: [u8; 32],
}

impl Tokens {
    /// With a key that is forgotten at the end of the run.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn new() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system gives random bytes");
        Self { key }
    }

    /// Those of this run of the program: whatever is collected by the same run can be compared.
    pub fn of_this_run() -> &'static Self {
        static TOKENS: OnceLock<Tokens> = OnceLock::new();
        TOKENS.get_or_init(Self::new)
    }

    /// `""` for an empty secret, `secret:` and twelve hexadecimal digits for any other.
    pub fn token(&self, secret: &str) -> String {
        if secret.is_empty() {
            return String::new();
        }
        let hash = blake3::keyed_hash(&self.key, secret.as_bytes());
        format!("secret:{}", &hash.to_hex()[..12])
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a password could not be had.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The file cannot be read.
    #[error("cannot read the password file {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file has no first line, or more than one.
    #[error("the password file {} must hold the password on its only line", .0.display())]
    NotOneLine(PathBuf),
    /// `--ask-password` without a terminal.
    #[error("--ask-password needs a terminal; use PIKADOCTOR_PASSWORD or --password-file")]
    NoTerminal,
    /// The terminal cannot be read.
    #[error("cannot read the password from the terminal: {0}")]
    Prompt(io::Error),
}

/// The environment variable that holds the password.
pub const PASSWORD_VARIABLE: &str = "PIKADOCTOR_PASSWORD";

/// Reads a password file: the password is its only line. A line feed at the end does not belong to it.
pub fn read_password_file(path: &Path) -> Result<Password, PasswordError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| PasswordError::File { path: path.to_owned(), source })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains('\n') {
        return Err(PasswordError::NotOneLine(path.to_owned()));
    }
    Ok(Password::new(line))
}

/// Asks for a password on the terminal.
pub fn ask_password(target: &str) -> Result<Password, PasswordError> {
    if !io::stdin().is_terminal() {
        return Err(PasswordError::NoTerminal);
    }
    rpassword::prompt_password(format!("Password of {target}: "))
        .map(Password::new)
        .map_err(PasswordError::Prompt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_compare_as_their_secrets_do_and_do_not_show_them() {
        let tokens = Tokens::new();
        assert_eq!(tokens.token("a"), tokens.token("a"));
        assert_ne!(tokens.token("a"), tokens.token("b"));
        assert_eq!(tokens.token(""), "");
        assert!(!tokens.token("open sesame").contains("sesame"));
        assert_ne!(tokens.token("a"), Tokens::new().token("a"), "another run has other tokens");
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
        assert!(matches!(read(""), Err(PasswordError::NotOneLine(_))));
        assert!(matches!(read("one\ntwo\n"), Err(PasswordError::NotOneLine(_))));
        let missing = read_password_file(Path::new("no/such/file"));
        assert!(missing.unwrap_err().to_string().contains("no/such/file"));
    }
}
