//! What the operating system and the resolver say.

use std::io;

use super::reasons;
use crate::model::reason::{Reason, Refused};

/// What an I/O error says. Errors that are met every day have a sentence in both languages; any other is passed on
/// as the system words it.
pub fn io_error(error: &io::Error) -> Reason {
    let known: Option<fn() -> Reason> = match error.raw_os_error() {
        Some(2) => Some(reasons::os_not_found),
        Some(13) => Some(reasons::os_permission_denied),
        Some(24) => Some(reasons::os_too_many_files),
        Some(101) => Some(reasons::os_network_unreachable),
        Some(104) => Some(reasons::os_connection_reset),
        Some(110) => Some(reasons::os_timed_out),
        Some(111) => Some(reasons::os_connection_refused),
        Some(113) => Some(reasons::os_no_route),
        _ => None,
    };
    if let Some(known) = known {
        return known();
    }
    if let Some(Refused(reason)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return reason.clone();
    }
    let text = error.to_string();
    // The standard library gives the words of getaddrinfo, and no number with them.
    match text.strip_prefix("failed to lookup address information: ") {
        Some("Name or service not known") => reasons::lookup_failed(reasons::resolver_name_unknown()),
        Some("Temporary failure in name resolution") => {
            reasons::lookup_failed(reasons::resolver_temporary_failure())
        }
        Some(other) => reasons::lookup_failed(other),
        None => Reason::verbatim(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_are_those_of_the_system() {
        let refused = io_error(&Refused(reasons::no_regular_file()).into());
        assert_eq!(refused.id(), Some("no-regular-file"));
        for number in [2, 13, 24, 101, 104, 110, 111, 113] {
            let error = io::Error::from_raw_os_error(number);
            let reason = io_error(&error);
            assert!(reason.id().is_some(), "{number}");
            assert_eq!(reason.as_str(), error.to_string());
        }
        let odd = io_error(&io::Error::from_raw_os_error(28));
        assert_eq!((odd.id(), odd.as_str()), (None, "No space left on device (os error 28)"));
        let name = io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(io_error(&name).as_str(), name.to_string());
    }
}
