//! What is known about Pika, as the files below `checks/knowledge/` say it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::companion::CompanionKey;
use super::finding::State;
use super::lazy::Lazy;
use super::messages::Messages;
use super::network::PortRole;
use super::node::{Evidence, Generation};
use super::recipe::Recipe;
use super::release::{Releases, Version};
use super::replication::Stage;
use super::replication_rules::{Dialects, Forecasts, Upgrades};
use super::text::{Bilingual, Source};
use super::topics::{FailedCopy, Topic};

/// All of it. Each table is read when it is first used.
#[derive(Clone, Debug, PartialEq)]
pub struct Knowledge {
    /// `releases.yaml`
    pub releases: Lazy<Vec<ReleaseTag>>,
    /// `eras.yaml`
    pub eras: Lazy<Vec<EraRule>>,
    /// `generations.yaml`
    pub generations: Lazy<Vec<GenerationEntry>>,
    /// `commands.yaml`
    pub commands: Lazy<Vec<CommandRule>>,
    /// `info-fields.yaml`
    pub info_fields: Lazy<Vec<FieldRule>>,
    /// `dialects.yaml`
    pub dialects: Lazy<Dialects>,
    /// `forecasts.yaml`
    pub forecasts: Lazy<Forecasts>,
    /// `link-states.yaml`
    pub link_states: Lazy<Vec<LinkStateWord>>,
    /// `defects.yaml`
    pub defects: Lazy<Vec<Defect>>,
    /// `upgrades.yaml`
    pub upgrades: Lazy<Upgrades>,
    /// `config-keys.yaml`
    pub config_keys: Lazy<Vec<ConfigKey>>,
    /// `messages.yaml`
    pub messages: Lazy<Messages>,
    /// `companion-keys.yaml`
    pub companion_keys: Lazy<Vec<CompanionKey>>,
    /// `full-copies.yaml`
    pub full_copies: Lazy<Vec<FailedCopy>>,
    /// `topics.yaml`
    pub topics: Lazy<Vec<Topic>>,
    /// The recipes of `remedies/`, by name.
    pub recipes: BTreeMap<String, Lazy<Recipe>>,
}

impl Knowledge {
    /// A release that is known.
    pub fn release(&self, version: Version) -> Option<&ReleaseTag> {
        self.releases.iter().find(|tag| tag.version == version)
    }

    /// What CONFIG GET is asked for.
    pub fn settings(&self) -> impl Iterator<Item = Setting<'_>> {
        self.config_keys.iter().filter_map(|key| {
            let name = key.config_get.as_deref().unwrap_or(&key.name);
            Some(Setting { name, readable: key.readable.as_ref()?, key })
        })
    }

    /// Whether a release that is known reports this number.
    pub fn is_reported(&self, number: Version) -> bool {
        self.releases.iter().any(|tag| tag.reports.unwrap_or(tag.version) == number)
    }
}

/// A release tag of the public repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReleaseTag {
    /// The number.
    pub version: Version,
    /// The number that the binary reports, where it is another one.
    #[serde(default)]
    pub reports: Option<Version>,
    /// The day of the tag, `YYYY-MM-DD`. Absent: the tag was not to be had.
    #[serde(default)]
    pub tagged: Option<String>,
    /// The commit, which `pika_git_sha` of INFO shows from 2.2.5 on. Absent: the tag was not to be had.
    #[serde(default)]
    pub commit: Option<String>,
    /// How it is known.
    #[serde(default)]
    pub evidence: Evidence,
    /// A field of INFO (`section.field`) that this release prints, and the others that report the
    /// same number do not.
    #[serde(default)]
    pub marker: Option<Marker>,
}

/// A set of releases that share a trait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EraRule {
    /// What expressions (`in_era('…')`) and the constants of the code call it.
    pub name: String,
    /// The releases.
    pub releases: Releases,
    /// What they share.
    pub meaning: String,
    /// Where it is known from.
    pub source: String,
}

/// A field that tells releases apart which report the same number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Marker {
    /// A `key:` in a section of INFO.
    Field {
        /// The section, lower case.
        section: String,
        /// The key.
        key: String,
    },
    /// The lines of replicas end in `,lag=`; they exist only while a replica is attached.
    ReplicaLag,
}

/// A generation of replication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GenerationEntry {
    /// Its code.
    pub generation: Generation,
    /// Its releases.
    pub releases: Releases,
    /// What it is, in a sentence.
    pub title: Bilingual,
    /// The ports that are counted from the client port.
    pub ports: Vec<PortRule>,
}

/// When somebody listens on a derived port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PortOpen {
    /// As long as the server runs.
    Always,
    /// On a replica that wants or receives a full copy; closed otherwise, and rightly so.
    FullSync,
}

/// Which addresses a port is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Bind {
    /// 127.0.0.1 and the address of network-interface, or all when it is not set.
    NetworkInterface,
    /// All addresses, whatever network-interface says.
    All,
}

