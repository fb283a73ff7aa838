//! Two servers with data, compared.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use pikadoctor::catalog::built_in;
use pikadoctor::collect::net::deadlines::Deadlines;
use pikadoctor::collect::verify::VerifyOptions;
use pikadoctor::model::facts::Facts;
use pikadoctor::model::knowledge::Knowledge;
use pikadoctor::model::verification::{DataType, DifferenceCounts, Verification};
use pikadoctor::parse::address::pika_address;
use pikadoctor::pipeline::error::PipelineError;
use pikadoctor::pipeline::request::{CollectionPlan, LinkProbeOptions, ServerTarget, VerificationRequest};
use pikadoctor::pipeline::{VERIFY, collect};

use super::data_server::{Contents, Data, DataServer};

/// Options with which a test does not wait.
pub fn quick(options: VerifyOptions) -> VerifyOptions {
    let unpaced = options.rate.is_none();
    VerifyOptions { unpaced, round_pause: Some(Duration::from_millis(1)), ..options }
}

/// Compares the data of servers.
pub async fn compare(
    sources: &[&DataServer],
    targets: &[&DataServer],
    options: &VerifyOptions,
) -> Result<Verification, PipelineError> {
    static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| built_in().knowledge);
    let names =
        |servers: &[&DataServer]| servers.iter().map(|server| server.address.clone()).collect::<Vec<_>>();
    let target = |name: &String| ServerTarget {
        name: name.clone(),
        address: pika_address(name).unwrap(),
        password: None,
    };
    let (sources, targets) = (names(sources), names(targets));
    let plan = CollectionPlan {
        verifications: vec![VerificationRequest {
            sources: sources.clone(),
            targets: targets.clone(),
            options: options.clone(),
        }],
        skip_ports: true,
        ..CollectionPlan::of(
            sources.iter().chain(&targets).map(target).collect(),
            Vec::new(),
            LinkProbeOptions::default(),
        )
    };
    let step = Duration::from_secs(20);
    let deadlines = Deadlines::starting_now(Duration::from_secs(120), step, step);
    let facts: Facts = collect(&plan, VERIFY, &KNOWLEDGE, deadlines).await?;
    Ok(facts.verifications.into_iter().next().unwrap())
}

/// The same, waited for.
pub fn compared(source: &DataServer, target: &DataServer, options: VerifyOptions) -> Verification {
    run(compare(&[source], &[target], &quick(options))).unwrap()
}

/// Waits for what is under way.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Keys of every type in more than one piece, with names and values of every kind.
pub fn some_data() -> Data {
    let mut data = Data::default();
    for number in 0..600 {
        data.put(
            format!("user:{number:04}").as_bytes(),
            Contents::Text(format!("value {number}").into_bytes()),
        );
    }
    for number in 0..40 {
        let fields = (0..3).map(|field| (vec![b'f', field], vec![field, 0, 0xff]));
        data.put(format!("h:{number}").as_bytes(), Contents::Hash(fields.collect()));
        let elements = ["one", "two", "two", "three"].map(|element| element.as_bytes().to_vec());
        data.put(format!("l:{number}").as_bytes(), Contents::List(elements.to_vec()));
        let scores = [(b"a".to_vec(), 0.1 + 0.2), (b"b".to_vec(), -1e13), (b"c".to_vec(), 0.0)];
        data.put(format!("z:{number}").as_bytes(), Contents::Zset(scores.into()));
        let members = [b"m".to_vec(), b"n\r\n".to_vec(), Vec::new()];
        data.put(format!("s:{number}").as_bytes(), Contents::Set(members.into()));
    }
    // Larger than one piece.
    data.put(
        b"large:h",
        Contents::Hash((0..1500u32).map(|field| (field.to_be_bytes().to_vec(), vec![1])).collect()),
    );
    data.put(
        b"large:l",
        Contents::List((0..1500u32).map(|element| element.to_be_bytes().to_vec()).collect()),
    );
    data.put(
        b"large:z",
        Contents::Zset(
            (0..1500u32).map(|member| (member.to_be_bytes().to_vec(), f64::from(member % 7))).collect(),
        ),
    );
    data.put(b"large:s", Contents::Set((0..1500u32).map(|member| member.to_be_bytes().to_vec()).collect()));
    // Names and values of every kind, and one name in four types.
    data.put(b"\x00\xff\r\n", Contents::Text(vec![0, 0xff]));
    data.put(b"empty", Contents::Text(Vec::new()));
    data.put(b"several", Contents::Text(b"x".to_vec()));
    data.put(b"several", Contents::Hash([(b"f".to_vec(), b"v".to_vec())].into()));
    data.put(b"several", Contents::List(vec![b"e".to_vec()]));
    data.put(b"several", Contents::Set([b"m".to_vec()].into()));
    data.put_in(0, b"mortal", Contents::Text(b"x".to_vec()), 1000);
    data
}

/// What differs, by type.
pub fn differences(verification: &Verification) -> Vec<(DataType, DifferenceCounts)> {
    let counts = verification.counts.iter().map(|counts| (counts.kind, counts.differences));
    counts.filter(|(_, differences)| differences.sum() > 0).collect()
}

/// A state in a directory of its own.
pub fn state() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("verify.state");
    (directory, path)
}
