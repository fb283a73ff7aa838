//! How the source is laid out: rooms that import only the rooms before them, no import cycles, I/O in one room, small
//! modules, one name for one type. It reads `src/` as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

/// The rooms in their order. Each imports only itself and the rooms before it.
const ROOMS: [&str; 13] = [
    "model",
    "i18n",
    "parse",
    "catalog",
    "collect",
    "derive",
    "judge",
    "difference",
    "render",
    "plan",
    "pipeline",
    "lab",
    "cli",
];

/// What does I/O, by the words that name it in a source. Addresses of `std::net` are types.
const IO: &str = r"\b(std::fs|tokio::fs|tokio::net|tokio::process|tokio::io|reqwest|hyper\w*|ureq|\w*rustls|procfs\w*|dns_lookup|File::open|fs::(read|write|metadata|canonicalize|create|remove|File)\w*|process::Command|Tcp(Stream|Listener|Socket)|UdpSocket|Unix(Stream|Listener)|lookup_host|(path|directory|file)\.(exists|is_file|is_dir|metadata|canonicalize)\(\)|std::net::(Tcp|Udp|ToSocketAddrs)\w*)";

/// Where I/O is beside `collect`, and why.
const IO_ELSEWHERE: [(&str, &str); 1] =
    [("lab", "it is the other side: it listens, and starts real servers to compare with")];

/// No module may have more lines, without its unit tests.
const MAX_LINES: usize = 600;

/// Names that two public types share. This list only becomes shorter.
const SHARED_NAMES: [&str; 24] = [
    "Answer",
    "Broken",
    "Client",
    "DirectoryError",
    "Fault",
    "Flow",
    "Gate",
    "Instance",
    "Key",
    "Line",
    "LinkPlan",
    "Member",
    "Missing",
    "Node",
    "Password",
    "Place",
    "Question",
    "Request",
    "Server",
    "Session",
    "Source",
    "Stage",
    "State",
    "Waiver",
];

struct Module {
    /// `collect::pika::node`; that of `lib.rs` is empty.
    name: String,
    /// Its text without comments and unit tests.
    text: String,
    lines: usize,
    imports: BTreeSet<String>,
}

static MODULES: LazyLock<Vec<Module>> = LazyLock::new(|| {
    let mut texts = BTreeMap::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut texts);
    let names: BTreeSet<String> = texts.keys().cloned().collect();
    let module = |(name, text): (String, String)| {
        let mut imports = imports(&name, &text, &names);
        imports.remove(&name);
        Module { lines: text.lines().count(), name, text, imports }
    };
    texts.into_iter().map(module).collect()
});

fn read(directory: &Path, prefix: &str, texts: &mut BTreeMap<String, String>) {
    let comment = Regex::new(r"(?m)^\s*//.*$").unwrap();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let below =
            |stem: &str| if prefix.is_empty() { stem.to_owned() } else { format!("{prefix}::{stem}") };
        if path.is_dir() {
            read(&path, &below(&stem), texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") && stem != "main" {
            let name = if stem == "mod" || stem == "lib" { prefix.to_owned() } else { below(&stem) };
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            texts.insert(name, comment.replace_all(text, "").into_owned());
        }
    }
}

/// The modules that a module names: in `use`, in paths that begin at the crate or at a parent, and its own children.
fn imports(module: &str, text: &str, names: &BTreeSet<String>) -> BTreeSet<String> {
    let mut paths = Vec::new();
    let uses = Regex::new(r"\buse ((?:crate|super|self)::[^;]*);").unwrap();
    for found in uses.captures_iter(text) {
        leaves("", &found[1], &mut paths);
    }
    let rest = uses.replace_all(text, "");
    let inline = Regex::new(r"\b(?:crate|super|self)(?:::\w+)+").unwrap();
    paths.extend(inline.find_iter(&rest).map(|path| path.as_str().to_owned()));
    let mut imports: BTreeSet<String> =
        paths.iter().filter_map(|path| module_of(module, path, names)).collect();
    for child in names.iter().filter(|name| !module.is_empty() && parent(name) == module) {
        let own = child.rsplit("::").next().unwrap();
        if Regex::new(&format!(r"(?:^|[^:\w]){own}::\w")).unwrap().is_match(&rest) {
            imports.insert(child.clone());
        }
    }
    imports
}

