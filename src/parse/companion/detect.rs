//! Tells what a configuration file is for, by what is in it.

use crate::model::companion::CompanionKind;
use crate::model::knowledge::Knowledge;

/// Directives of Redis that a sentinel.conf has beside its `sentinel` lines.
const OF_SENTINEL: [&str; 17] = [
    "port",
    "dir",
    "bind",
    "bind-source-addr",
    "daemonize",
    "pidfile",
    "logfile",
    "loglevel",
    "protected-mode",
    "requirepass",
    "user",
    "aclfile",
    "masterauth",
    "masteruser",
    "syslog-enabled",
    "supervised",
    "tcp-backlog",
];

/// What a file is for; `None` for a pika.conf and for whatever cannot be told. The text decides, and where it fits
/// two of them alike, the name of the file.
pub fn kind_of(name: &str, text: &str, knowledge: &Knowledge) -> Option<CompanionKind> {
    let of = |kind: CompanionKind, key: &str| {
        knowledge.companion_keys.iter().any(|known| known.file == kind && known.name == key)
    };
    let (mut dashboard, mut proxy, mut sentinel, mut pika) = (0, 0, 0, 0);
    // The stock sentinel.conf of Codis monitors nothing: the dashboard adds its groups to the running Sentinel.
    let (mut of_sentinel, mut others) = (0, 0);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let bare = line.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        if OF_SENTINEL.contains(&bare.as_str()) && !line.contains([':', '=']) {
            of_sentinel += 1;
        } else {
            others += 1;
        }
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("sentinel")) && words.next().is_some() {
            sentinel += 1;
        } else if let Some((key, _)) = line.split_once('=')
            && !key.contains(':')
        {
            let key = key.trim();
            dashboard += usize::from(of(CompanionKind::Dashboard, key));
            proxy += usize::from(of(CompanionKind::Proxy, key));
        } else if line.contains(':') {
            pika += 1;
        }
    }
    if sentinel > 0 && sentinel >= pika {
        return Some(CompanionKind::Sentinel);
    }
    if of_sentinel > 0 && others == 0 {
        return Some(CompanionKind::Sentinel);
    }
    if dashboard + proxy <= pika {
        return None;
    }
    let named =
        |word: &str| name.rsplit('/').next().is_some_and(|file| file.to_ascii_lowercase().contains(word));
    if proxy > dashboard || proxy == dashboard && named("proxy") {
        Some(CompanionKind::Proxy)
    } else {
        Some(CompanionKind::Dashboard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::built_in;

    #[test]
    fn the_text_decides_and_then_the_name() {
        let knowledge = built_in().knowledge;
        let kind = |name: &str, text: &str| kind_of(name, text, &knowledge);
        assert_eq!(
            kind("a", "coordinator_name = \"etcd\"\nproduct_name = \"x\""),
            Some(CompanionKind::Dashboard)
        );
        assert_eq!(kind("dashboard.toml", "proxy_addr = \"0.0.0.0:1\""), Some(CompanionKind::Proxy));
        assert_eq!(kind("etc/proxy-1.toml", "product_name = \"x\""), Some(CompanionKind::Proxy));
        assert_eq!(kind("a", "product_name = \"x\""), Some(CompanionKind::Dashboard));
        assert_eq!(
            kind("a", "port 26379\nSENTINEL monitor m 10.0.0.1 9221 2"),
            Some(CompanionKind::Sentinel)
        );
        // Stock, of Codis 3.2.2 and of the fork of Pika.
        assert_eq!(kind("a", "port 26379\ndir /tmp\n"), Some(CompanionKind::Sentinel));
        assert_eq!(kind("a", "port 6379\nsave 900 1\n"), None, "a redis.conf");
        assert_eq!(kind("proxy.toml", "port : 9221\nthread-num : 1"), None);
        assert_eq!(kind("a", "port : 9221\nrequirepass : a=b\n"), None);
        assert_eq!(kind("a", ""), None);
    }
}
