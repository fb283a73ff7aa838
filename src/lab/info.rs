//! INFO: the recorded sections, with the lines that change composed for the present state.

use super::links::word;
use crate::catalog::era;
use crate::lab::state::{Join, Listed, Server, Stage, State};

/// The sections of a plain INFO, in order.
const SECTIONS: [&str; 8] = ["server", "data", "log", "clients", "stats", "cpu", "replication", "keyspace"];

/// The text that answers INFO with these arguments.
pub fn info(state: &State, index: usize, arguments: &[String]) -> String {
    let server = &state.servers[index];
    let text = match arguments {
        [] => SECTIONS.iter().map(|name| section(state, index, name)).collect(),
        [name, ..] => section(state, index, &name.to_ascii_lowercase()),
    };
    let text = said_otherwise(server, &text);
    format!("${}\r\n{text}\r\n", text.len())
}

/// Puts in what the scenario makes the server say.
fn said_otherwise(server: &Server, text: &str) -> String {
    let line = |line: &str| {
        let changed = line.split_once(':').and_then(|(key, _)| Some((key, server.says.get(key)?)));
        changed.map_or_else(|| line.to_owned(), |(key, value)| format!("{key}:{value}"))
    };
    text.split("\r\n").map(line).collect::<Vec<_>>().join("\r\n")
}

fn section(state: &State, index: usize, name: &str) -> String {
    let server = &state.servers[index];
    let lines = match name {
        "replication" => replication(state, index),
        "doublemaster" => double_master(state, index),
        "server" => server_lines(server),
        "log" => log(server),
        "command_exec_count" => commands(server),
        other => server.persona.section(other),
    };
    if lines.is_empty() { String::new() } else { lines.join("\r\n") + "\r\n\r\n" }
}

fn server_lines(server: &Server) -> Vec<String> {
    let line = |line: String| match line.split_once(':').map_or("", |(key, _)| key) {
        "server_id" => format!("server_id:{}", server.server_id()),
        "tcp_port" => format!("tcp_port:{}", server.address.port()),
        "run_id" => format!("run_id:{}", server.run_id),
        // Recorded in its first second; a server that people ask about has run for a day.
        "uptime_in_seconds" => "uptime_in_seconds:86400".to_owned(),
        _ => line,
    };
    server.persona.section("server").into_iter().map(line).collect()
}

/// What a server counts that nobody has used but this tool, and those of the scenario.
fn commands(server: &Server) -> Vec<String> {
    let mut lines = server.persona.section("command_exec_count");
    lines.retain(|line| !line.contains(':') || line.starts_with("INFO:"));
    if !lines.is_empty() {
        lines.extend(server.used.iter().map(|(command, count)| format!("{command}:{count}")));
    }
    lines
}

/// The name of each database as INFO has it.
fn databases(server: &Server) -> impl Iterator<Item = String> {
    (0..server.databases()).map(|db| format!("db{db}"))
}

fn log(server: &Server) -> Vec<String> {
    let mut lines = server.persona.section("log");
    lines.retain(|line| !line.contains("binlog_offset"));
    if lines.is_empty() {
        return lines;
    }
    if server.persona.speaks_protobuf() {
        let (file, offset) = server.place();
        lines.extend(
            databases(server).map(|db| format!("{db}:binlog_offset={file} {offset},safety_purge=none")),
        );
    } else {
        let (file, offset) = server.place();
        lines.push(format!("binlog_offset:{file} {offset}"));
    }
    lines
}

fn replication(state: &State, index: usize) -> Vec<String> {
    let server = &state.servers[index];
    let persona = &server.persona;
    let up = state.joins.iter().find(|join| join.replica == index);
    let double = up.is_some_and(|join| join.double && join.fate.stage != Stage::GivenUp);
    let given_up = up.is_some_and(|join| join.double && join.fate.stage == Stage::GivenUp);
    let up = up.filter(|_| !given_up);
    let below: Vec<&Join> = state
        .joins
        .iter()
        .chain(state.leaving())
        .filter(|join| join.master == index && join.fate.listed != Listed::No && !given_up)
        .filter(|join| state.servers[join.replica].running)
        .collect();
    let new = persona.is_of(&era::LINK_STATES_BY_DATABASE);
    let (header, role) = match (up, double, below.is_empty()) {
        (Some(_), true, _) => ("DOUBLEMASTER", "double_master"),
        (Some(_), _, true) => ("SLAVE", "slave"),
        (Some(_), ..) if persona.speaks_protobuf() => ("Master && SLAVE", "master&&slave"),
        // Up to 3.0.16 only the header tells.
        (Some(_), ..) => ("MASTER/SLAVE", "slave"),
        (None, ..) => ("MASTER", "master"),
    };
    let mut lines = vec![format!("# Replication({header})"), format!("role:{role}")];
    if new {
        lines.push(format!("ReplicationID:{}", server.replication_id));
    }
    if let Some(join) = up {
        lines.extend(of_replica(state, join));
    }
    if up.is_none() || !below.is_empty() {
        lines.push(format!("connected_slaves:{}", below.len()));
        lines.extend(below.iter().enumerate().map(|(number, join)| listed(state, number, join)));
    }
    if new {
        lines.push("is_eligible_for_master_election:true".to_owned());
    }
    // 3.1.0 shows its position in INFO log alone.
    if !persona.is_of(&era::NUMBERED_LINK_STATES) {
        let sign = if new { ":" } else { " " };
        let (file, offset) = server.place();
        lines.extend(
            databases(server).map(|db| format!("{db}{sign}binlog_offset={file} {offset},safety_purge=none")),
        );
    }
    if new {
        lines.push(format!("slave_repl_offset:{}", server.position()));
    }
    lines
}

