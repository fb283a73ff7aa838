//! A host in the header of a report.

use crate::model::host::{Host, SeenFrom};
use crate::model::text::Language;
use crate::render::i18n::pick;

/// A host in a line: its name, what it is, and how many Pikas of it were asked about.
pub fn host_line(host: &Host, language: Language) -> String {
    let system = host.distribution.as_ref().and_then(|distribution| distribution.name.clone());
    let asked = host.instances.iter().filter(|instance| instance.asked).count();
    let way = match host.seen {
        SeenFrom::Here => pick(language, "this host", "本机"),
        SeenFrom::Ssh => pick(language, "over ssh", "经 ssh"),
    };
    let count = match language {
        Language::En => format!("{asked} Pika"),
        Language::Zh => format!("{asked} 个 Pika"),
    };
    let parts = [Some(host.name.clone()), Some(way.to_owned()), system, Some(count)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}