/// What may be done to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// Connect, wait for a moment whether anything comes, close.
    Connect,
    /// The same, but only to a server that follows nobody.
    ConnectAlone,
    /// Read the greeting of an rsync daemon.
    Greeting,
    /// Read the greeting, and name the module of full copies: it must be there, and ask for a secret.
    Module,
    /// Send a TrySync with an impossible position and read the answer.
    Trysync,
}

/// A probe and the releases it is harmless on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProbeRule {
    /// The releases.
    pub releases: Releases,
    /// The probe.
    pub probe: Probe,
}

/// A port that is counted from the client port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PortRule {
    /// What is added to the client port.
    pub offset: u32,
    /// What it is for, in a word.
    pub role: PortRole,
    /// When somebody listens.
    pub open: PortOpen,
    /// Where it is bound.
    pub bind: Bind,
    /// What it is for, in a sentence.
    pub purpose: Bilingual,
    /// Who must reach it.
    pub dialled_by: Bilingual,
    /// What may be done to it. On other releases it is not touched.
    #[serde(default)]
    pub probes: Vec<ProbeRule>,
    /// Why it is not touched where no probe is allowed: an id of `reasons.yaml`.
    #[serde(default)]
    pub untouched: Option<String>,
}

/// What a command does to a server. There is no third kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It changes nothing.
    #[default]
    None,
    /// It writes, or deletes, one key of this tool's own that expires by itself.
    Canary,
}

/// Something that may be sent to the client port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of a file that stands there or does not")]
pub struct CommandRule {
    /// The words, lower case. `<…>` stands for one argument.
    pub command: String,
    /// Where it may be sent before the release is known. Everything else waits for it.
    #[serde(default)]
    pub to_anyone: bool,
    /// Where it may be sent to a Pika of a release that is not known: it does no harm to any release that is.
    #[serde(default)]
    pub to_unknown_releases: bool,
    /// Whether it goes to Sentinels, and to nothing else.
    #[serde(default)]
    pub to_sentinels: bool,
    /// The releases it may be sent to; absent: all known ones.
    #[serde(default)]
    pub releases: Option<Releases>,
    /// Releases on which it must not be sent while the server waits for a full sync.
    #[serde(default)]
    pub not_during_full_sync: Option<Releases>,
    /// Whether it writes. A writing command takes keys of the canary only, and goes out only where canaries are
    /// allowed.
    #[serde(default)]
    pub effect: Effect,
    /// What it is sent for, or why it is never sent.
    pub purpose: String,
    /// True for a command that is never sent, whatever the release.
    #[serde(default)]
    pub never: bool,
}

/// Since when a fact exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// The fact below the node: `data.fatal`.
    pub fact: String,
    /// The releases whose INFO has it.
    pub releases: Releases,
    /// Whether it is printed in some roles or states only, so that its absence means nothing there.
    #[serde(default)]
    pub sometimes: bool,
    /// Whether the other releases have nothing of the kind, so that null is the whole truth there. Without
    /// it, they may well have the thing, and it cannot be seen.
    #[serde(default)]
    pub nothing_elsewhere: bool,
}

/// What is wrong with a value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The release does not use it.
    Ignored,
    /// The release silently uses another value.
    Clamped,
    /// The value means something else than it says.
    Misread,
    /// The value is taken and does harm.
    Harmful,
    /// The server does not start, or dies.
    Fatal,
}

/// A setting that is asked for by `CONFIG GET`: a key of pika.conf under the name that CONFIG GET has for it.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'k> {
    /// Its name.
    pub name: &'k str,
    /// The releases whose CONFIG GET answers it.
    pub readable: &'k Releases,
    /// The key.
    pub key: &'k ConfigKey,
}

/// A value of a setting that does not do what it says, as CONFIG GET shows it or as pika.conf says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SettingFault {
    /// The releases with this fault.
    pub releases: Releases,
    /// The condition, where one does for both. It knows `value`, the text that stands in pika.conf or that CONFIG GET gave;
    /// `number`, what `atoi` reads from it; and `others`, the other settings by name.
    #[serde(default, rename = "if")]
    pub condition: Option<Source>,
    /// The condition on what stands in pika.conf.
    #[serde(default)]
    pub file: Option<Source>,
    /// The condition on what CONFIG GET gave. It knows `node`, too.
    #[serde(default)]
    pub live: Option<Source>,
    /// What kind of fault.
    pub kind: Fault,
    /// How bad it is.
    pub state: State,
    /// What happens.
    pub found: Bilingual,
    /// What was needed.
    pub needed: Bilingual,
    /// What mends it.
    pub fix: Bilingual,
    /// Where it is known from.
    pub source: String,
}

impl SettingFault {
    /// What to look for in a file; none: it is not seen there.
    pub fn in_file(&self) -> Option<&Source> {
        self.file.as_ref().or(self.condition.as_ref())
    }

