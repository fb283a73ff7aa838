//! Whatever a dashboard or a proxy answers, the program reads it, judges it and comes to an end.

use crate::support::codis::{Pages, Place, json};
use pikadoctor::catalog::built_in;
use pikadoctor::collect::codis::{read, survey};
use pikadoctor::derive;
use pikadoctor::model::codis::Codis;
use pikadoctor::model::facts::{self, Facts};
use pikadoctor::model::finding::State;
use pikadoctor::model::policy::Parameters;
use pikadoctor::model::text::Language;
use pikadoctor::parse::secret::Tokens;
use proptest::prelude::*;
use serde_json::Value;

/// Something small in the place of anything.
fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(Value::from("[ERROR] Slot[")),
        Just(serde_json::json!([])),
        Just(serde_json::json!({})),
        Just(serde_json::json!([[], {}, null, "x"])),
        Just(serde_json::json!({"id": u64::MAX, "server": "a:b:c", "action": {"state": 5}})),
    ]
}

/// Puts `leaf` into the place that the steps lead to.
fn replace(json: &mut Value, steps: &[usize], leaf: Value) {
    let Some((step, rest)) = steps.split_first() else {
        *json = leaf;
        return;
    };
    match json {
        Value::Array(items) if !items.is_empty() => {
            let index = step % items.len();
            replace(&mut items[index], rest, leaf);
        }
        Value::Object(map) if !map.is_empty() => {
            let index = step % map.len();
            replace(map.values_mut().nth(index).unwrap(), rest, leaf);
        }
        other => *other = leaf,
    }
}

/// An overview with few slots, so that a change meets the rest as well.
fn overview() -> Value {
    let place = Place::new();
    let text = place.recorded("15-pika-2.3.0-semi-async", "topom").unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    json["stats"]["slots"].as_array_mut().unwrap().truncate(6);
    json
}

/// Reads and judges, as a run does.
fn judge(json: &Value) -> Vec<State> {
    let mut codis = Codis { name: "x".into(), ..Codis::default() };
    read::overview(&mut codis, json, &Tokens::new());
    codis.before_migration = true;
    survey::explain(&mut codis);
    let mut facts = Facts { schema: facts::SCHEMA.into(), codis: vec![codis], ..Facts::default() };
    derive::codis::complete(&mut facts);
    let report = pikadoctor::pipeline::judgement::judge(facts, &built_in(), &Parameters::new(), Language::En);
    let own_faults: Vec<_> =
        report.findings.iter().filter(|finding| finding.note.contains("the check itself failed")).collect();
    assert!(own_faults.is_empty(), "{own_faults:#?}");
    report.findings.iter().map(|finding| finding.state).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn no_part_of_an_overview_is_taken_for_granted(
        changes in prop::collection::vec((prop::collection::vec(0_usize..40, 0..7), leaf()), 1..4)
    ) {
        let mut json = overview();
        for (steps, leaf) in changes {
            replace(&mut json, &steps, leaf);
        }
        judge(&json);
    }

    #[test]
    fn groups_of_2_0_are_read_from_anything(leaf in leaf(), steps in prop::collection::vec(0_usize..9, 0..4)) {
        let mut json = serde_json::json!([{"id": 1, "product_name": "p", "servers": [{"type": "master", "addr": "a:1"}]}]);
        replace(&mut json, &steps, leaf);
        read::groups_of_2(&mut Codis::default(), &json);
    }
}

#[test]
fn an_overview_without_anything_is_not_healthy() {
    let states = judge(&serde_json::json!({}));
    assert!(states.iter().any(|state| matches!(state, State::Unknown | State::Critical)), "{states:?}");
}

#[test]
fn control_characters_of_a_dashboard_do_not_reach_the_terminal() {
    let place = Place::new();
    let text = place.recorded("15-pika-2.3.0-semi-async", "topom").unwrap();
    let mut overview: Value = serde_json::from_str(&text).unwrap();
    overview["model"]["product_name"] = "de\u{1b}[2Jmo".into();
    overview["stats"]["slot_action"]["progress"]["status"] = "[ERROR] Slot[0200]: \u{1b}]0;owned\u{7}".into();
    overview["stats"]["group"]["models"][0]["servers"][0]["server"] = "\u{1b}[31m$(reboot):1".into();
    let url = place.serve(0, Pages::from([("/topom".to_owned(), json(overview.to_string()))]));
    for format in ["human", "short", "nagios", "markdown", "github", "tap"] {
        let run =
            crate::support::run(&["check", "--codis", &url, "--no-servers", "--format", format, "--verbose"]);
        assert_eq!(run.code, 2, "{format}: {run:?}");
        assert!(
            !run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{7}'),
            "{format}: {:?}",
            run.stdout
        );
    }
}
