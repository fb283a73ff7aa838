//! What two files of a run say of the same thing.

use crate::model::companion::{
    CompanionContent, CompanionFile, CompanionKind, ConfMaster, Effective, Matter, Pairing,
};
use crate::model::conf::{ConfFile, Place};
use crate::parse::secret::Tokens;

/// What stands in the place of a password.
const HIDDEN: &str = "(hidden)";

/// One side of a pairing.
#[derive(Clone)]
struct Said {
    key: String,
    value: String,
    place: Option<Place>,
}

impl Said {
    fn of(value: &Effective) -> Self {
        Self { key: value.key.clone(), value: value.value.clone(), place: value.place.clone() }
    }

    /// Without the password.
    fn hidden(mut self) -> Self {
        if !self.value.is_empty() {
            HIDDEN.clone_into(&mut self.value);
        }
        self
    }
}

/// What `content` and the files that were read before it say of the same things.
pub fn pairings(
    kind: CompanionKind,
    content: &CompanionContent,
    earlier: &[CompanionFile],
    pikas: &[ConfFile],
    tokens: &Tokens,
) -> Vec<Pairing> {
    let mut found = Vec::new();
    for file in earlier {
        let (Some(other_kind), Some(other)) = (file.kind, &file.content) else { continue };
        let mut with_file = match (kind, other_kind) {
            (CompanionKind::Dashboard, CompanionKind::Proxy)
            | (CompanionKind::Proxy, CompanionKind::Dashboard) => of_codis(content, other),
            (CompanionKind::Sentinel, CompanionKind::Dashboard) => names(content, other, true),
            (CompanionKind::Dashboard, CompanionKind::Sentinel) => names(other, content, false),
            (CompanionKind::Sentinel, CompanionKind::Sentinel) => of_sentinels(content, other),
            _ => Vec::new(),
        };
        for pairing in &mut with_file {
            pairing.other.clone_from(&file.name);
        }
        found.extend(with_file);
    }
    for pika in pikas {
        let mut with_pika = match kind {
            CompanionKind::Dashboard | CompanionKind::Proxy => codis_and_pika(kind, content, pika, tokens),
            CompanionKind::Sentinel => {
                let mut found = sentinel_and_pika(content, pika);
                found.extend(sentinel_and_double_master(content, pika));
                found
            }
        };
        for pairing in &mut with_pika {
            pairing.other.clone_from(&pika.name);
        }
        found.extend(with_pika);
    }
    found
}

fn pair(what: Matter, fits: bool, here: Said, there: Said) -> Pairing {
    Pairing {
        what,
        fits,
        key: here.key,
        value: here.value,
        other: String::new(),
        other_key: there.key,
        other_value: there.value,
        place: here.place,
    }
}

/// The value of a key, where only one can be meant.
fn value(content: &CompanionContent, key: &str) -> Option<Said> {
    let mut values = content.values.iter().filter(|value| value.key == key);
    let first = values.next()?;
    values.next().is_none().then(|| Said::of(first))
}

/// A key without a default: absent is empty.
fn text(content: &CompanionContent, key: &str) -> Said {
    value(content, key).unwrap_or_else(|| Said { key: key.to_owned(), value: String::new(), place: None })
}

fn of_codis(here: &CompanionContent, there: &CompanionContent) -> Vec<Pairing> {
    let mut found = Vec::new();
    let (name, other_name) = (text(here, "product_name"), text(there, "product_name"));
    let same = name.value == other_name.value;
    found.push(pair(Matter::ProductName, same, name, other_name));
    if !same {
        // Two products; nothing else has to be the same.
        return found;
    }
    let (auth, other_auth) = (text(here, "product_auth"), text(there, "product_auth"));
    found.push(pair(Matter::ProductAuth, auth.value == other_auth.value, auth.hidden(), other_auth.hidden()));
    if let (Some(slots), Some(other)) = (value(here, "max_slot_num"), value(there, "max_slot_num")) {
        found.push(pair(Matter::SlotNumber, slots.value == other.value, slots, other));
    }
    found
}

/// `here`: whether the finding stands in the sentinel.conf.
fn names(sentinel: &CompanionContent, dashboard: &CompanionContent, here: bool) -> Vec<Pairing> {
    let product = text(dashboard, "product_name");
    let of_group = |name: &str| {
        let group = name.strip_prefix(&product.value).and_then(|rest| rest.strip_prefix('-'));
        group.is_some_and(|group| !group.is_empty() && group.chars().all(|c| c.is_ascii_digit()))
    };
    let said = |name: &str, place: &Place| Said {
        key: "sentinel monitor".into(),
        value: name.to_owned(),
        place: Some(place.clone()),
    };
    sentinel
        .masters
        .iter()
        .map(|master| {
            let (mut one, mut other) = (said(&master.name, &master.place), product.clone());
            if !here {
                std::mem::swap(&mut one, &mut other);
            }
            pair(Matter::MasterName, of_group(&master.name), one, other)
        })
        .collect()
}

