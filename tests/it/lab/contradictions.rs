//! One report speaks with one voice: no two of its texts ask for opposite things, none stands there twice, and no
//! finding begins with a bare number.

use std::collections::{BTreeMap, BTreeSet};

use pikadoctor::model::finding::{Finding, Problem, Report};
use pikadoctor::model::remedy::Action;
use pikadoctor::model::text::Language;

use super::played::all_played;

/// A sentence that is shorter than this is a label, and may stand in two places.
const SENTENCE: usize = 30;

/// What a problem asks somebody to do to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Act {
    server: String,
    words: Vec<String>,
}

/// The problems of a report that stand for themselves.
fn standing(report: &Report) -> impl Iterator<Item = (&Finding, &Problem)> {
    let findings = report.findings.iter().filter(|finding| finding.state.matters());
    findings.flat_map(|finding| {
        let problems = finding.problems.iter().filter(|problem| problem.explained_by.is_empty());
        problems.map(move |problem| (finding, problem))
    })
}

/// Everything that a problem says, with the remedy that is printed.
fn texts(problem: &Problem) -> Vec<String> {
    let mut texts = vec![problem.found.clone()];
    texts.extend(problem.needed.iter().chain(&problem.fix).cloned());
    if let Some(remedy) = problem.remedies.first() {
        texts.extend([remedy.title.clone(), remedy.clients.clone(), remedy.loses.text.clone()]);
        texts.extend(remedy.before.iter().chain(remedy.steps.iter().map(|step| &step.says)).cloned());
    }
    texts
}

/// The commands in a text for a person.
fn written(text: &str) -> impl Iterator<Item = Act> {
    text.lines().filter_map(|line| line.split_once("redis-cli ")).filter_map(|(_, line)| redis_cli(line))
}

/// `-h HOST -p PORT WORDS…`
fn redis_cli(line: &str) -> Option<Act> {
    let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
    let [h, host, p, port, words @ ..] = &*words else { return None };
    (h == "-h" && p == "-p").then(|| Act { server: format!("{host}:{port}"), words: words.to_vec() })
}

/// What a problem asks to do.
fn acts(problem: &Problem) -> Vec<Act> {
    let mut acts: Vec<Act> = problem.fix.iter().flat_map(|fix| written(fix)).collect();
    for step in problem.remedies.first().iter().flat_map(|remedy| &remedy.steps) {
        match &step.action {
            Action::Run { argv, .. } => {
                let line: Vec<String> = argv.iter().skip(1).map(ToString::to_string).collect();
                acts.extend(redis_cli(&line.join(" ")));
            }
            Action::Edit { place, key, value, .. } => acts.push(Act {
                server: place.server.clone().or_else(|| place.host.clone()).unwrap_or_default(),
                words: vec![
                    "set".to_owned(),
                    key.clone(),
                    value.as_ref().map(ToString::to_string).unwrap_or_default(),
                ],
            }),
            Action::Service { place, what } => acts.push(Act {
                server: place.server.clone().or_else(|| place.host.clone()).unwrap_or_default(),
                words: vec!["service".to_owned(), format!("{what:?}").to_lowercase()],
            }),
            _ => {}
        }
    }
    // A server that is stopped to be started again is started.
    let last = acts.iter().rposition(|act| act.words[0] == "service");
    let mut index = 0;
    acts.retain(|act| {
        index += 1;
        act.words[0] != "service" || last == Some(index - 1)
    });
    acts
}

impl Act {
    /// The master that a server is made to follow, and whether its data is replaced for that.
    fn follows(&self) -> Option<(String, bool)> {
        match &*self.words {
            [slaveof, host, port, rest @ ..] if slaveof == "slaveof" && host != "no" => {
                Some((format!("{host}:{port}"), rest.first().is_some_and(|word| word == "force")))
            }
            _ => None,
        }
    }

