//! A Codis in the header of a report.

use crate::model::codis::Codis;
use crate::model::codis::topology::CodisRelease;
use crate::model::text::Language;
use crate::render::i18n::pick;

/// A Codis in a line: `demo  Codis 3.2  2 groups, 4 servers, 1 proxy`. What did not answer is not counted.
pub fn codis_line(codis: &Codis, language: Language) -> String {
    let line = match codis.release {
        Some(CodisRelease::V2_0) => "Codis 2.0",
        Some(CodisRelease::V3_0) => "Codis 3.0",
        Some(CodisRelease::V3_1) => "Codis 3.1",
        Some(CodisRelease::V3_2_0 | CodisRelease::V3_2_2) => "Codis 3.2",
        Some(CodisRelease::PikaFork) => pick(language, "the Codis of Pika", "Pika 自带的 Codis"),
        None => pick(language, "no Codis answered", "没有 Codis 应答"),
    };
    let count = |count: usize, one: &str, many: &str, zh: &str| match (language, count) {
        (Language::En, 1) => format!("1 {one}"),
        (Language::En, _) => format!("{count} {many}"),
        (Language::Zh, _) => format!("{count} 个{zh}"),
    };
    let groups = codis.groups.as_ref().map(|groups| count(groups.len(), "group", "groups", " group"));
    let servers = codis.groups.as_ref().map(|_| count(codis.servers.len(), "server", "servers", "服务器"));
    let proxies = codis.proxies.as_ref().map(|proxies| count(proxies.len(), "proxy", "proxies", " proxy"));
    let counts: Vec<String> = [groups, servers, proxies].into_iter().flatten().collect();
    format!("{}  {line}  {}", codis.name, counts.join(pick(language, ", ", "，"))).trim_end().to_owned()
}
