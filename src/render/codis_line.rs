//! A Codis in the header of a report.

use crate::i18n::texts;
use crate::model::codis::Codis;
use crate::model::codis::topology::CodisRelease;
use crate::model::text::Language;

/// A Codis in a line: `demo  Codis 3.2  2 groups, 4 servers, 1 proxy`. What did not answer is not counted.
pub fn codis_line(codis: &Codis, language: Language) -> String {
    let line = match codis.release {
        Some(CodisRelease::V2_0) => "Codis 2.0",
        Some(CodisRelease::V3_0) => "Codis 3.0",
        Some(CodisRelease::V3_1) => "Codis 3.1",
        Some(CodisRelease::V3_2_0 | CodisRelease::V3_2_2) => "Codis 3.2",
        Some(CodisRelease::PikaFork) => texts::CODIS_OF_PIKA.get(language),
        None => texts::CODIS_NONE.get(language),
    };
    let groups = codis.groups.as_ref().map(|groups| match groups.len() {
        1 => texts::ONE_GROUP.get(language).to_owned(),
        count => texts::count_groups(language, count),
    });
    let servers = codis.groups.as_ref().map(|_| match codis.servers.len() {
        1 => texts::ONE_SERVER.get(language).to_owned(),
        count => texts::count_servers(language, count),
    });
    let proxies = codis.proxies.as_ref().map(|proxies| match proxies.len() {
        1 => texts::ONE_PROXY.get(language).to_owned(),
        count => texts::count_proxies(language, count),
    });
    let counts: Vec<String> = [groups, servers, proxies].into_iter().flatten().collect();
    format!("{}  {line}  {}", codis.name, counts.join(texts::COMMA.get(language))).trim_end().to_owned()
}
