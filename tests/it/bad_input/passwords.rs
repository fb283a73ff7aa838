//! Passwords where none belongs: nobody wants to find them in the log of a build.

use std::fs;

use crate::support::{Run, pikadoctor, run};

const PASSWORD: &str = "hunter2";

/// Nobody listens there.
const SERVER: &str = "127.77.9.2:9221";

#[test]
fn a_mistaken_command_line_does_not_repeat_a_password() {
    let typed = |text: &str| text.replace("PW", PASSWORD);
    for line in [
        "--password PW",
        "--password=PW",
        "-a PW",
        "-aPW",
        "--pass PW",
        "--password-file PW",
        "--password-file=PW",
        "--ask-password PW",
        "--ask-password=PW",
        "redis://:PW@127.77.9.2:9221",
        "PW@127.77.9.2:9221",
        "default:PW@127.77.9.2:9221",
        "--master redis://u:PW@127.77.9.2:9222",
        "--codis http://u:PW@127.77.9.2:1",
        "--codis=ftp://u:PW@127.77.9.2:1",
        "--codis http://127.77.9.2:1/?token=PW",
        "--codis http://127.77.9.2:1/#PW",
        "--etcd http://u:PW@127.77.9.2:1",
        "--zookeeper u:PW@127.77.9.2:1",
        "--sentinel :PW@127.77.9.2:1",
        "PIKADOCTOR_PASSWORD=PW",
        "--ssh root:PW@127.77.9.2",
        "--ssh ssh://root:PW@127.77.9.2",
    ] {
        for command in ["check", "init", "capture"] {
            let mut run = pikadoctor();
            run.args([command, "--no-ports", "-t", "1s", SERVER]).args(typed(line).split(' '));
            if command == "capture" {
                run.args(["-o", "/dev/null"]);
            }
            let run = Run::of(&mut run);
            for text in [&run.stdout, &run.stderr] {
                assert!(!text.contains(PASSWORD), "{command} {line}: {text}");
            }
        }
    }
    // What is no password is repeated, so that the mistake is found.
    let wrong = run(&["check", "10.0.0.1:x"]);
    assert!(wrong.stderr.contains("10.0.0.1:x"), "{}", wrong.stderr);
}

#[test]
fn a_mistaken_plan_does_not_repeat_a_password() {
    let place = tempfile::tempdir().unwrap();
    let plan = place.path().join("plan.yaml");
    for (lines, sentence) in [
        ("nodes:\n  a:\n    addr: 10.0.0.1\n    password: PW\n", "a password does not stand in a plan"),
        ("nodes:\n  a:\n    addr: 10.0.0.1\n    password: 4711\n", "plan.yaml:4:15"),
        ("nodes:\n  a:\n    addr: 10.0.0.1\n    password: [PW]\n", "plan.yaml:4"),
        ("nodes:\n  a:\n    addr: 10.0.0.1\n    password: {PW: x}\n", "a password does not stand in a plan"),
        ("nodes:\n  a:\n    addr: 10.0.0.1\n    password: {file: PW}\n", "no password file"),
        ("nodes:\n  a:\n    addr: 10.0.0.1\n    password: {env: PW}\n", "plan.yaml:4:21"),
        ("nodes:\n  a:\n    addr: redis://:PW@10.0.0.1\n", "no user and no password"),
        ("nodes:\n  a:\n    addr: x:PW@10.0.0.1\n", "no user and no password"),
        ("nodes:\n  a:\n    addr: 10.0.0.1\n    ssh: root:PW@10.0.0.1\n", "no password in it"),
        ("codis: [\"http://u:PW@10.0.0.1\"]\n", "credentials do not belong"),
        ("etcd: [\"http://u:PW@10.0.0.1\"]\n", "credentials do not belong"),
        ("zookeeper: [\"u:PW@10.0.0.1\"]\n", "no user and no password"),
    ] {
        fs::write(&plan, lines.replace("PW", PASSWORD)).unwrap();
        let run = run(&["check", "--no-ports", "-f", plan.to_str().unwrap()]);
        assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{lines}: {}", run.stderr);
        assert!(!run.stderr.contains(PASSWORD) && !run.stderr.contains("4711"), "{lines}: {}", run.stderr);
        assert!(run.stderr.contains(sentence), "{lines}: {}", run.stderr);
    }
}
