//! Ports that a packet filter drops, for real servers. Only in a network that is not the one of the whole machine.

use std::fs;
use std::io::{self, Write};
use std::process::{Command, Stdio};

/// A port at which all packets are dropped until this is dropped itself.
pub struct Filter {
    port: u16,
}

impl Filter {
    /// Whether packets can be dropped here: there is `nft`, and what it does is seen in this network alone.
    pub fn is_possible() -> bool {
        let network = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).ok();
        let is_apart = network("self").is_some_and(|own| network("1").is_some_and(|first| own != first));
        is_apart && which::which("nft").is_ok()
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
