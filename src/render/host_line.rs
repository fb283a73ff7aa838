//! A host in the header of a report.

use crate::i18n::texts;
use crate::model::host::{Host, SeenFrom};
use crate::model::text::Language;

/// A host in a line: its name, what it is, and how many Pikas of it were asked about.
pub fn host_line(host: &Host, language: Language) -> String {
    let system = host.distribution.as_ref().and_then(|distribution| distribution.name.clone());
    let asked = host.instances.iter().filter(|instance| instance.asked).count();
    let way = match host.seen {
        SeenFrom::Here => texts::HOST_HERE.get(language),
        SeenFrom::Ssh => texts::HOST_OVER_SSH.get(language),
    };
    let count = texts::count_pikas(language, asked);
    let parts = [Some(host.name.clone()), Some(way.to_owned()), system, Some(count)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}
