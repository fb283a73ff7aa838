//! Where what is made goes to: files, links, devices, and an output that takes nothing.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{pikadoctor, recording, serve};

/// Runs a line of a shell in which `$TOOL` is the program.
fn shell(line: &str, directory: &Path) -> (i32, String) {
    let output = Command::new("sh")
        .args(["-c", line])
        .env("TOOL", pikadoctor().get_program())
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn only_a_regular_file_is_replaced_and_it_keeps_its_mode() {
    let server = serve(recording("v2.3.6/slave-read-only-master/master"));
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    fs::write(path("kept"), "old").unwrap();
    fs::set_permissions(path("kept"), Permissions::from_mode(0o600)).unwrap();
    symlink("kept", path("link")).unwrap();
    symlink("/dev/null", path("null")).unwrap();
    let check = format!("\"$TOOL\" check --no-ports {} --format json", server.address);
    for (line, file, mode) in [
        (format!("umask 027; {check} -o new"), "new", 0o640),
        (format!("umask 077; {check} -o newer"), "newer", 0o600),
        (format!("{check} -o link"), "kept", 0o600),
    ] {
        let (code, errors) = shell(&line, place.path());
        assert_eq!((code, errors.as_str()), (2, ""), "{line}");
        assert_eq!(path(file).metadata().unwrap().mode() & 0o777, mode, "{line}");
        assert!(fs::read_to_string(path(file)).unwrap().starts_with('{'), "{line}");
    }
    assert!(path("link").is_symlink());
    for line in [format!("{check} -o null"), format!("{check} -o /dev/stdout | grep -q schema; exit 2")] {
        assert_eq!(shell(&line, place.path()), (2, String::new()), "{line}");
    }
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn with_few_open_files_it_is_unknown_with_a_sentence_and_not_ok() {
    let server = serve(recording("v3.5.5/standalone/standalone"));
    let place = tempfile::tempdir().unwrap();
    symlink(pikadoctor().get_program(), place.path().join("check_pika")).unwrap();
    let (host, port) = server.address.rsplit_once(':').unwrap();
    // Below four the loader of the system does not find its libraries.
    for files in 4..=13 {
        let line = format!("exec >out; ulimit -n {files}; exec ./check_pika -H {host} -p {port}");
        let (code, errors) = shell(&line, place.path());
        let said = fs::read_to_string(place.path().join("out")).unwrap();
        assert_eq!((code, errors.as_str()), (3, ""), "{files}: {said}");
        assert!(said.starts_with("PIKA UNKNOWN - "), "{files}: {said}");
    }
}

#[test]
fn what_cannot_be_written_in_full_is_unknown_and_leaves_nothing_half_done() {
    let server = serve(recording("v2.3.6/slave-read-only-master/master"));
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("old"), "old").unwrap();
    let check = format!("\"$TOOL\" check --no-ports {} --format json", server.address);
    for (line, sentence) in [
        ("\"$TOOL\" list > /dev/full".to_owned(), "the standard output: No space left"),
        (format!("{check} > /dev/full"), "the standard output: No space left"),
        (format!("{check} -o /dev/full"), "/dev/full: No space left"),
        // Blocks of 512 bytes.
        (format!("ulimit -f 1; {check} > out"), "the standard output: File too large"),
        (format!("ulimit -f 1; {check} -o old"), "old: File too large"),
        (format!("ulimit -f 1; {check} -o new"), "new: File too large"),
    ] {
        let (code, errors) = shell(&line, place.path());
        assert_eq!(code, 3, "{line}: {errors}");
        assert!(errors.contains(sentence), "{line}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{line}: {errors}");
    }
    assert_eq!(fs::read_to_string(place.path().join("old")).unwrap(), "old");
    let mut left: Vec<_> =
        fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["old", "out"], "no temporary file");
}

#[test]
fn what_cannot_take_a_report_is_refused_before_anything_is_looked_at() {
    let place = tempfile::tempdir().unwrap();
    // Nobody listens there, so that a report would be about that.
    let check = "\"$TOOL\" check --no-ports 127.77.9.1:9221";
    for (file, sentence) in [("no/such/report", "no/such"), (".", "s a directory")] {
        for command in [check, "\"$TOOL\" capture 127.77.9.1:9221"] {
            let (code, errors) = shell(&format!("{command} -o {file}"), place.path());
            assert_eq!(code, 3, "{file}: {errors}");
            assert!(errors.contains(sentence), "{file}: {errors}");
            assert!(!errors.contains("127.77.9.1"), "{file}: {errors}");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = tempfile::tempdir().unwrap();
    let (code, errors) = shell("{ \"$TOOL\" list; echo $? >&2; } | true", place.path());
    assert_eq!((code, errors.trim()), (0, "0"));
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    // Not even the message can be written; the exit code is what is left.
    let status = pikadoctor().arg("list").stdout(full.try_clone().unwrap()).stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(3));
}
