//! Each kind of difference is found at the level that promises it, exactly, and at no lower one; equal is equal.

use std::time::Duration;

use pikadoctor::collect::verify::VerifyOptions;
use pikadoctor::model::verification::{CompareLevel, DataType, DifferenceKind, Shard, Verification};

use crate::support::compared::{compared, differences, some_data};
use crate::support::data_server::{Contents, Data, DataServer, Turn};

const RELEASES: [&str; 6] = ["v2.3.0", "v2.3.6", "v3.0.16", "v3.3.6", "v3.5.5", "v4.0.1"];

fn at(level: CompareLevel) -> VerifyOptions {
    VerifyOptions { level, life_tolerance: Some(Duration::from_secs(10)), ..VerifyOptions::default() }
}

/// What a release can hold: on 4.x a name has one type.
fn data_for(releases: [&str; 2]) -> Data {
    let mut data = some_data();
    if releases.contains(&"v4.0.1") {
        for kind in [DataType::Hash, DataType::List, DataType::Set] {
            data.remove(kind, b"several");
        }
    }
    data
}

fn settled(verification: &Verification) {
    assert!(verification.is_complete, "{:?}", verification.stopped);
    assert_eq!(verification.stopped, None);
}

#[test]
fn equal_is_equal_on_every_release_and_between_them() {
    for (one, other) in RELEASES.iter().zip(RELEASES.iter().cycle().skip(1)) {
        for pair in [[*one, *one], [*one, *other]] {
            let data = data_for(pair);
            let keys = data.0.len() as u64;
            let (source, target) =
                (DataServer::plain(pair[0], data.clone()), DataServer::plain(pair[1], data));
            let verification = compared(&source, &target, at(CompareLevel::Value));
            settled(&verification);
            assert_eq!(verification.different, 0, "{pair:?}: {:?}", verification.examples);
            assert_eq!(verification.compared(), keys, "{pair:?}");
            assert_eq!(verification.rounds, 0, "{pair:?}");
            // What reading would bring back to life is left alone, and said; lists of 1500 are read everywhere.
            let unread: u64 = verification.counts.iter().map(|counts| counts.unread).sum();
            assert_eq!(unread, u64::from(pair.contains(&"v4.0.1")), "{pair:?}");
        }
    }
}

