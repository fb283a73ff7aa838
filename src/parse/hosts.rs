//! Reads the hosts that a person trusts.

use std::net::IpAddr;
use std::str::FromStr;

/// Hosts that a person trusts with passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// All.
    Any,
    /// A name or an address.
    One(String),
    /// A network: an address, and how many of its first bits count.
    Network(IpAddr, u8),
}

/// A text that names no hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a host, a network such as 10.0.0.0/8, or any")]
pub struct HostsError;

impl FromStr for Hosts {
    type Err = HostsError;

    fn from_str(text: &str) -> Result<Self, HostsError> {
        if text == "any" {
            return Ok(Self::Any);
        }
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| HostsError)?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.parse().ok().filter(|bits| *bits <= most).ok_or(HostsError)?;
            return Ok(Self::Network(address, bits));
        }
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == ',';
        if text.is_empty() || text.contains(odd) {
            return Err(HostsError);
        }
        Ok(Self::One(text.trim_start_matches('[').trim_end_matches(']').to_owned()))
    }
}

impl Hosts {
    /// Whether a host, by the name that it goes by, is one of them.
    pub fn hold(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::One(one) => one.eq_ignore_ascii_case(host),
            Self::Network(network, bits) => match (network, host.parse()) {
                (IpAddr::V4(network), Ok(IpAddr::V4(host))) => {
                    (network.to_bits() ^ host.to_bits()).leading_zeros() >= u32::from(*bits)
                }
                (IpAddr::V6(network), Ok(IpAddr::V6(host))) => {
                    (network.to_bits() ^ host.to_bits()).leading_zeros() >= u32::from(*bits)
                }
                _ => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_addresses_and_networks() {
        let holds = |hosts: &str, host: &str| hosts.parse::<Hosts>().unwrap().hold(host);
        assert!(holds("any", "x") && holds("DB1", "db1") && holds("[fd00::1]", "fd00::1"));
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("0.0.0.0/0", "1.2.3.4") && !holds("0.0.0.0/0", "::1") && holds("fd00::/8", "fdff::1"));
        assert!(!holds("10.0.0.1", "10.0.0.11") && !holds("10.0.0.0/8", "db1"));
        for text in ["", "a b", "10.0.0.0/33", "db1/8", "10.0.0.1,10.0.0.2"] {
            assert_eq!(text.parse::<Hosts>(), Err(HostsError), "{text}");
        }
    }
}
