//! Two faults of the laboratory at once, on one pair of servers.

use std::collections::BTreeMap;

use pikadoctor::lab::fault::{LinkFault, ServerFault};
use pikadoctor::lab::scenario::{LinkPlan, Mode, Run, Scenario, ServerPlan};

use super::played::all;

/// A scenario with one thing wrong, laid out on a pair: a master with its replica, or two halves.
#[derive(Clone)]
pub struct Ill {
    /// The family, and the server that has it where it could be either: `mute@master`.
    pub name: String,
    pub release: String,
    pub mode: Mode,
    /// `check target` of what is wrong.
    pub cause: (String, String),
    /// All that the scenario lets stand as a cause.
    pub causes: Vec<(String, String)>,
    scenario: Scenario,
}

/// Two of them on one pair.
pub struct Composed {
    pub one: Ill,
    pub other: Ill,
    pub scenario: Scenario,
}

/// Why two scenarios cannot be staged at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conflict {
    /// One is a replica with its master, the other a double master.
    Modes,
    /// Both give a setting, and not the same value.
    Setting,
    /// Both say what becomes of the link, and it becomes one thing.
    Fate,
    /// Both say what runs at an address: nothing, another program, or a server that hangs.
    Program,
    /// Both say what is at a port.
    Port,
}

/// Every scenario with one thing wrong that fits on a pair, of all releases.
pub fn ills() -> Vec<Ill> {
    all().iter().flat_map(on_pairs).collect()
}

fn on_pairs(scenario: &Scenario) -> Vec<Ill> {
    let same = |release: &String| scenario.servers.values().all(|server| server.release == *release);
    let Some(release) = scenario.servers.values().next().map(|server| server.release.clone()) else {
        return Vec::new();
    };
    let faults = || scenario.servers.values().flat_map(|server| &server.faults);
    // Another release is no fault of a pair of one release; a hostile server hides whatever else it has.
    let other = faults().any(|fault| matches!(fault, ServerFault::Release(_) | ServerFault::Hostile(_)));
    let fits = scenario.run == Run::Check
        && scenario.faults() > 0
        && !scenario.cause.is_empty()
        && same(&release)
        && !other
        // What ends while one looks is there or not.
        && !scenario.changes_by_itself();
    match (fits, scenario.servers.len(), &*scenario.links) {
        (true, 1, []) => {
            let places = [("master", Mode::Replica), ("replica", Mode::Replica), ("a", Mode::DoubleMaster)];
            let knows_pairs = all().iter().any(|other| {
                other.links.iter().any(|link| link.mode == Mode::DoubleMaster)
                    && other.servers.values().any(|server| server.release == release)
            });
            let places = places.into_iter().filter(|(_, mode)| *mode == Mode::Replica || knows_pairs);
            places.map(|(place, mode)| on_one(scenario, &release, place, mode)).collect()
        }
        (true, 2, [link]) => vec![ill(scenario.family.clone(), release, link.mode, scenario.clone())],
        _ => Vec::new(),
    }
}

fn ill(name: String, release: String, mode: Mode, scenario: Scenario) -> Ill {
    let causes: Vec<_> = scenario.cause.iter().map(|line| named(line)).collect();
    Ill { name, release, mode, cause: causes[0].clone(), causes, scenario }
}