/// What is changed on the target, under which type and kind it is found, and from which level on.
type Planted = (&'static str, fn(&mut Data), Option<(DataType, DifferenceKind)>, CompareLevel);

fn planted() -> Vec<Planted> {
    use CompareLevel::{Exists, Length, Value};
    use DataType::{Hash, List, Set, String, Zset};
    use DifferenceKind as D;
    vec![
        ("string missing", |data| data.remove(String, b"user:0300"), Some((String, D::Missing)), Exists),
        ("last string missing", |data| data.remove(String, b"user:0599"), Some((String, D::Missing)), Exists),
        (
            "binary name missing",
            |data| data.remove(String, b"\x00\xff\r\n"),
            Some((String, D::Missing)),
            Exists,
        ),
        ("hash missing", |data| data.remove(Hash, b"h:7"), Some((Hash, D::Missing)), Exists),
        ("list missing", |data| data.remove(List, b"l:7"), Some((List, D::Missing)), Exists),
        ("zset missing", |data| data.remove(Zset, b"z:7"), Some((Zset, D::Missing)), Exists),
        ("set missing", |data| data.remove(Set, b"s:7"), Some((Set, D::Missing)), Exists),
        (
            "only there",
            |data| data.put(b"user:0300x", Contents::Text(b"x".to_vec())),
            Some((String, D::OnlyThere)),
            Exists,
        ),
        (
            "empty only there",
            |data| data.put(b"user:0300x", Contents::Text(Vec::new())),
            Some((String, D::OnlyThere)),
            Exists,
        ),
        (
            "another type",
            |data| {
                data.remove(Hash, b"h:7");
                data.put(b"h:7", Contents::Set([b"m".to_vec()].into()));
            },
            Some((Hash, D::Type)),
            Exists,
        ),
        (
            "longer",
            |data| data.get(String, b"user:0300").0 = Contents::Text(b"longer value".to_vec()),
            Some((String, D::Length)),
            Length,
        ),
        (
            "one byte",
            |data| data.get(String, b"user:0300").0 = Contents::Text(b"value 301".to_vec()),
            Some((String, D::Value)),
            Value,
        ),
        (
            "one field",
            |data| {
                let Contents::Hash(fields) = &mut data.get(Hash, b"large:h").0 else { panic!() };
                fields.insert(1400u32.to_be_bytes().to_vec(), vec![2]);
            },
            Some((Hash, D::Value)),
            Value,
        ),
        (
            "order of a list",
            |data| {
                let Contents::List(elements) = &mut data.get(List, b"large:l").0 else { panic!() };
                elements.swap(1300, 1301);
            },
            Some((List, D::Value)),
            Value,
        ),
        (
            "one score",
            |data| {
                let Contents::Zset(scores) = &mut data.get(Zset, b"z:7").0 else { panic!() };
                scores.insert(b"a".to_vec(), 0.3);
            },
            Some((Zset, D::Value)),
            Value,
        ),
        (
            "one member",
            |data| {
                let Contents::Set(members) = &mut data.get(Set, b"large:s").0 else { panic!() };
                members.remove(&1400u32.to_be_bytes().to_vec());
                members.insert(vec![9]);
            },
            Some((Set, D::Value)),
            Value,
        ),
        ("a life", |data| data.get(String, b"mortal").1 = 500, Some((String, D::Life)), Exists),
        ("an end", |data| data.get(String, b"user:0300").1 = 500, Some((String, D::Life)), Exists),
        ("a life within the tolerance", |data| data.get(String, b"mortal").1 = 991, None, Exists),
    ]
}

fn finds_all(release: &'static str) {
    for (what, change, expected, least) in planted() {
        let data = data_for([release, release]);
        let mut changed = data.clone();
        change(&mut changed);
        let source = DataServer::plain(release, data);
        let target = DataServer::plain(release, changed);
        // At the level that promises it, and at the one before it.
        let levels = [CompareLevel::Exists, CompareLevel::Length, CompareLevel::Value];
        let place = levels.iter().position(|level| *level == least).unwrap();
        for level in levels[place.saturating_sub(1)..=place].iter().copied() {
            let verification = compared(&source, &target, at(level));
            settled(&verification);
            let found: Vec<(DataType, DifferenceKind)> = differences(&verification)
                .into_iter()
                .flat_map(|(kind, mut counts)| {
                    let of_kind =
                        DifferenceKind::ALL.into_iter().filter(move |difference| *counts.of(*difference) > 0);
                    of_kind.map(move |difference| (kind, difference)).collect::<Vec<_>>()
                })
                .collect();
            let expected: Vec<_> = expected.into_iter().filter(|_| level >= least).collect();
            assert_eq!(found, expected, "{release}: {what} at {}", level.word());
            assert_eq!(
                verification.different,
                expected.len() as u64,
                "{release}: {what} at {}",
                level.word()
            );
            assert_eq!(verification.examples.len(), expected.len(), "{release}: {what}");
        }
    }
}

#[test]
fn each_difference_is_found_at_its_level_where_keys_are_listed_by_cursor() {
    finds_all("v2.3.6");
}

#[test]
fn each_difference_is_found_at_its_level_where_keys_are_listed_by_range() {
    finds_all("v3.3.6");
}

#[test]
fn each_difference_is_found_at_its_level_where_a_name_has_one_type() {
    finds_all("v4.0.1");
}

#[test]
fn the_last_byte_of_what_is_read_in_pieces_counts() {
    let text = b"0123456789".repeat(250_000);
    for release in ["v2.3.6", "v3.3.6"] {
        let of = |text: Vec<u8>| {
            let mut data = Data::default();
            data.put(b"large", Contents::Text(text));
            DataServer::plain(release, data)
        };
        let mut other = text.clone();
        *other.last_mut().unwrap() = b'x';
        let (source, same, other) = (of(text.clone()), of(text.clone()), of(other));
        assert_eq!(compared(&source, &same, at(CompareLevel::Value)).different, 0);
        let found = compared(&source, &other, at(CompareLevel::Value));
        assert_eq!(differences(&found)[0].1.value, 1, "{release}");
    }
}

#[test]
fn a_name_that_lacks_one_of_its_types_is_found_under_that_type() {
    for release in ["v2.3.6", "v3.3.6"] {
        let mut target = some_data();
        target.remove(DataType::List, b"several");
        let verification = compared(
            &DataServer::plain(release, some_data()),
            &DataServer::plain(release, target),
            at(CompareLevel::Length),
        );
        let found = differences(&verification);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].0, found[0].1.missing), (DataType::List, 1), "{release}");
    }
}

