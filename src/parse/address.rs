//! Reads `HOST:PORT`.
//!
//! A person may leave the port out: [`address_or`]. What a program registered must have one: [`address`]. Both agree
//! about everything else, as do `net.SplitHostPort` and `net.ResolveTCPAddr` of Go, with which Codis reads its own
//! addresses (`replaceUnspecifiedIP` in pkg/utils/resolver.go of Codis 3.2.2): an IPv6 address before a port stands in
//! brackets, and port 0 is refused. Codis does not look at the address of a server that is added to a group; what it
//! cannot dial there is no address here either.

use std::net::{IpAddr, Ipv6Addr};

use crate::model::address::Address;

/// The client port of Pika where none is named.
pub const PIKA_PORT: u16 = 9221;

/// The longest host name that DNS can hold, in characters.
const DNS_NAME_LENGTH: usize = 253;

/// Why a text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A user or a password in front of the host. What was written is not repeated.
    #[error(
        "an address has no user and no password in it; a password comes from PIKADOCTOR_PASSWORD or a file"
    )]
    Credentials,
    /// A character that neither a host name nor an IP address has.
    #[error("a host name has no {0:?}; write HOST:PORT")]
    Character(char),
    /// An opening bracket without its other half.
    #[error("the bracket `[` is not closed")]
    Bracket,
    /// Something behind the closing bracket that does not begin with a colon.
    #[error("`{0}` after `]` is not a port")]
    AfterBracket(String),
    /// Nothing before the colon.
    #[error("the host is missing; write HOST:PORT")]
    NoHost,
    /// A name longer than DNS allows.
    #[error("a host name has at most {DNS_NAME_LENGTH} characters")]
    TooLong,
    /// Several colons, or brackets, and not an IPv6 address.
    #[error("`{0}` is not an IPv6 address; write HOST:PORT or [IPV6]:PORT")]
    NotIpv6(String),
    /// No number from 1 to 65535 behind the colon.
    #[error("`{0}` is not a port from 1 to 65535")]
    Port(String),
    /// A host without a port, where there is no default.
    #[error("the port is missing; write HOST:PORT")]
    NoPort,
}

/// Reads an address as people write it, of a Pika: `HOST:PORT`, `HOST`, `[IPV6]:PORT`, `[IPV6]` or `IPV6`.
pub fn pika_address(text: &str) -> Result<Address, AddressError> {
    address_or(text, PIKA_PORT)
}

/// Reads an address as people write it: `HOST:PORT`, `HOST`, `[IPV6]:PORT`, `[IPV6]` or `IPV6`.
pub fn address_or(text: &str, default_port: u16) -> Result<Address, AddressError> {
    let (host, port) = split(text)?;
    let port = port.map_or(Ok(default_port), read_port)?;
    Ok(Address { host: host.to_owned(), port })
}

/// Reads an address that others dial as it is: `HOST:PORT` or `[IPV6]:PORT`.
pub fn address(text: &str) -> Result<Address, AddressError> {
    let (host, port) = split(text)?;
    let port = read_port(port.ok_or(AddressError::NoPort)?)?;
    Ok(Address { host: host.to_owned(), port })
}

/// The IP address that `host` is; `None` for a name. The zone of a link-local address (`fe80::1%eth0`) is left out.
pub fn ip(host: &str) -> Option<IpAddr> {
    match host.split_once('%') {
        None => host.parse().ok(),
        Some((address, _)) => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
    }
}

/// The host, which is checked, and the text of the port.
fn split(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    if text.contains('@') {
        return Err(AddressError::Credentials);
    }
    let (host, port, bracketed) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(AddressError::Bracket)?;
        let port = match rest {
            "" => None,
            _ => Some(rest.strip_prefix(':').ok_or_else(|| AddressError::AfterBracket(rest.to_owned()))?),
        };
        (host, port, true)
    } else {
        match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port), false),
            // No colon at all, or an IPv6 address without brackets, which has no port.
            _ => (text, None, false),
        }
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    if let Some(bad) = host.chars().find(|c| !allowed(*c)) {
        return Err(AddressError::Character(bad));
    }
    if host.is_empty() {
        return Err(AddressError::NoHost);
    }
    if bracketed || host.contains([':', '%']) {
        let is_ipv6 = matches!(ip(host), Some(IpAddr::V6(_)));
        return if is_ipv6 { Ok((host, port)) } else { Err(AddressError::NotIpv6(host.to_owned())) };
    }
    if host.len() > DNS_NAME_LENGTH { Err(AddressError::TooLong) } else { Ok((host, port)) }
}

fn read_port(text: &str) -> Result<u16, AddressError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port > 0);
    port.ok_or_else(|| AddressError::Port(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_write() {
        for (text, host, port) in [
            ("10.0.0.1:9221", "10.0.0.1", 9221),
            ("pika-a", "pika-a", 9221),
            ("pika_a.:9300", "pika_a.", 9300),
            ("[::1]:9300", "::1", 9300),
            ("[::1]", "::1", 9221),
            ("fe80::1", "fe80::1", 9221),
            ("[fe80::1%eth0]:9300", "fe80::1%eth0", 9300),
        ] {
            assert_eq!(pika_address(text), Ok(Address { host: host.into(), port }), "{text}");
        }
        for (text, error) in [
            ("", AddressError::NoHost),
            (":9221", AddressError::NoHost),
            ("nonsense:port", AddressError::Port("port".into())),
            ("a:0", AddressError::Port("0".into())),
            ("a:+1", AddressError::Port("+1".into())),
            ("a:", AddressError::Port(String::new())),
            ("a:65536", AddressError::Port("65536".into())),
            ("[::1", AddressError::Bracket),
            ("[::1]9221", AddressError::AfterBracket("9221".into())),
            ("[pika-a]:1", AddressError::NotIpv6("pika-a".into())),
            ("[10.0.0.1]:1", AddressError::NotIpv6("10.0.0.1".into())),
            ("a%b:1", AddressError::NotIpv6("a%b".into())),
            ("a:b:c", AddressError::NotIpv6("a:b:c".into())),
            ("http://a:1", AddressError::Character('/')),
            ("a b:1", AddressError::Character(' ')),
            ("user@a:1", AddressError::Credentials),
            ("$(reboot):1", AddressError::Character('$')),
        ] {
            assert_eq!(pika_address(text), Err(error), "{text:?}");
        }
        assert_eq!(pika_address(&format!("{}:1", "a".repeat(254))), Err(AddressError::TooLong));
    }

    #[test]
    fn what_programs_register() {
        for (text, host, port) in [
            ("10.0.0.1:19000", "10.0.0.1", 19000),
            ("vm:19000", "vm", 19000),
            ("[fd00::1]:9221", "fd00::1", 9221),
        ] {
            assert_eq!(address(text), Ok(Address { host: host.into(), port }), "{text}");
        }
        // Go says of the last one "too many colons in address".
        for text in ["", ":1", "10.0.0.1", "10.0.0.1:0", "a:b", "a\n:1", "h:70000", "fd00::1:9221"] {
            assert!(address(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_printed_as_it_was(text in "[a-z0-9.:\\[\\]%/_-]{0,24}", port in 0_u32..70_000) {
            let text = format!("{text}:{port}");
            if let Ok(read) = address(&text) {
                prop_assert_eq!(address(&read.to_string()), Ok(read.clone()));
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }
}