/// `state check target` without the state.
fn named(line: &str) -> (String, String) {
    let mut words = line.splitn(3, ' ').skip(1).map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

/// The scenario of one server, with a healthy one at its side.
fn on_one(scenario: &Scenario, release: &str, place: &str, mode: Mode) -> Ill {
    let own = scenario.servers.values().next().unwrap().clone();
    let ends = if mode == Mode::Replica { ["replica", "master"] } else { ["a", "b"] };
    let server = |name: &str| {
        let mut plan = if name == place { own.clone() } else { healthy(release) };
        plan.settings = own.settings.clone();
        plan.keys = if name == "master" { 20 } else { 0 };
        if mode == Mode::DoubleMaster {
            let ids = if name == "a" { ["101", "102"] } else { ["102", "101"] };
            let names = ["server-id", "double-master-server-id"];
            plan.settings.extend(names.map(str::to_owned).into_iter().zip(ids.map(str::to_owned)));
            plan.settings.insert("slave-read-only".to_owned(), "no".to_owned());
        }
        (name.to_owned(), plan)
    };
    let link = LinkPlan {
        replica: ends[0].to_owned(),
        master: ends[1].to_owned(),
        mode,
        joined: None,
        force: false,
        faults: Vec::new(),
    };
    let placed = |line: &String| {
        let (head, _) = line.rsplit_once(' ').unwrap();
        format!("{head} {place}")
    };
    let pair = Scenario {
        servers: ends.iter().map(|name| server(name)).collect(),
        links: vec![link],
        cause: scenario.cause.iter().map(placed).collect(),
        ..scenario.clone()
    };
    ill(format!("{}@{place}", scenario.family), release.to_owned(), mode, pair)
}

fn healthy(release: &str) -> ServerPlan {
    ServerPlan {
        release: release.to_owned(),
        host: None,
        port: None,
        settings: BTreeMap::new(),
        keys: 0,
        password: None,
        faults: Vec::new(),
    }
}

/// Both at once.
pub fn compose(one: &Ill, other: &Ill) -> Result<Composed, Conflict> {
    if one.mode != other.mode {
        return Err(Conflict::Modes);
    }
    let mut scenario = one.scenario.clone();
    scenario.name = format!("{} and {} on {}", one.name, other.name, one.release);
    scenario.parameters.extend(other.scenario.parameters.clone());
    for (name, plan) in &other.scenario.servers {
        merge(scenario.servers.get_mut(name).unwrap(), plan)?;
    }
    let (link, more) = (&mut scenario.links[0], &other.scenario.links[0]);
    let both = link.faults.iter().any(decides) && more.faults.iter().any(decides);
    if both && (link.faults != more.faults || link.force != more.force) {
        return Err(Conflict::Fate);
    }
    // A replica that announces another address is never called back, whatever else would come of the link.
    if announces(&scenario.servers) && link.faults.iter().chain(&more.faults).any(decides) {
        return Err(Conflict::Fate);
    }
    link.force |= more.force;
    for fault in &more.faults {
        if !link.faults.contains(fault) {
            link.faults.push(fault.clone());
        }
    }
    Ok(Composed { one: one.clone(), other: other.clone(), scenario })
}

fn merge(plan: &mut ServerPlan, more: &ServerPlan) -> Result<(), Conflict> {
    for (name, value) in &more.settings {
        if plan.settings.insert(name.clone(), value.clone()).is_some_and(|had| had != *value) {
            return Err(Conflict::Setting);
        }
    }
    plan.keys = plan.keys.max(more.keys);
    plan.password = plan.password.take().or_else(|| more.password.clone());
    for fault in &more.faults {
        for had in &plan.faults {
            conflict(had, fault).map_or(Ok(()), Err)?;
        }
    }
    plan.faults.extend(more.faults.clone());
    Ok(())
}

fn conflict(one: &ServerFault, other: &ServerFault) -> Option<Conflict> {
    use ServerFault::{ConfigSet, Down, Mute, Ports, Set, Taken};
    match (one, other) {
        (Set(one) | ConfigSet(one), Set(other) | ConfigSet(other)) => {
            one.keys().any(|name| other.contains_key(name)).then_some(Conflict::Setting)
        }
        (Down | Mute | Taken, Down | Mute | Taken) => Some(Conflict::Program),
        (Ports(one), Ports(other)) => {
            one.keys().any(|port| other.contains_key(port)).then_some(Conflict::Port)
        }
        _ => None,
    }
}

fn announces(servers: &BTreeMap<String, ServerPlan>) -> bool {
    let faults = servers.values().flat_map(|server| &server.faults);
    faults.into_iter().any(|fault| matches!(fault, ServerFault::Announces(_)))
}

/// Whether a fault says what becomes of the link as a whole.
fn decides(fault: &LinkFault) -> bool {
    !matches!(
        fault,
        LinkFault::Lost
            | LinkFault::Late(_)
            | LinkFault::WrongValue
            | LinkFault::KeepsDeleted
            | LinkFault::Shorter
    )
}
