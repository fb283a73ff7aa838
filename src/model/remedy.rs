//! What mends a problem, step by step: as a person reads it, and as a program can carry it out.
//!
//! A value of a server stands in a command only as one word of its own. Whoever prints the command quotes each word, so
//! that no check can put an unquoted value into it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A recipe for one problem, with the values of its servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Remedy {
    /// The name of its recipe: `set-up-anew`.
    pub recipe: String,
    /// What it does, in a few words.
    pub title: String,
    /// What must be so before the first step.
    pub before: Vec<String>,
    /// What data it costs.
    pub loses: Loss,
    /// What clients notice of it.
    pub clients: String,
    /// What to do, in this order.
    pub steps: Vec<RemedyStep>,
}

impl Remedy {
    /// Whether it changes nothing: it shows what the matter is.
    pub fn only_looks(&self) -> bool {
        self.steps.iter().all(|step| step.changes.is_none())
    }
}

/// What data a remedy costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Loss {
    /// Whose data.
    pub what: Loses,
    /// The same in a sentence. Empty when nothing is lost.
    #[serde(default)]
    pub text: String,
}

/// Whose data is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Loses {
    /// Nobody's.
    Nothing,
    /// All that the replica has; it gets what the master has instead.
    ReplicaData,
    /// Writes that one of two servers alone took.
    OwnWrites,
    /// Positions, names or lists of which a program keeps track; no key of a client.
    Bookkeeping,
    /// All that the server has.
    AllData,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RemedyStep {
    /// The recipe that the step is from, where the one of the remedy uses another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// What is done and why, in a sentence.
    pub says: String,
    /// What is done.
    pub action: Action,
    /// What it changes. Absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<String>,
    /// How that is taken back. Present whenever something changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Action {
    /// A command is run, once.
    Run {
        /// Where.
        #[serde(rename = "where")]
        place: Where,
        /// The command, word by word.
        argv: Vec<Word>,
        /// What it answers when it did what it should. Absent: that does not matter.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply: Option<String>,
        /// The file in which its output is kept. Absent: it is only read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        into: Option<String>,
    },
    /// A command is run again and again until its output is as it should be.
    Wait {
        /// Where.
        #[serde(rename = "where")]
        place: Where,
        /// The command, word by word. It changes nothing.
        argv: Vec<Word>,
        /// Until a line of the output holds this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shows: Option<String>,
        /// Until no line of the output holds this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lacks: Option<String>,
    },
    /// A line of a configuration file is written, or taken out.
    Edit {
        /// On which host, and of which server.
        #[serde(rename = "where")]
        place: Where,
        /// The file; `pika.conf` without a path when that is not known.
        file: String,
        /// How a line of it looks.
        format: FileFormat,
        /// The key.
        key: String,
        /// Its new value. Absent: the line is taken out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Word>,
    },
    /// A server is started or stopped. With which command depends on how it is run there.
    Service {
        /// On which host, and which server.
        #[serde(rename = "where")]
        place: Where,
        /// What is done to it.
        what: ServiceAction,
    },
    /// A person decides, or does what no command does.
    Decide,
}

/// Where a command is run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Where {
    /// The server that it is about, `HOST:PORT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The host on which it must be run. Absent: on any host that reaches the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// How a line of a configuration file looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FileFormat {
    /// `key : value`
    #[default]
    PikaConf,
    /// `key = "value"`
    Toml,
    /// `key value`
    SentinelConf,
    /// `key=value`
    Assignment,
}

/// What is done to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ServiceAction {
    /// It is started.
    Start,
    /// It is stopped.
    Stop,
    /// It is stopped and started.
    Restart,
}

/// A word of a command, or a value of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Word {
    /// As it is.
    Text(String),
    /// What a person has to put in.
    Placeholder(Placeholder),
}

/// Something that this program does not know, or must not print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Placeholder {
    /// What it is: `requirepass`, `path` …
    pub placeholder: String,
    /// Of which server, `HOST:PORT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The same in words, without brackets.
    pub text: String,
}

impl Word {
    /// The word as a shell takes it.
    pub fn quoted(&self) -> String {
        let word = self.to_string();
        // A zero byte is the only thing that cannot be quoted, and control characters are escaped before.
        shlex::try_quote(&word).map_or_else(|_| "''".to_owned(), std::borrow::Cow::into_owned)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Placeholder(placeholder) => write!(f, "<{}>", placeholder.text),
        }
    }
}

