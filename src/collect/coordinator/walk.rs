//! Which nodes of a coordinator are looked at.

use super::tree::below;

/// Where Codis 3 keeps its products.
pub const CODIS3: &str = "/codis3";
/// Where proxies announce themselves to clients.
pub const JODIS: &str = "/jodis";
/// Where Codis 2.0 kept its products, and where proxies announce themselves with `jodis_compatible`.
pub const CODIS2: &str = "/zk/codis";

/// Where looking begins.
pub const ROOTS: [&str; 3] = [CODIS3, JODIS, CODIS2];

/// The parts of a product that are looked at.
const PARTS: [&str; 4] = ["topom", "group", "proxy", "slots"];

/// Those of the children of `path` that are looked at. `wanted`: the only product that is.
pub fn descend(path: &str, children: &[String], wanted: Option<&str>) -> Vec<String> {
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted == name);
    let keep = |child: &&String| match path.split('/').skip(1).collect::<Vec<_>>().as_slice() {
        ["codis3" | "jodis"] => is_wanted(child),
        ["zk", "codis"] => child.strip_prefix("db_").is_some_and(is_wanted),
        ["codis3", _] => PARTS.contains(&child.as_str()),
        ["codis3", _, "group" | "proxy" | "slots"] | ["jodis", _] | ["zk", "codis", _, "proxy"] => true,
        // Of Codis 2.0 only what clients look at; the names of the rest tell that it is there.
        ["zk", "codis", _] => child.as_str() == "proxy",
        _ => false,
    };
    children.iter().filter(keep).map(|child| below(path, child)).collect()
}

/// Whether the access control list of a node is asked for. That of one slot is that of all.
pub fn asks_for_acl(path: &str) -> bool {
    path.rsplit_once('/').is_none_or(|(parent, name)| !parent.ends_with("/slots") || name == "slot-0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_codis_looks_at_is_read() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(descend("/codis3", &names(&["a", "b"]), Some("b")), ["/codis3/b"]);
        assert_eq!(descend("/zk/codis", &names(&["db_a", "x"]), None), ["/zk/codis/db_a"]);
        assert_eq!(descend("/codis3/a", &names(&["topom", "else"]), None), ["/codis3/a/topom"]);
        assert_eq!(descend("/zk/codis/db_a", &names(&["proxy", "actions"]), None), ["/zk/codis/db_a/proxy"]);
        assert!(descend("/codis3/a/proxy/proxy-1", &names(&["deeper"]), None).is_empty());
        assert!(asks_for_acl("/codis3/a/slots") && asks_for_acl("/codis3/a/slots/slot-0000"));
        assert!(!asks_for_acl("/codis3/a/slots/slot-0001"));
    }
}