/// Every path of a tree such as `crate::model::{facts::{self, Facts}, node::Node}`.
fn leaves(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split_whitespace().next().unwrap_or_default();
        paths.push(format!("{prefix}{path}").trim_end_matches("::self").to_owned());
        return;
    };
    let prefix = format!("{prefix}{}", tree[..open].trim());
    let inner = &tree[open + 1..tree.rfind('}').unwrap()];
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[start..at].trim().is_empty() {
                    leaves(&prefix, &inner[start..at], paths);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The module that a path, written in `module`, leads to: the longest beginning that is one.
fn module_of(module: &str, path: &str, names: &BTreeSet<String>) -> Option<String> {
    let mut current: Vec<&str> = module.split("::").filter(|part| !part.is_empty()).collect();
    let mut parts = path.split("::").peekable();
    match parts.peek() {
        Some(&"crate") => {
            current.clear();
            parts.next();
        }
        Some(&"self") => {
            parts.next();
        }
        _ => {
            while parts.next_if_eq(&"super").is_some() {
                current.pop();
            }
        }
    }
    current.extend(parts);
    (0..=current.len()).rev().map(|length| current[..length].join("::")).find(|name| names.contains(name))
}

fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

fn room(module: &str) -> &str {
    module.split("::").next().unwrap_or_default()
}

#[test]
fn the_reader_of_imports_sees_every_way_to_write_one() {
    let names: BTreeSet<String> = ["", "a", "a::b", "a::b::c", "d", "d::e"].map(str::to_owned).into();
    let text = "use crate::d::{self, e::{Thing, Other as O}};\nuse super::Helper;\nfn f() { c::g(); crate::a::h(); }";
    let found = imports("a::b", text, &names);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a", "a::b::c", "d", "d::e"]);
    assert!(imports("a::b::c", "use super::*;", &names).contains("a::b"));
    assert!(MODULES.len() > 100);
    let links: BTreeSet<&str> =
        MODULES.iter().flat_map(|module| module.imports.iter().map(String::as_str)).collect();
    assert!(links.contains("model::facts") && links.contains("collect::pika::node"));
}

#[test]
fn a_room_imports_only_the_rooms_before_it() {
    let place = |name: &str| ROOMS.iter().position(|known| *known == name);
    let mut wrong = Vec::new();
    for module in MODULES.iter().filter(|module| !module.name.is_empty()) {
        let own = place(room(&module.name)).unwrap_or_else(|| panic!("{} is in no room", module.name));
        for import in &module.imports {
            if place(room(import)).is_none_or(|other| other > own) {
                wrong.push(format!(
                    "{} imports {}",
                    module.name,
                    if import.is_empty() { "lib" } else { import }
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let imports: BTreeMap<&str, &BTreeSet<String>> =
        MODULES.iter().map(|module| (module.name.as_str(), &module.imports)).collect();
    // What a module reaches; two that reach each other are on a circle.
    let reach = |from: &str| {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut next: Vec<&str> = imports[from].iter().map(String::as_str).collect();
        while let Some(module) = next.pop() {
            if seen.insert(module) {
                next.extend(imports[module].iter().map(String::as_str));
            }
        }
        seen
    };
    let circles: Vec<String> = MODULES
        .iter()
        .filter(|module| !module.name.is_empty() && reach(&module.name).contains(module.name.as_str()))
        .map(|module| {
            format!("{} ({})", module.name, module.imports.iter().cloned().collect::<Vec<_>>().join(", "))
        })
        .collect();
    assert!(circles.is_empty(), "on a circle:\n{}", circles.join("\n"));
}

#[test]
fn only_collect_does_io() {
    let io = Regex::new(IO).unwrap();
    let allowed = |module: &str| {
        room(module) == "collect" || IO_ELSEWHERE.iter().any(|(name, _)| room(module) == *name)
    };
    let mut wrong = Vec::new();
    for module in MODULES.iter().filter(|module| !allowed(&module.name)) {
        wrong.extend(io.find_iter(&module.text).map(|word| format!("{}: {}", module.name, word.as_str())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (name, _) in IO_ELSEWHERE {
        let does = MODULES.iter().any(|module| room(&module.name) == name && io.is_match(&module.text));
        assert!(does, "{name} does no I/O and needs no exception");
    }
}

#[test]
fn how_long_something_takes_is_not_told_by_the_time_of_day() {
    // The time of day jumps. It is asked for where a date is meant, and nowhere else.
    const DATES: [&str; 5] = [
        "collect::clock",
        "collect::logs::view",
        "collect::ssh::wire",
        "cli::commands::check",
        "cli::commands::verify",
    ];
    let clock = Regex::new(r"(SystemTime|Timestamp|Zoned)::now").unwrap();
    let asks = MODULES.iter().filter(|module| room(&module.name) != "lab" && clock.is_match(&module.text));
    let asks: Vec<&str> = asks.map(|module| module.name.as_str()).collect();
    assert_eq!(asks.iter().collect::<BTreeSet<_>>(), DATES.iter().collect::<BTreeSet<_>>());
}

#[test]
fn modules_are_small() {
    let long: Vec<String> = MODULES
        .iter()
        .filter(|module| module.lines > MAX_LINES)
        .map(|module| format!("{}: {} lines", module.name, module.lines))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn a_public_type_has_a_name_of_its_own() {
    let definition = Regex::new(r"(?m)^pub(?:\([^)]*\))? (?:struct|enum|trait|type|union) (\w+)").unwrap();
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for module in MODULES.iter() {
        for found in definition.captures_iter(&module.text) {
            places.entry(found.get(1).unwrap().as_str()).or_default().push(&module.name);
        }
    }
    let shared: Vec<String> = places
        .iter()
        .filter(|(name, modules)| modules.len() > 1 && !SHARED_NAMES.contains(name))
        .map(|(name, modules)| format!("{name}: {}", modules.join(", ")))
        .collect();
    assert!(shared.is_empty(), "{}", shared.join("\n"));
    let gone: Vec<&&str> = SHARED_NAMES
        .iter()
        .filter(|name| places.get(*name).is_none_or(|modules| modules.len() < 2))
        .collect();
    assert!(gone.is_empty(), "no longer shared, take them off the list: {gone:?}");
}
