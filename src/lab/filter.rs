//! Ports that a packet filter drops, for real servers. Only in a network of their own.

use std::fs;
use std::io::{self, Write};
use std::process::{Command, Stdio};

/// A port at which all packets are dropped until this is dropped itself.
pub struct Filter {
    port: u16,
}

impl Filter {
    /// Whether packets can be dropped here: there is `nft`, and this is a network of its own, without any card, as
    /// `unshare -n` makes one.
    pub fn is_possible() -> bool {
        let cards = fs::read_to_string("/proc/net/dev").unwrap_or_default();
        let mut cards = cards.lines().filter_map(|line| line.split_once(':')).map(|(card, _)| card.trim());
        cards.all(|card| card == "lo") && which::which("nft").is_ok()
    }

    /// Drops what is sent to a port from now on.
    pub fn new(port: u16) -> io::Result<Self> {
        let filter = Self { port };
        let rule = format!("tcp dport {port} drop");
        nft(&format!(
            "add table ip {table}\nadd chain ip {table} in {{ type filter hook input priority 0; }}\nadd rule ip {table} in {rule}\n",
            table = filter.table(),
        ))?;
        Ok(filter)
    }

    fn table(&self) -> String {
        format!("pikadoctor_{}", self.port)
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        let _ = nft(&format!("delete table ip {}\n", self.table()));
    }
}

fn nft(rules: &str) -> io::Result<()> {
    let mut child = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(rules.as_bytes())?;
    }
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("nft ended with {status}"))) }
}