#[test]
fn a_key_in_another_database_is_found_there() {
    let mut data = some_data();
    data.put_in(2, b"far", Contents::Text(b"x".to_vec()), -1);
    let with_databases = |data: Data| {
        DataServer::start("v3.3.6", data, |_, _, words| {
            if words[0].eq_ignore_ascii_case(b"config") && words[2].eq_ignore_ascii_case(b"databases") {
                Turn::Say(b"*2\r\n$9\r\ndatabases\r\n$1\r\n3\r\n".to_vec())
            } else {
                Turn::Answer
            }
        })
    };
    let (source, target) = (with_databases(data), with_databases(some_data()));
    let verification = compared(&source, &target, at(CompareLevel::Length));
    settled(&verification);
    assert_eq!(verification.different, 1);
    let example = &verification.examples[0];
    assert_eq!((example.db.as_str(), example.key.as_str()), ("db2", "far"));
}

#[test]
fn keys_that_expire_or_change_meanwhile_are_no_differences() {
    // The source loses a key with an end and one without, between two listings; the target loses them later.
    let data = || {
        let mut data = some_data();
        data.put_in(0, b"a:mortal", Contents::Text(b"x".to_vec()), 3);
        data.put(b"a:deleted", Contents::Text(b"x".to_vec()));
        data.put(b"a:late", Contents::Text(b"old".to_vec()));
        data
    };
    let source = DataServer::plain("v3.3.6", data());
    source.data.lock().unwrap().remove(DataType::String, b"a:deleted");
    source.data.lock().unwrap().get(DataType::String, b"a:late").0 = Contents::Text(b"newer".to_vec());
    // Records are on their way until the second look begins: TYPE is asked for then, and never before.
    let sources = source.data.clone();
    let target = DataServer::start("v3.3.6", data(), move |data, _, words| {
        let is_second_look = words[0] == b"pkscanrange" && words[2] == words[3] && !words[2].is_empty();
        if is_second_look {
            data.0.remove(&(0, DataType::String, b"a:deleted".to_vec()));
            data.get(DataType::String, b"a:late").0 = Contents::Text(b"newer".to_vec());
            data.0.remove(&(0, DataType::String, b"a:mortal".to_vec()));
            sources.lock().unwrap().0.remove(&(0, DataType::String, b"a:mortal".to_vec()));
        }
        Turn::Answer
    });
    // A key with an end differs at first, and is gone from both at the second look.
    source.data.lock().unwrap().get(DataType::String, b"a:mortal").0 = Contents::Text(b"longer".to_vec());
    let verification = compared(&source, &target, VerifyOptions::default());
    settled(&verification);
    let strings = verification.counts.iter().find(|counts| counts.kind == DataType::String).unwrap();
    assert_eq!(verification.different, 0, "{:?}", verification.examples);
    assert_eq!((strings.expired, strings.settled), (1, 2), "{strings:?}");
    assert!(verification.rounds >= 1);
}

#[test]
fn a_key_that_never_stands_still_is_neither_equal_nor_different() {
    let mut data = Data::default();
    data.put(b"busy", Contents::Text(b"x".to_vec()));
    data.put(b"calm", Contents::Text(b"x".to_vec()));
    let source = DataServer::start("v3.3.6", data.clone(), |data, number, words| {
        if words[0] == b"strlen" {
            data.get(DataType::String, b"busy").0 =
                Contents::Text(vec![b'x'; usize::try_from(number).unwrap()]);
        }
        Turn::Answer
    });
    let verification = compared(&source, &DataServer::plain("v3.3.6", data), VerifyOptions::default());
    settled(&verification);
    assert_eq!((verification.different, verification.counts[0].changed), (0, 1));
    assert_eq!(verification.rounds, pikadoctor::model::limits::MAX_VERIFY_ROUNDS);
}

