//! Real monitoring systems read what the program writes. Run with `PIKADOCTOR_NEIGHBOURS=1` as root where nagios4-core
//! and promtool (Debian's prometheus) are installed; ignored elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::process::Ended;
use crate::support::{pikadoctor, recording, serve};

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs promtool: set PIKADOCTOR_NEIGHBOURS=1")]
fn promtool_accepts_the_text_file() {
    for (name, password) in [
        ("v3.5.5/standalone/standalone", ""),
        ("v2.3.6/slave-read-only-master/master", ""),
        ("v2.3.6/auth/standalone-unauthenticated", ""),
    ] {
        let server = serve(recording(name));
        let text = pikadoctor()
            .args(["check", "--no-ports", &server.address, "--format", "prometheus"])
            .env("PIKADOCTOR_PASSWORD", password)
            .output()
            .unwrap()
            .stdout;
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        promtool.stdin.take().unwrap().write_all(&text).unwrap();
        let said = promtool.wait_with_output().unwrap();
        let complaints = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success() && complaints.trim().is_empty(), "{name}: {complaints}");
    }
}

/// The blocks `servicestatus` of Nagios' status file, by the service's name.
fn services(status: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = fs::read_to_string(status).unwrap_or_default();
    let mut services = BTreeMap::new();
    for block in text.split("servicestatus {").skip(1) {
        let fields: BTreeMap<String, String> = block
            .lines()
            .take_while(|line| line.trim() != "}")
            .filter_map(|line| line.trim().split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        services.insert(fields["service_description"].clone(), fields);
    }
    services
}

#[test]
#[cfg_attr(not(real_neighbours), ignore = "needs nagios4-core: set PIKADOCTOR_NEIGHBOURS=1")]
fn nagios_core_runs_the_plugin_and_shows_what_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    for name in ["plugins", "spool"] {
        fs::create_dir(at(name)).unwrap();
    }
    symlink(env!("CARGO_BIN_EXE_pikadoctor"), at("plugins/check_pika")).unwrap();
    fs::write(at("password"), "secret-root\n").unwrap();
    let healthy = serve(recording("v3.5.5/auth-requirepass-only/standalone-requirepass"));
    let read_only = serve(recording("v2.3.6/slave-read-only-master/master"));
    let port = |address: &str| address.rsplit(':').next().unwrap().to_owned();
    // The commands are the very file that is installed.
    let commands = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/nagios/check_pika.cfg");
    let service = |name: &str, port: &str| {
        format!(
            "define service {{\n host_name pika\n contacts nobody\n service_description {name}\n check_command check_pika!{port}!{}\n \
             check_period always\n check_interval 1\n retry_interval 1\n max_check_attempts 1\n \
             notifications_enabled 0\n}}\n",
            at("password")
        )
    };
    let objects = format!(
        "define timeperiod {{\n timeperiod_name always\n alias always\n monday 00:00-24:00\n tuesday 00:00-24:00\n \
         wednesday 00:00-24:00\n thursday 00:00-24:00\n friday 00:00-24:00\n saturday 00:00-24:00\n \
         sunday 00:00-24:00\n}}\n\
         define command {{\n command_name tell_nobody\n command_line /bin/true\n}}\n\
         define contact {{\n contact_name nobody\n host_notifications_enabled 0\n service_notifications_enabled 0\n \
         host_notification_period always\n service_notification_period always\n \
         host_notification_commands tell_nobody\n service_notification_commands tell_nobody\n}}\n\
         define host {{\n host_name pika\n contacts nobody\n address 127.0.0.1\n max_check_attempts 1\n check_period always\n \
         notifications_enabled 0\n active_checks_enabled 0\n}}\n{}{}{}",
        service("healthy", &port(&healthy.address)),
        service("read-only", &port(&read_only.address)),
        service("nobody", "1")
    );
    fs::write(at("objects.cfg"), objects).unwrap();
    fs::write(at("resource.cfg"), format!("$USER1$={}\n", at("plugins"))).unwrap();
    let main = format!(
        "cfg_file={commands}\ncfg_file={}\nresource_file={}\nlog_file={}\nobject_cache_file={}\nstatus_file={}\n\
         lock_file={}\ntemp_file={}\ntemp_path={}\ncheck_result_path={}\nstate_retention_file={}\ncommand_file={}\nquery_socket={}\n\
         nagios_user=root\nnagios_group=root\nstatus_update_interval=1\nservice_inter_check_delay_method=n\n\
         max_service_check_spread=1\ncheck_external_commands=0\nuse_syslog=0\nenable_notifications=0\n\
         log_archive_path={}\n",
        at("objects.cfg"),
        at("resource.cfg"),
        at("nagios.log"),
        at("objects.cache"),
        at("status.dat"),
        at("nagios.lock"),
        at("nagios.tmp"),
        at("spool"),
        at("spool"),
        at("retention.dat"),
        at("nagios.cmd"),
        at("nagios.qh"),
        at("spool")
    );
    fs::write(at("nagios.cfg"), main).unwrap();
    let out = fs::File::create(at("out")).unwrap();
    let nagios = Command::new("nagios4")
        .arg(at("nagios.cfg"))
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .spawn()
        .unwrap();
    let _nagios = Ended(nagios);
    let began = Instant::now();
    let seen = loop {
        let services = services(Path::new(&at("status.dat")));
        if services.len() == 3 && services.values().all(|service| service["has_been_checked"] == "1") {
            break services;
        }
        let said = || {
            fs::read_to_string(at("out")).unwrap() + &fs::read_to_string(at("nagios.log")).unwrap_or_default()
        };
        assert!(began.elapsed() < Duration::from_secs(60), "Nagios checked nothing: {}", said());
        std::thread::sleep(Duration::from_millis(200));
    };
    let of = |service: &str, key: &str| seen[service][key].clone();
    assert_eq!(of("read-only", "current_state"), "2");
    assert!(of("read-only", "plugin_output").starts_with("PIKA CRITICAL - node/"), "{:?}", seen["read-only"]);
    assert!(of("read-only", "long_plugin_output").contains("node/writable"), "{:?}", seen["read-only"]);
    assert!(of("read-only", "performance_data").contains("clients="), "{:?}", seen["read-only"]);
    assert!(!of("read-only", "plugin_output").contains("clients="), "performance data is no text");
    assert_eq!(of("nobody", "current_state"), "2");
    assert!(of("nobody", "plugin_output").contains("node/reachable"), "{:?}", seen["nobody"]);
    let state: usize = of("healthy", "current_state").parse().unwrap();
    let word = ["OK", "WARNING", "CRITICAL", "UNKNOWN"][state];
    assert!(state < 2, "{:?}", seen["healthy"]);
    assert!(of("healthy", "plugin_output").starts_with(&format!("PIKA {word} - ")), "{:?}", seen["healthy"]);
    assert!(of("healthy", "performance_data").contains("connect_time=0."), "{:?}", seen["healthy"]);
    for service in seen.values() {
        assert!(!service.values().any(|value| value.contains("secret-root")), "{service:?}");
    }
}
