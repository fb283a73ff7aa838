//! What the language of conditions and texts says about logs.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::{Environment, Error, State, Value, context};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::super::facts::quoted;
use super::super::value::{fact, list, plain, refuse};
use crate::derive::logs::exit_code;
use crate::i18n::texts;
use crate::model::conf::Place;
use crate::model::knowledge::Knowledge;
use crate::model::limits::MAX_LOG_LINES_SHOWN;
use crate::model::logs::{LogEvidence, LogSide};
use crate::model::messages::{LogCause, LogFault};
use crate::model::text::{Bilingual, Language};
use crate::parse::document::json::from_value;

/// The functions, for the checker of names.
pub const FUNCTIONS: [&str; 1] = ["log_troubles"];

/// Adds the functions to an environment.
pub fn add(env: &mut Environment<'static>, knowledge: &Arc<Knowledge>, language: Language) {
    let words = LogWords { knowledge: knowledge.clone(), language };
    env.add_function("log_troubles", move |state: &State<'_, '_>, log: Value, class: String| {
        words.troubles(state, &log, &class)
    });
}

/// The part of a trouble that is looked at; an example states no more.
#[derive(Deserialize)]
struct Trouble {
    fault: String,
    class: String,
    recent: u64,
    #[serde(default)]
    last: String,
    #[serde(default)]
    over: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default)]
    evidence: Vec<LogEvidence>,
    #[serde(default)]
    place: Option<Place>,
}

#[derive(Clone)]
struct LogWords {
    knowledge: Arc<Knowledge>,
    language: Language,
}

impl LogWords {
    /// What goes on within the window and belongs to the check `class`, in words.
    fn troubles(&self, state: &State<'_, '_>, log: &Value, class: &str) -> Result<Value, Error> {
        let troubles = fact(state, log, ".troubles")?;
        let troubles: Vec<Trouble> =
            from_value(&plain(&troubles)?).map_err(|error| refuse(format!("log.troubles: {error}")))?;
        let mut words = Vec::new();
        for trouble in troubles.iter().filter(|trouble| trouble.class == class && trouble.over.is_none()) {
            let known = self.knowledge.messages.faults.iter().find(|fault| fault.id == trouble.fault);
            let Some(fault) = known.filter(|fault| trouble.recent >= fault.at_least.max(1)) else { continue };
            words.push(self.words(state, fault, trouble)?);
        }
        Ok(list(words))
    }

    fn words(&self, state: &State<'_, '_>, fault: &LogFault, trouble: &Trouble) -> Result<Json, Error> {
        let values = trouble.values.iter().map(|(name, value)| (name.clone(), Value::from(value.clone())));
        let values = Value::from(values.collect::<BTreeMap<String, Value>>());
        let quote = |(name, value): (&String, &String)| (name.clone(), quoted(&Value::from(value.as_str())));
        let quoted = Value::from(trouble.values.iter().map(quote).collect::<BTreeMap<String, Value>>());
        let quoted = context! { values => quoted };
        let plain = context! { values };
        // Line breaks within a value would be escaped where it is printed; a list has none.
        let say_in = |text: &str, ctx: &Value| {
            let text = state.env().render_str(text, ctx)?;
            Ok::<_, Error>(text.lines().map(str::to_owned).collect::<Vec<String>>())
        };
        let say = |text: &Bilingual| say_in(text.get(self.language), &plain);
        // A value of a log is one word of a command.
        let say_safe = |text: &str| say_in(text, &quoted);
        Ok(json!({
            "fault": fault.id,
            "state": fault.state,
            "cause": say(&fault.cause)?,
            "needed": say(&fault.needed)?,
            "fix": say_safe(fault.fix.get(self.language))?,
            "possible": self.possible(fault, trouble, &say_safe)?,
            "recent": trouble.recent,
            "last": to_the_second(&trouble.last),
            "exit": self.exit(trouble),
            "lines": self.lines(trouble),
            "place": trouble.place,
        }))
    }

    /// The causes that are left, the likeliest first.
    fn possible(
        &self,
        fault: &LogFault,
        trouble: &Trouble,
        say: &dyn Fn(&str) -> Result<Vec<String>, Error>,
    ) -> Result<Vec<Json>, Error> {
        let exit = trouble.values.get("status").and_then(|status| exit_code(status));
        let proved = |cause: &&LogCause| exit.is_some_and(|exit| cause.exits.contains(&exit));
        let is_proved = fault.possible.iter().any(|cause| proved(&cause));
        let causes = fault.possible.iter().filter(|cause| !is_proved || proved(cause));
        let line = |text: &Bilingual| Ok::<_, Error>(say(text.get(self.language))?.join(" "));
        let words = |cause: &LogCause| {
            let (on, run) = (line(&cause.look.on)?, say(&cause.look.run)?.join(" "));
            Ok(json!({
                "cause": line(&cause.cause)?,
                "speaks_for": cause.speaks_for.as_ref().map(line).transpose()?.unwrap_or_default(),
                "look": {"on": on, "run": run},
            }))
        };
        causes.map(words).collect()
    }

    /// What a wait status in the lines means.
    fn exit(&self, trouble: &Trouble) -> String {
        let Some(status) = trouble.values.get("status") else { return String::new() };
        let code = exit_code(status);
        let exits = &self.knowledge.messages.rsync_exits;
        match (code, code.and_then(|code| exits.iter().find(|exit| exit.code == code))) {
            (Some(code), Some(exit)) => {
                texts::rsync_exit_known(self.language, status, code, exit.meaning.get(self.language))
            }
            (Some(code), None) => texts::rsync_exit(self.language, status, code),
            (None, _) => texts::rsync_signal(self.language, status),
        }
    }

    /// The newest lines, each with its end and its time.
    fn lines(&self, trouble: &Trouble) -> Vec<String> {
        let side = |side| match side {
            LogSide::Master => texts::SIDE_MASTER,
            LogSide::Replica => texts::SIDE_REPLICA,
            LogSide::Any => texts::SIDE_ANY,
        };
        let line = |evidence: &LogEvidence| {
            let (count, last) = (evidence.recent, to_the_second(&evidence.last));
            let side = side(evidence.side).get(self.language);
            texts::log_evidence(self.language, side, count, last, &evidence.line)
        };
        let shown = trouble.evidence.iter().filter(|evidence| evidence.recent > 0).take(MAX_LOG_LINES_SHOWN);
        shown.map(line).collect()
    }
}

/// A time without its microseconds.
fn to_the_second(time: &str) -> &str {
    time.split('.').next().unwrap_or(time)
}
