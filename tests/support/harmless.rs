//! Promise 1, it does no harm: what may be sent to a server, and proxies that see all that is sent.

use pikadoctor::model::release::{Releases, Version};

use super::proxy::{OFFSETS, Proxy};
use super::{Run, pikadoctor};

/// What may be sent to a server, whatever it is: the derived ports, and the client port when nothing is written.
#[track_caller]
fn assert_harmless(version: &str, what: &str, proxy: &Proxy, writes: bool) {
    let version_number: Version = version.parse().unwrap();
    // Written out once more: what is promised must not follow a mistake in the eras.
    let is = |releases: &str| releases.parse::<Releases>().unwrap().contains(version_number);
    for offset in OFFSETS.into_iter().skip(1) {
        for bytes in proxy.sent(offset) {
            let text = String::from_utf8_lossy(&bytes);
            let allowed = match offset {
                // On 2.3.3 to 3.0.5 a connection alone makes the server take itself for a replica.
                1000 if is("2.3.3-2.3.8, 3.0.0-3.0.5") => false,
                1000 if is("3.1.0-3.4.1") => text.is_empty() || text == "@RSYNCD: 31.0\ndocument\n",
                // pika-hub writes there without a password.
                1100 => false,
                // TrySync from beyond the end of any binlog: answered with the position, and nothing is registered.
                2000 if is("3.1.0-3.4.1, 3.5.0-alpha+, 4.0.0+") => bytes == TRYSYNC,
                _ => text.is_empty(),
            };
            assert!(allowed, "{version}, {what}: {bytes:02x?} went to + {offset}");
        }
    }
    for command in proxy.commands() {
        let lower = command.to_lowercase();
        let words: Vec<&str> = lower.split(' ').collect();
        let canary = words.get(1).is_some_and(|key| key.starts_with("pikadoctor:canary:"));
        let allowed = match words[0] {
            // Without the 0 some releases would begin to count all keys.
            "info" => words.len() == 2 && words[1] != "all" || words[1..] == ["keyspace", "0"],
            "config" => words[1] == "get" && words.len() == 3 && words[2] != "*",
            "acl" => ["whoami", "list"].contains(&words[1]),
            "select" | "auth" | "scan" | "pkscanrange" | "type" | "ttl" | "strlen" | "hlen" | "llen"
            | "scard" | "zcard" | "exists" => true,
            "get" => canary,
            "set" | "expire" | "del" => canary && writes,
            _ => false,
        };
        assert!(allowed, "{version}, {what}: {command}");
    }
}

/// TrySync of node `pikadoctor:1` for db0 at file 4294967295, as `src/pika_inner_message.proto` writes it.
const TRYSYNC: &[u8] = b"\x00\x00\x00\x27\x08\x02\x1a\x23\x0a\x0e\x0a\x0apikadoctor\x10\x01\x12\x07\x0a\x03db0\x10\x00\x1a\x08\x08\xff\xff\xff\xff\x0f\x10\x00";

/// Looks at a pair through two proxies, with a canary and without, and at each server alone.
pub fn look_through_proxies(version: &str, master: &str, replica: &str, tell: impl Fn(&Proxy)) {
    for read_only in [true, false] {
        let (of_master, of_replica) = (Proxy::before(master), Proxy::before(replica));
        tell(&of_master);
        let mut arguments = vec!["check", &of_replica.address, "--master", &of_master.address];
        arguments.extend(if read_only { vec!["--read-only"] } else { vec!["--canary-timeout", "2s"] });
        let run = Run::of(pikadoctor().args(&arguments));
        assert!(run.stdout.contains("pikadoctor"), "{run:?}");
        assert_harmless(version, "master", &of_master, !read_only);
        assert_harmless(version, "replica", &of_replica, false);
        let wrote = of_master.commands().iter().any(|command| command.to_lowercase().starts_with("set "));
        assert_eq!(
            wrote, !read_only,
            "{version}: a canary is written, but not with --read-only: {}",
            run.stdout
        );
        let run = Run::of(pikadoctor().args(["forecast", &of_replica.address, &of_master.address]));
        assert!(run.stdout.contains("pikadoctor"), "{run:?}");
        assert_harmless(version, "master, forecast", &of_master, !read_only);
        assert_harmless(version, "replica, forecast", &of_replica, false);
    }
    for address in [master, replica] {
        let proxy = Proxy::before(address);
        Run::of(pikadoctor().args(["check", &proxy.address]));
        assert_harmless(version, "alone", &proxy, false);
    }
}