#[test]
fn shards_come_to_the_whole_and_a_sample_says_what_follows() {
    let mut changed = some_data();
    changed.remove(DataType::String, b"user:0300");
    changed.remove(DataType::Set, b"s:7");
    let (source, target) = (DataServer::plain("v2.3.6", some_data()), DataServer::plain("v3.3.6", changed));
    let whole = compared(&source, &target, VerifyOptions::default());
    let shards: Vec<Verification> = (1..=3)
        .map(|number| {
            let shard = Some(Shard { number, of: 3 });
            compared(&source, &target, VerifyOptions { shard, ..VerifyOptions::default() })
        })
        .collect();
    assert_eq!(shards.iter().map(Verification::compared).sum::<u64>(), whole.compared());
    assert_eq!(shards.iter().map(|shard| shard.different).sum::<u64>(), 2);
    assert_eq!(whole.different, 2);
    let sample = compared(
        &source,
        &DataServer::plain("v3.3.6", some_data()),
        VerifyOptions { sample: Some(200), ..VerifyOptions::default() },
    );
    settled(&sample);
    let said = sample.sample.clone().unwrap();
    assert_eq!(said.of_about, some_data().0.len() as u64);
    assert_eq!(said.compared, sample.compared());
    assert!((120..280).contains(&said.compared), "{said:?}");
    assert!(said.fewer_than_one_in.is_some_and(|one_in| one_in < said.compared), "{said:?}");
}

#[test]
fn nothing_is_compared_with_nothing_and_that_is_seen() {
    let verification = compared(
        &DataServer::plain("v3.3.6", Data::default()),
        &DataServer::plain("v3.3.6", Data::default()),
        VerifyOptions::default(),
    );
    assert_eq!((verification.compared(), verification.different), (0, 0));
    assert!(verification.counts.is_empty());
}

#[test]
fn nothing_is_written_and_nothing_without_a_bound_is_asked() {
    for release in RELEASES {
        let data = data_for([release, release]);
        let (source, target) = (DataServer::plain(release, data.clone()), DataServer::plain(release, data));
        compared(&source, &target, at(CompareLevel::Value));
        for server in [source, target] {
            let sent = server.sent.lock().unwrap();
            let mut commands: Vec<String> = sent
                .iter()
                .map(|words| String::from_utf8_lossy(&words[0]).to_lowercase())
                .filter(|command| !["info", "config", "select", "ping", "acl"].contains(&command.as_str()))
                .collect();
            commands.sort();
            commands.dedup();
            let expected: &[&str] = match release {
                "v2.3.0" | "v2.3.6" => &[
                    "getrange", "hlen", "hscan", "llen", "lrange", "scan", "scard", "sscan", "strlen", "ttl",
                    "type", "zcard", "zrange", "zscore",
                ],
                _ => &[
                    "getrange",
                    "hlen",
                    "llen",
                    "lrange",
                    "pkhscanrange",
                    "pkscanrange",
                    "scard",
                    "sscan",
                    "strlen",
                    "ttl",
                    "zcard",
                    "zscan",
                ],
            };
            assert_eq!(commands, expected, "{release}");
        }
    }
}

#[test]
fn several_servers_of_one_side_are_one() {
    use crate::support::compared::{compare, quick, run};
    let whole = some_data();
    let (mut one, mut other) = (Data::default(), Data::default());
    for (index, (place, key)) in whole.0.clone().into_iter().enumerate() {
        let half = if index % 3 == 0 { &mut one } else { &mut other };
        half.0.insert(place, key);
    }
    let halves = [DataServer::plain("v2.3.6", one), DataServer::plain("v3.3.6", other)];
    let target = DataServer::plain("v3.5.5", whole.clone());
    let options = quick(at(CompareLevel::Value));
    let verification = run(compare(&[&halves[0], &halves[1]], &[&target], &options)).unwrap();
    settled(&verification);
    assert_eq!((verification.different, verification.compared()), (0, whole.0.len() as u64));
    let back = run(compare(&[&target], &[&halves[0], &halves[1]], &options)).unwrap();
    assert_eq!((back.different, back.compared()), (0, whole.0.len() as u64));
    let holder = halves
        .iter()
        .find(|half| half.data.lock().unwrap().0.contains_key(&(0, DataType::Set, b"large:s".to_vec())));
    holder.unwrap().data.lock().unwrap().remove(DataType::Set, b"large:s");
    let verification = run(compare(&[&halves[0], &halves[1]], &[&target], &options)).unwrap();
    assert_eq!(differences(&verification)[0].1.only_there, 1);
}