    /// What to look for in the answers of CONFIG GET; none: it is not seen there.
    pub fn in_answers(&self) -> Option<&Source> {
        self.live.as_ref().or(self.condition.as_ref())
    }
}

/// A word or number for a state of replication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkStateWord {
    /// The field of INFO.
    pub field: String,
    /// The word or number; compared without regard to case.
    pub raw: String,
    /// The releases that use it.
    pub releases: Releases,
    /// The same in this tool's words.
    pub stage: Stage,
    /// What it means to an operator, and what it means when it lasts.
    pub meaning: Bilingual,
    /// What to look at, or to do.
    #[serde(default)]
    pub fix: Option<Bilingual>,
}

/// What a defect does to its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    /// Data is lost.
    DataLoss,
    /// Master and replica differ.
    Divergence,
    /// The server dies.
    Crash,
    /// The server or its replication stops or hangs.
    Outage,
    /// Others get in.
    Security,
    /// An answer is wrong.
    WrongAnswer,
    /// It stands in an operator's way.
    Operations,
}

/// A known defect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Defect {
    /// A short name, lower case with dashes; never used for another defect.
    pub id: String,
    /// The releases that have it.
    pub releases: Releases,
    /// The releases that mended it, one for each line. Empty: not mended.
    #[serde(default)]
    pub fixed_in: Vec<Version>,
    /// What it does to its users.
    pub impact: Impact,
    /// What goes wrong, in one line.
    pub title: Bilingual,
    /// What an operator sees, and what it costs.
    pub effect: Bilingual,
    /// When it matters.
    pub matters: Bilingual,
    /// The same as a condition on the facts of a node. Absent: it cannot be seen from outside, and the
    /// defect is listed but never a finding.
    #[serde(default)]
    pub when: Option<Source>,
    /// How bad it is when the condition holds.
    #[serde(default)]
    pub state: Option<State>,
    /// What to do without another release.
    #[serde(default)]
    pub workaround: Option<Bilingual>,
    /// Commits, issues, or how it was measured.
    pub source: Vec<String>,
}

/// How a key of pika.conf is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// By `atoi` or its like: blanks before it and anything behind it do not count, garbage is 0.
    Integer,
    /// `true`, `1`, `yes`, `false`, `0`, `no`; any other word leaves the default.
    Boolean,
    /// One of a few words.
    Word,
    /// Any text.
    Text,
    /// A file or a directory.
    Path,
    /// An address, with or without a port.
    Address,
    /// Words with commas between them; blanks around them do not count.
    List,
    /// A number of bytes. From 3.5.0 on its last character may be K, M or G.
    Size,
}

/// A key of pika.conf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfigKey {
    /// Its name.
    pub name: String,
    /// The releases that read it. Absent for a key that stands in stock files and that none reads.
    #[serde(default)]
    pub parsed: Option<Releases>,
    /// True for a key that no release reads although a stock file has it.
    #[serde(default)]
    pub stock_only: bool,
    /// The releases whose stock file has it.
    #[serde(default)]
    pub stock: Option<Releases>,
    /// How it is read.
    pub kind: KeyKind,
    /// True for a password: its value becomes a token.
    #[serde(default)]
    pub secret: bool,
    /// The releases whose CONFIG SET changes it.
    #[serde(default)]
    pub settable: Option<Releases>,
    /// The releases whose CONFIG GET answers it, and which are asked for it.
    #[serde(default)]
    pub readable: Option<Releases>,
    /// The name that CONFIG GET has for it, where it is another one.
    #[serde(default)]
    pub config_get: Option<String>,
    /// Whether these answer it in one instance-mode only, so that no answer means nothing.
    #[serde(default)]
    pub sometimes: bool,
    /// The one instance-mode in which it is read, on releases that have two.
    #[serde(default)]
    pub instance_mode: Option<String>,
    /// Values that do not do what they say.
    #[serde(default)]
    pub rules: Vec<SettingFault>,
    /// What happens when the key is not there.
    #[serde(default)]
    pub missing: Vec<MissingRule>,
    /// Values that stand for another one, which CONFIG GET shows after the start. They are no fault.
    #[serde(default)]
    pub stands_for: Vec<StandIn>,
}

/// A value that stands for another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StandIn {
    /// The releases for which it is true.
    pub releases: Releases,
    /// The condition on `value`, the text in pika.conf, and `number`, what `atoi` reads from it.
    #[serde(rename = "if")]
    pub condition: Source,
    /// Where it is known from.
    pub source: String,
}

/// A key whose absence matters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MissingRule {
    /// The releases for which it is true.
    pub releases: Releases,
    /// What the absence leads to.
    pub kind: Fault,
    /// How bad it is.
    pub state: State,
    /// What happens.
    pub found: Bilingual,
    /// What was needed.
    pub needed: Bilingual,
    /// What mends it.
    pub fix: Bilingual,
    /// Where it is known from.
    pub source: String,
}