    /// A setting and its value.
    fn sets(&self) -> Option<(&str, &str)> {
        match &*self.words {
            [config, set, key, value] if config == "config" && set == "set" => Some((key, value)),
            [set, key, value] if set == "set" => Some((key, value)),
            _ => None,
        }
    }

    /// Why it and another one cannot both be done.
    fn contradicts(&self, other: &Self) -> Option<&'static str> {
        if let (Some((one, force)), Some((two, other_force))) = (self.follows(), other.follows()) {
            if self.server == two && other.server == one {
                return Some("each is to follow the other");
            }
            if self.server == other.server && one != two {
                return Some("it is to follow two masters");
            }
            if self.server == other.server && force != other_force {
                return Some("its data is to be replaced, and is to be kept");
            }
        }
        if let (Some((one, value)), Some((two, other_value))) = (self.sets(), other.sets())
            && self.server == other.server
            && one == two
            && value != other_value
        {
            return Some("a setting is to have two values");
        }
        let ends = |act: &Self| act.words == ["service", "stop"];
        let both = self.words[0] == "service" && other.words[0] == "service";
        if both && self.server == other.server && ends(self) != ends(other) {
            return Some("it is to be stopped, and to run");
        }
        None
    }
}

/// Whether a text says that a link is to be left alone: `do not send slaveof`, `without slaveof`, `不要执行 slaveof`.
fn asks_to_wait(text: &str) -> bool {
    const NOT: [&str; 9] = ["not ", "no ", "never ", "without ", "不要", "不执行", "不能", "绝不", "请勿"];
    let text = text.to_lowercase().replace("slaveof no one", "");
    text.match_indices("slaveof").any(|(index, _)| {
        let before = &text[..index];
        let begins = before.rfind(['.', ';', ':', '\n', '。', '；', '：', '，']).map_or(0, |at| at + 1);
        let before = before.get(begins..).unwrap_or(before);
        // `wait until the master no longer lists it, then slaveof` asks for one.
        let then = ["then", "before", "until", "再", "之前", "而不", "如果", "if "];
        NOT.iter().any(|word| before.contains(word)) && !then.iter().any(|word| before.contains(word))
    })
}

/// What is said to be done and to be undone, with the word for each, by language.
const OPPOSITES: [([&str; 3], [&str; 3]); 3] = [
    (["start ", "启动 ", "启动"], ["stop ", "停止 ", "停掉 "]),
    (["open port ", "open the port ", "放行端口"], ["close port ", "close the port ", "关闭端口"]),
    (["switch on ", "打开 ", "开启 "], ["switch off ", "关闭 ", "停用 "]),
];