fn of_sentinels(here: &CompanionContent, there: &CompanionContent) -> Vec<Pairing> {
    let mut found = Vec::new();
    if let (Some(id), Some(other)) = (value(here, "myid"), value(there, "myid")) {
        found.push(pair(Matter::MyId, id.value != other.value, id, other));
    }
    for master in &here.masters {
        let Some(other) = there.masters.iter().find(|other| other.name == master.name) else { continue };
        let said = |quorum: Option<i64>, place: &Place| Said {
            key: format!("quorum of {}", master.name),
            value: quorum.map(|quorum| quorum.to_string()).unwrap_or_default(),
            place: Some(place.clone()),
        };
        let (here, there) = (said(master.quorum, &master.place), said(other.quorum, &other.place));
        found.push(pair(Matter::Quorum, master.quorum == other.quorum, here, there));
    }
    found
}

/// The value of a setting of a pika.conf, where all releases that it can be for read the same.
fn setting(pika: &ConfFile, key: &str) -> Option<Said> {
    let settings = &pika.content.as_ref()?.settings;
    let mut values = settings.iter().filter(|setting| setting.key == key);
    let first = values.next()?;
    let value = first.value.clone()?;
    values.all(|other| other.value.as_ref() == Some(&value)).then(|| Said {
        key: key.to_owned(),
        value,
        place: Some(first.place.clone()),
    })
}

fn codis_and_pika(
    kind: CompanionKind,
    content: &CompanionContent,
    pika: &ConfFile,
    tokens: &Tokens,
) -> Vec<Pairing> {
    let mut found = Vec::new();
    let empty = tokens.token("");
    if let Some(password) = setting(pika, "requirepass") {
        let auth = text(content, "product_auth");
        // Up to 3.5.2 requirepass alone keeps nobody out.
        let open = auth.value == empty && setting(pika, "userpass").is_none_or(|user| user.value == empty);
        let fits = auth.value == password.value || open;
        found.push(pair(Matter::Requirepass, fits, auth.hidden(), password.hidden()));
    }
    if let (Some(slots), Some(other)) = (value(content, "max_slot_num"), setting(pika, "default-slot-num")) {
        found.push(pair(Matter::PikaSlotNumber, slots.value == other.value, slots, other));
    }
    if kind == CompanionKind::Proxy
        && let (Some(here), Some(there)) =
            (value(content, "backend_number_databases"), setting(pika, "databases"))
        && let (Ok(wanted), Ok(has)) = (here.value.parse::<u32>(), there.value.parse::<u32>())
    {
        found.push(pair(Matter::Databases, wanted <= has, here, there));
    }
    if kind == CompanionKind::Dashboard
        && let Some(there) = setting(pika, "slotmigrate")
    {
        let here = text(content, "migration_method");
        found.push(pair(Matter::Slotmigrate, there.value.eq_ignore_ascii_case("yes"), here, there));
    }
    found
}

/// A Sentinel over one half of a double master: what stands in pika.conf is the other half.
fn sentinel_and_double_master(content: &CompanionContent, pika: &ConfFile) -> Vec<Pairing> {
    let port = setting(pika, "port").and_then(|port| port.value.parse::<u16>().ok());
    let other = setting(pika, "double-master-ip").filter(|other| !other.value.is_empty());
    let other_port = setting(pika, "double-master-port").and_then(|port| port.value.parse::<u16>().ok());
    let Some(other) = other else { return Vec::new() };
    let is_half = |master: &&ConfMaster| {
        master.port == port && port.is_some() || master.port == other_port && master.host == other.value
    };
    let said = |master: &ConfMaster| Said {
        key: "sentinel monitor".into(),
        value: master.name.clone(),
        place: Some(master.place.clone()),
    };
    let masters = content.masters.iter().filter(is_half);
    masters.map(|master| pair(Matter::DoubleMaster, false, said(master), other.clone())).collect()
}

fn sentinel_and_pika(content: &CompanionContent, pika: &ConfFile) -> Vec<Pairing> {
    let port = setting(pika, "port").and_then(|port| port.value.parse::<u16>().ok());
    let (Some(port), Some(password)) = (port, setting(pika, "requirepass")) else { return Vec::new() };
    content
        .masters
        .iter()
        .filter(|master| master.port == Some(port))
        .map(|master| {
            let here = Said {
                key: format!("sentinel auth-pass {}", master.name),
                value: master.auth_pass.clone(),
                place: Some(master.place.clone()),
            };
            let open =
                here.value.is_empty() && setting(pika, "userpass").is_none_or(|user| user.value.is_empty());
            let fits = here.value == password.value || open;
            pair(Matter::AuthPass, fits, here.hidden(), password.clone().hidden())
        })
        .collect()
}
