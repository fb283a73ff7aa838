//! What remains of the secrets that a text holds.

use std::sync::OnceLock;

use ring::hmac;

/// Turns secrets into tokens that are equal for equal secrets within one run, and say nothing else.
pub struct Tokens {
    key: hmac::Key,
}

impl Tokens {
    /// With a key that is forgotten at the end of the run.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn new() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system gives random bytes");
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key) }
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
        let tag = hmac::sign(&self.key, secret.as_bytes());
        let digits: String = tag.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("secret:{digits}")
    }

    /// The token of a secret that is compared with its own kind alone. Whoever may list as many texts as they like, as a
    /// coordinator does, must not find out by their tokens which of them is the password of somebody else.
    pub fn token_among(&self, kind: &str, secret: &str) -> String {
        if secret.is_empty() { String::new() } else { self.token(&format!("{kind}\0{secret}")) }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self::new()
    }
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
        assert_eq!(tokens.token_among("acl", "a"), tokens.token_among("acl", "a"));
        assert_ne!(tokens.token_among("acl", "a"), tokens.token("a"), "a guess is not answered");
        assert_eq!(tokens.token_among("acl", ""), "");
        assert_ne!(tokens.token("a"), Tokens::new().token("a"), "another run has other tokens");
    }
}