/// What a problem asks to be done to what: the object is the word behind the verb. The last one counts: what is stopped to
/// be started again is started.
fn meanings(problem: &Problem) -> BTreeMap<(usize, String), bool> {
    let mut said = BTreeMap::new();
    for text in texts(problem) {
        let text = text.to_lowercase();
        for (axis, (does, undoes)) in OPPOSITES.iter().enumerate() {
            let mut found: Vec<(usize, usize, bool)> = Vec::new();
            for (verbs, polarity) in [(does, true), (undoes, false)] {
                let places = verbs.iter().flat_map(|verb| text.match_indices(verb));
                found.extend(places.map(|(at, verb)| (at, at + verb.len(), polarity)));
            }
            found.sort_unstable();
            for (_, behind, polarity) in found {
                let object = text[behind..].split([' ', ',', '.', ';', '，', '。', '；', '、']).next();
                // An address, a port or a setting; `start it` is about whatever the finding is about.
                let object = object.filter(|word| word.contains([':', '-']) || word.parse::<u16>().is_ok());
                if let Some(object) = object {
                    said.insert((axis, object.to_owned()), polarity);
                }
            }
        }
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_two_texts_of_a_report_ask_for_opposite_things() {
    let mut wrong = BTreeSet::new();
    for (played, language) in
        all_played().await.iter().flat_map(|it| [(it, Language::En), (it, Language::Zh)])
    {
        let report = played.report(language);
        let standing: Vec<_> = standing(&report).collect();
        for (index, (finding, problem)) in standing.iter().enumerate() {
            for (other_finding, other) in &standing[index + 1..] {
                let names = format!(
                    "{}: {} {} and {} {}",
                    played.scenario.name,
                    finding.check,
                    finding.target,
                    other_finding.check,
                    other_finding.target
                );
                for one in acts(problem) {
                    for two in acts(other) {
                        if let Some(why) = one.contradicts(&two) {
                            let (one, two) = (one.words.join(" "), two.words.join(" "));
                            wrong.insert(format!("{names}: {why}: {one} / {two}"));
                        }
                    }
                }
                let other_means = meanings(other);
                for ((axis, object), polarity) in meanings(problem) {
                    if other_means.get(&(axis, object.clone())).is_some_and(|other| *other != polarity) {
                        wrong.insert(format!("{names}: {:?} of {object} both ways", OPPOSITES[axis]));
                    }
                }
                for (waits, acts_on) in [(problem, other), (other, problem)] {
                    let follows = acts(acts_on).iter().any(|act| act.follows().is_some());
                    let says = texts(waits).into_iter().find(|text| asks_to_wait(text));
                    if let Some(says) = says.filter(|_| follows) {
                        wrong.insert(format!("{names}: no slaveof is to be sent, and it is printed: {says}"));
                    }
                }
            }
        }
    }
    let wrong: Vec<_> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_reader_of_texts_knows_what_asks_for_no_slaveof() {
    for text in [
        "While it runs: wait, and send no slaveof; that would begin it anew",
        "Do not join them by slaveof.",
        "请等待，不要执行 slaveof，否则会从头开始",
        "不要用 slaveof 连接它们。",
    ] {
        assert!(asks_to_wait(text), "{text}");
    }
    for text in [
        "slaveof no one, wait until the master no longer lists it, then slaveof again",
        "等主库不再列出它，再执行 slaveof",
        "Connect it: slaveof 10.0.0.1 9221",
    ] {
        assert!(!asks_to_wait(text), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sentence_stands_twice_in_a_report() {
    let mut wrong = BTreeSet::new();
    for played in all_played().await {
        for language in [Language::En, Language::Zh] {
            let report = played.report(language);
            let mut seen: BTreeMap<String, String> = BTreeMap::new();
            for (finding, problem) in standing(&report) {
                let own: BTreeSet<String> = texts(problem).iter().flat_map(|text| sentences(text)).collect();
                for sentence in own {
                    let place = format!("{} {}", finding.check, finding.target);
                    if let Some(other) = seen.insert(sentence.clone(), place.clone()) {
                        wrong.insert(format!("{}: {other} and {place}: {sentence}", played.scenario.name));
                    }
                }
            }
        }
    }
    let wrong: Vec<_> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The sentences of a text, without its commands.
fn sentences(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().filter(|line| !line.contains("redis-cli"));
    let parts = lines.flat_map(|line| line.split(['。', '；', ';']).flat_map(|part| part.split(". ")));
    let wide = |text: &str| text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
    parts.map(|part| part.trim().to_owned()).filter(move |part| wide(part) >= SENTENCE)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_finding_begins_with_a_bare_number() {
    let mut wrong = BTreeSet::new();
    for played in all_played().await {
        for language in [Language::En, Language::Zh] {
            let report = played.report(language);
            for problem in report.findings.iter().flat_map(|finding| {
                finding.problems.iter().map(move |problem| (&finding.check, &problem.found))
            }) {
                let (check, found) = problem;
                let rest = found.trim_start_matches(|c: char| c.is_ascii_digit());
                if rest.len() < found.len() && rest.starts_with([':', '：', ' ', ',', '，', '、']) {
                    wrong.insert(format!("{check}: {}", found.lines().next().unwrap_or_default()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