/// The lines about the master.
fn of_replica(all: &State, join: &Join) -> Vec<String> {
    let server = &all.servers[join.replica];
    let persona = &server.persona;
    let stage = join.fate.stage;
    let connected = stage == Stage::Up;
    let raw = word(persona, stage);
    let mut lines = vec![
        format!("master_host:{}", join.named.0),
        format!("master_port:{}", join.named.1),
        format!("master_link_status:{}", if connected { "up" } else { "down" }),
    ];
    let numbered = persona.is_of(&era::NUMBERED_LINK_STATES);
    if persona.is_of(&era::LINK_STATES_BY_DATABASE) {
        lines.push("repl_connect_status:".to_owned());
        lines.extend(databases(server).map(|db| format!("{db}:{raw}")));
    }
    if !join.double
        && let Some(priority) = persona.setting("slave-priority")
    {
        lines.push(format!("slave_priority:{priority}"));
    }
    // A double master shows the setting, whether it has an effect or not.
    let read_only =
        if join.double { server.setting("slave-read-only") == "yes" } else { all.is_read_only(join.replica) };
    lines.push(format!("slave_read_only:{}", u8::from(read_only)));
    if !numbered && !connected {
        let word = match stage {
            Stage::FullSync => "WaitDBSync",
            Stage::Error => "Error",
            _ => "NoConnect",
        };
        let states: String = databases(server).map(|db| format!("({db}:{word})")).collect();
        lines.push(format!("db_repl_state:{states}"));
    }
    if numbered {
        lines.push(format!("repl_state: {raw}"));
    }
    lines
}

/// A line about a replica.
fn listed(state: &State, number: usize, join: &Join) -> String {
    let (master, replica) = (&state.servers[join.master], &state.servers[join.replica]);
    // Up to 3.0.1 a replica says where it is; later the master takes the address of the connection.
    let said = replica.announces.clone().filter(|_| replica.persona.is_of(&era::LISTED_BY_DECLARED_ADDRESS));
    let ip = said.unwrap_or_else(|| replica.address.ip().to_string());
    let address = format!("slave{number}:ip={ip},port={}", replica.address.port());
    let listed = join.fate.listed;
    if !master.persona.speaks_protobuf() {
        let word = if listed == Listed::Offline { "offline" } else { "online" };
        let session = if join.double { master.peer_server_id() } else { number as u64 + 1 };
        // Up to 2.3.2 no lag is shown.
        let behind = master.position().saturating_sub(replica.position());
        let lag = match listed {
            _ if master.persona.is_of(&era::REPLICA_LAG_HIDDEN) => String::new(),
            Listed::Lagging => format!(",lag={behind}"),
            _ => ",lag=0".to_owned(),
        };
        return format!("{address},state={word},sid={session}{lag}");
    }
    let behind = master.position().saturating_sub(replica.position()).to_string();
    let word = match listed {
        Listed::Lagging => behind.as_str(),
        Listed::FullSync if master.persona.is_of(&era::LINK_STATES_BY_DATABASE) => "full syncing",
        Listed::FullSync | Listed::Offline => "not syncing",
        _ => "0",
    };
    let lags: String = databases(master).map(|db| format!("({db}:{word})")).collect();
    format!("{address},conn_fd=49,lag={lags}")
}

fn double_master(state: &State, index: usize) -> Vec<String> {
    let server = &state.servers[index];
    let Some(join) = state.joins.iter().find(|join| join.replica == index && join.double) else {
        let lines = server.persona.section("doublemaster");
        let connected = server.touches > 1 && !state.joins.iter().any(|join| join.replica == index);
        let line = |line: String| {
            if connected && line.starts_with("repl_state:") { "repl_state: 3".to_owned() } else { line }
        };
        return lines.into_iter().map(line).collect();
    };
    let given_up = join.fate.stage == Stage::GivenUp;
    let (header, role) = if given_up { ("MASTER", "master") } else { ("DOUBLEMASTER", "double_master") };
    let number = match join.fate.stage {
        Stage::Up => 3,
        Stage::Connecting => 1,
        Stage::Waiting => 2,
        Stage::FullSync => 4,
        Stage::Error | Stage::Refused => 5,
        Stage::GivenUp => 0,
    };
    vec![
        format!("# DoubleMaster({header})"),
        format!("role:{role}"),
        format!("the peer-master host:{}", join.named.0),
        format!("the peer-master port:{}", join.named.1),
        format!("the peer-master server_id:{}", server.peer_server_id()),
        "double_master_mode: True".to_owned(),
        format!("repl_state: {number}"),
        "double_master_recv_info: filenum 0 offset 0".to_owned(),
    ]
}
