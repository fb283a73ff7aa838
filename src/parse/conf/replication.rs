//! Double master, `slaveof`, and the passwords.

use super::dialect::ConfSyntax;
use super::keys::number;
use super::text::ConfEntry;
use super::view::{ConfView, Draft};
use crate::model::conf::ConfMatter;
use crate::model::era;
use crate::model::release::Version;

/// Whether the file configures a double master, whatever a release makes of it.
pub fn wants(view: &ConfView<'_>) -> bool {
    !view.text.value(ConfSyntax::HashFirst, "double-master-ip").is_empty()
}

/// Names for the very host.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_on(value: &str) -> bool {
    matches!(value, "true" | "1" | "yes")
}

/// The double-master mode as `version` would run it.
pub fn double_master(view: &ConfView<'_>, version: Version) -> Vec<Draft> {
    let dialect = ConfSyntax::of(version);
    if !version.is_of(&era::DOUBLE_MASTER) {
        let entry = view.text.get(dialect, "double-master-ip").filter(|entry| !entry.value.is_empty());
        let concerns = view.named || view.likely.contains(&version);
        return entry
            .filter(|_| concerns)
            .map(|entry| view.at_value(ConfMatter::NotInRelease, entry))
            .into_iter()
            .collect();
    }
    let Some(ip) = view.set(version, "double-master-ip") else {
        return ["double-master-port", "double-master-server-id"]
            .iter()
            .find_map(|key| view.set(version, key))
            .map(|entry| view.at_value(ConfMatter::AddressMissing, entry))
            .into_iter()
            .collect();
    };
    let mut found = Vec::new();
    let mut remark = |what, key: &str| {
        // What is missing is shown where it would be looked for: at its own empty line, or at the address.
        let entry = view.entry(version, key).unwrap_or(ip);
        let mut draft = view.at_value(what, entry);
        key.clone_into(&mut draft.key);
        // Only this spelling is recognised at the start, and ends it.
        draft.grave = what == ConfMatter::Itself && ip.value == "127.0.0.1";
        found.push(draft);
    };
    let port = number(view.value(version, "double-master-port"));
    if !(1..=65535).contains(&port) {
        remark(ConfMatter::PortMissing, "double-master-port");
    }
    // An id that is not set is 1 here, and 0 for the peer.
    let own = view.value(version, "server-id");
    let peer = view.value(version, "double-master-server-id");
    if peer.is_empty() {
        remark(ConfMatter::PeerIdMissing, "double-master-server-id");
    }
    if own.is_empty() {
        remark(ConfMatter::OwnIdMissing, "server-id");
    }
    if !peer.is_empty() && number(peer) == number(if own.is_empty() { "1" } else { own }) {
        remark(ConfMatter::SameIds, "double-master-server-id");
    }
    if is_loopback(&ip.value) {
        let same_port = port == number(view.value(version, "port"));
        remark(if same_port { ConfMatter::Itself } else { ConfMatter::Loopback }, "double-master-ip");
    }
    if version.is_of(&era::READ_ONLY_FOR_ALL) && is_on(view.value(version, "slave-read-only")) {
        remark(ConfMatter::ReadOnly, "slave-read-only");
    }
    if view.set(version, "slaveof").is_some() {
        remark(ConfMatter::SlaveofBeside, "slaveof");
    }
    found
}

/// The master that the file names.
pub fn slaveof(view: &ConfView<'_>, version: Version) -> Vec<Draft> {
    let Some(entry) = view.set(version, "slaveof") else { return Vec::new() };
    let Some((host, port)) = entry.value.split_once(':') else {
        return vec![view.at_value(ConfMatter::SlaveofWithoutColon, entry)];
    };
    if !is_port(port) {
        return vec![view.at_value(ConfMatter::SlaveofPort, entry)];
    }
    if host.trim().is_empty() {
        return vec![view.at_value(ConfMatter::SlaveofHost, entry)];
    }
    let own: Option<&ConfEntry> = view.entry(version, "port");
    let same_port = own.is_some_and(|own| number(&own.value) == number(port));
    if is_loopback(host) && same_port {
        let mut draft = view.at_value(ConfMatter::Itself, entry);
        // Only this spelling is recognised at the start, and ends it; any other is tried for ever.
        draft.grave = host == "127.0.0.1";
        draft.other = own.map(|own| view.text.value_place(own));
        return vec![draft];
    }
    Vec::new()
}

/// A number from 1 to 65535 and nothing else; blanks around it are the business of the syntax.
fn is_port(text: &str) -> bool {
    text.trim().parse::<u16>().is_ok_and(|port| port > 0)
}

/// Passwords that do not protect, or cannot work.
pub fn passwords(view: &ConfView<'_>, version: Version) -> Vec<Draft> {
    const FIRST_WITH_MASTERAUTH: Version = Version::new(2, 2, 0);
    const LAST_THAT_NEEDS_BOTH: Version = Version::new(2, 3, 2);
    let mut found = Vec::new();
    let requirepass = view.set(version, "requirepass");
    let needs_both = (FIRST_WITH_MASTERAUTH..=LAST_THAT_NEEDS_BOTH).contains(&version);
    if let Some(masterauth) = view.set(version, "masterauth")
        && needs_both
        && requirepass.is_none()
    {
        found.push(view.at_value(ConfMatter::MasterauthAlone, masterauth));
    }
    if version.is_of(&era::LIMIT_USER_WIDENED) {
        let is_limit =
            |entry: &ConfEntry| entry.key == "user" && entry.value.split(' ').next() == Some("limit");
        let entries = view.text.entries(ConfSyntax::of(version)).map(|(entry, _)| entry);
        for entry in entries.filter(|entry| is_limit(entry)) {
            let what = if view.set(version, "userblacklist").is_some() {
                Some(ConfMatter::LimitUserWidened)
            } else {
                view.set(version, "userpass").map(|_| ConfMatter::LimitUserWithoutUserpass)
            };
            found.extend(what.map(|what| Draft::new(what, view.text.key_place(entry), "user")));
        }
    }
    if let Some(requirepass) = requirepass
        && view.set(version, "userpass").is_none()
    {
        let mut draft = view.at_value(ConfMatter::RequirepassAlone, requirepass);
        draft.grave = version.is_of(&era::ANY_PASSWORD_WITHOUT_USERPASS);
        // From 4.0.3 on it is what it says.
        if version.is_of(&era::ACL) && !draft.grave {
            return found;
        }
        found.push(draft);
    }
    found
}
