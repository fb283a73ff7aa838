//! Tells what a configuration file is for, by what is in it.

use crate::model::companion::CompanionKind;
use crate::model::knowledge::Knowledge;

/// What a file is for; `None` for a pika.conf and for whatever cannot be told. The text decides, and where it fits
/// two of them alike, the name of the file.
pub fn kind_of(name: &str, text: &str, knowledge: &Knowledge) -> Option<CompanionKind> {
    let of = |kind: CompanionKind, key: &str| {
        knowledge.companion_keys.iter().any(|known| known.file == kind && known.name == key)
    };
    let (mut dashboard, mut proxy, mut sentinel, mut pika) = (0, 0, 0, 0);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
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
        assert_eq!(kind("proxy.toml", "port : 9221\nthread-num : 1"), None);
        assert_eq!(kind("a", "port : 9221\nrequirepass : a=b\n"), None);
        assert_eq!(kind("a", ""), None);
    }
}