/// Everything that it says, without the words that go between.
impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.title, self.loses.text, self.clients)?;
        self.before.iter().try_for_each(|before| writeln!(f, "{before}"))?;
        for step in &self.steps {
            writeln!(f, "{}", step.says)?;
            if let Some(argv) = step.action.argv() {
                writeln!(f, "{}", command_line(argv))?;
            }
            if let Some(line) = step.action.line() {
                writeln!(f, "{line}")?;
            }
            if let Action::Wait { shows, lacks, .. } = &step.action {
                shows.iter().chain(lacks).try_for_each(|text| writeln!(f, "{text}"))?;
            }
            [&step.changes, &step.undo].into_iter().flatten().try_for_each(|text| writeln!(f, "{text}"))?;
        }
        Ok(())
    }
}

/// A command on one line, each word quoted for a shell.
pub fn command_line(argv: &[Word]) -> String {
    argv.iter().map(Word::quoted).collect::<Vec<_>>().join(" ")
}

impl Action {
    /// The command of the step, if it has one.
    pub fn argv(&self) -> Option<&[Word]> {
        match self {
            Self::Run { argv, .. } | Self::Wait { argv, .. } => Some(argv),
            Self::Edit { .. } | Self::Service { .. } | Self::Decide => None,
        }
    }

    /// The command as it is typed, on one line.
    pub fn command(&self) -> Option<String> {
        let line = command_line(self.argv()?);
        Some(match self {
            Self::Run { into: Some(file), .. } => format!("{line} > {}", Word::Text(file.clone()).quoted()),
            _ => line,
        })
    }

    /// Where it is done.
    pub fn place(&self) -> Option<&Where> {
        match self {
            Self::Run { place, .. }
            | Self::Wait { place, .. }
            | Self::Edit { place, .. }
            | Self::Service { place, .. } => Some(place),
            Self::Decide => None,
        }
    }

    /// The line of the file that it writes or takes out.
    pub fn line(&self) -> Option<String> {
        let Self::Edit { format, key, value, .. } = self else { return None };
        let value = value.as_ref().map(ToString::to_string).unwrap_or_default();
        let is_bare = value == "true" || value == "false" || value.parse::<i64>().is_ok();
        Some(
            match format {
                FileFormat::PikaConf => format!("{key} : {value}"),
                FileFormat::Toml if is_bare => format!("{key} = {value}"),
                FileFormat::Toml => {
                    format!("{key} = \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
                }
                FileFormat::SentinelConf => format!("{key} {value}"),
                FileFormat::Assignment => format!("{key}={value}"),
            }
            .trim_end()
            .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_word_holds_it_stays_one_word() {
        for text in
            ["a b", "$(touch F)", "`id`", "a'b", "a\"b", "a\\b", "a;b", "*", "-x", "", "~", "#x", "!x"]
        {
            let line = command_line(&[Word::Text("echo".to_owned()), Word::Text(text.to_owned())]);
            assert_eq!(shlex::split(&line).unwrap(), ["echo", text], "{line}");
        }
        let placeholder =
            Placeholder { placeholder: "requirepass".to_owned(), of: None, text: "the password".to_owned() };
        assert_eq!(Word::Placeholder(placeholder).quoted(), "'<the password>'");
    }

    #[test]
    fn a_line_of_a_file_looks_as_the_file_wants_it() {
        let edit = |format, key: &str, value: &str| {
            let value = Some(Word::Text(value.to_owned()));
            let (file, key) = (String::new(), key.to_owned());
            Action::Edit { place: Where::default(), file, format, key, value }.line().unwrap()
        };
        assert_eq!(edit(FileFormat::PikaConf, "masterauth", "a b"), "masterauth : a b");
        assert_eq!(edit(FileFormat::Toml, "product_auth", "a\"b"), "product_auth = \"a\\\"b\"");
        assert_eq!(edit(FileFormat::Toml, "backend_number_databases", "1"), "backend_number_databases = 1");
        assert_eq!(edit(FileFormat::SentinelConf, "sentinel monitor", "m 10.0.0.1 6379 2").len(), 34);
    }
}
