//! The one way out. A command is packed for the wire here or nowhere, and only when the knowledge
//! says that it is harmless on the release that it goes to.

use redis::Cmd;

use crate::i18n::{of_knowledge, reasons};
use crate::model::knowledge::{CommandRule, Effect, PortRule, Probe};
use crate::model::node::NotSent;
use crate::model::reason::Reason;
use crate::model::release::Version;

/// How every key begins that this tool writes.
pub const CANARY: &str = "pikadoctor:canary:";
/// How the key of a slot's list begins: `SlotKeyPrefix` in include/pika_slot.h v2.3.6, pika_slot_command.h v3.5.5.
pub const SLOT_LIST: &str = "_internal:slotkey:4migrate:";

/// A command that may be sent. Only the gate can make one.
#[derive(Debug)]
pub struct Permit {
    /// The command as it may be shown: arguments that are secret are left out.
    label: String,
    packed: Vec<u8>,
}

impl Permit {
    /// The command as it may be shown.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The bytes for the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.packed
    }
}

/// A command with places for arguments that may be sent with whatever stands in them. Only the gate can make one; it is
/// asked once, and not for each of millions of keys.
#[derive(Clone, Debug)]
pub struct CommandForm {
    /// The words of the rule; `None` for a place.
    words: Vec<Option<String>>,
}

/// Commands that are sent in one write.
#[derive(Debug, Default)]
pub struct CommandBatch {
    packed: Vec<u8>,
    count: usize,
}

impl CommandForm {
    /// Adds the command to `batch`, with `arguments` in its places, from left to right. What lacks is empty.
    pub fn add(&self, batch: &mut CommandBatch, arguments: &[&[u8]]) {
        let mut arguments = arguments.iter();
        let mut command = Cmd::new();
        for word in &self.words {
            match word {
                Some(word) => command.arg(word.as_bytes()),
                None => command.arg(arguments.next().copied().unwrap_or_default()),
            };
        }
        command.write_packed_command(&mut batch.packed);
        batch.count += 1;
    }
}

impl CommandBatch {
    /// The bytes for the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.packed
    }

    /// How many commands it has.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Why a command is not sent.
#[derive(Debug)]
pub struct Refusal {
    /// The command and the reason, for the facts.
    pub not_sent: NotSent,
    /// The release does not have the command, so that nothing is lost by not sending it.
    pub not_in_release: bool,
}

/// Decides what may be sent to one server.
pub struct Gate<'k> {
    rules: &'k [CommandRule],
    release: Option<Version>,
    /// What it reports, where that is a release that is not known.
    unknown: Option<Version>,
    full_sync: bool,
    canaries: bool,
    sentinel: bool,
}

impl<'k> Gate<'k> {
    /// A gate for a server whose release is not known yet.
    pub fn new(rules: &'k [CommandRule]) -> Self {
        Self { rules, release: None, unknown: None, full_sync: false, canaries: false, sentinel: false }
    }

    /// From now on the release is known (`None`: the server is not a Pika or does not say), and
    /// whether the server waits for a full sync.
    pub fn settle(&mut self, release: Option<Version>, full_sync: bool) {
        self.release = release;
        self.full_sync = full_sync;
    }

    /// From now on it is known that the server is a Pika, of a release that is not known. It gets what does no harm to
    /// any release.
    pub fn settle_on_unknown(&mut self, reported: Version) {
        self.unknown = Some(reported);
    }

    /// From now on it is known that a Sentinel is at the other end.
    pub fn settle_on_sentinel(&mut self) {
        self.sentinel = true;
    }

    /// From now on canaries may be written.
    pub fn allow_canaries(&mut self) {
        self.canaries = true;
    }

    /// The release that the gate was settled on.
    pub fn release(&self) -> Option<Version> {
        self.release
    }

    /// What the server reports, where that is a release that is not known.
    pub fn unknown_release(&self) -> Option<Version> {
        self.unknown
    }

    /// Packs `words` for the wire, or says why it must not be sent.
    pub fn permit(&self, words: &[&str]) -> Result<Permit, Refusal> {
        let not_sent = |reason: Reason| NotSent { command: words.join(" "), reason };
        let refuse = |reason: Reason| Err(Refusal { not_sent: not_sent(reason), not_in_release: false });
        // Literal rules come before rules with a placeholder, so `config get *` is found before
        // `config get <setting>`.
        let literal = self.rules.iter().find(|rule| matches(&rule.command, words, false));
        let Some(rule) =
            literal.or_else(|| self.rules.iter().find(|rule| matches(&rule.command, words, true)))
        else {
            return refuse(reasons::command_not_known_harmless());
        };
        if rule.never {
            return refuse(Reason::verbatim(&rule.purpose));
        }
        if rule.effect == Effect::Canary && !self.canaries {
            return refuse(reasons::nothing_to_be_written());
        }
        if rule.to_sentinels && !self.sentinel {
            return refuse(reasons::sentinels_only());
        }
        if !rule.to_anyone && !rule.to_sentinels {
            match (self.release, self.unknown) {
                (Some(release), _) => {
                    if let Some(releases) = &rule.releases
                        && !releases.contains(release)
                    {
                        let reason = reasons::release_does_not_have_it(release, releases);
                        return Err(Refusal { not_sent: not_sent(reason), not_in_release: true });
                    }
                }
                (None, Some(_)) if rule.to_unknown_releases => {}
                (None, Some(reported)) => return refuse(reasons::release_unknown_to_tool(reported)),
                (None, None) => return refuse(reasons::release_not_known()),
            }
        }
        if let Some(releases) = &rule.not_during_full_sync
            && self.full_sync
            && self.release.is_none_or(|release| releases.contains(release))
        {
            return refuse(reasons::full_sync_running());
        }
        let mut command = Cmd::new();
        for word in words {
            command.arg(*word);
        }
        // The pattern of the rule shows no argument that stands for a placeholder: passwords are secret, and
        // the keys of users are nobody else's business.
        let hidden = ["<password>", "<key>", "<cursor>", "<member>"]
            .iter()
            .any(|hidden| rule.command.contains(hidden));
        let label = if hidden { rule.command.clone() } else { words.join(" ") };
        Ok(Permit { label, packed: command.get_packed_command() })
    }
}

impl Gate<'_> {
    /// The command of the rule `pattern`, `strlen <key>` for example, for any key. Rules about keys of this tool's own
    /// are no such rules.
    pub fn permit_form(&self, pattern: &str) -> Result<CommandForm, Refusal> {
        let words: Vec<&str> = pattern.split(' ').collect();
        let own = words.iter().any(|word| ["<canary>", "<slot-list>", "<password>"].contains(word));
        let known = self.rules.iter().any(|rule| rule.command == pattern);
        if own || !known {
            let not_sent =
                NotSent { command: pattern.to_owned(), reason: reasons::command_not_known_harmless() };
            return Err(Refusal { not_sent, not_in_release: false });
        }
        self.permit(&words)?;
        let place = |word: &&str| (!word.starts_with('<')).then(|| (*word).to_owned());
        Ok(CommandForm { words: words.iter().map(place).collect() })
    }
}

/// A port that may be touched, and how. Only the gate can make one.
#[derive(Debug)]
pub struct PortPermit {
    number: u16,
    probe: Probe,
}

impl PortPermit {
    /// The port.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// What may be done to it.
    pub fn probe(&self) -> Probe {
        self.probe
    }
}

/// What must be known of a server before a port is touched whose touch is harmless to such a server alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone {
    /// It is neither a replica nor a double master.
    pub follows_nobody: bool,
    /// It is the release that it says, beyond doubt.
    pub is_proven: bool,
}

impl Gate<'_> {
    /// Lets a derived port be touched, or says why it must not be.
    pub fn permit_port(&self, rule: &PortRule, number: u16, alone: Alone) -> Result<PortPermit, Reason> {
        let Some(release) = self.release else {
            return Err(self
                .unknown
                .map_or_else(reasons::release_not_known, reasons::release_unknown_to_tool));
        };
        let Some(probe) = rule.probes.iter().find(|probe| probe.releases.contains(release)) else {
            return Err(rule
                .untouched
                .clone()
                .map_or_else(reasons::no_harmless_probe, |id| of_knowledge(&id)));
        };
        if probe.probe == Probe::ConnectAlone {
            // 2.3.3 to 2.3.8 and 3.0.0 to 3.0.5 take whoever connects there for their master.
            if !alone.is_proven {
                return Err(reasons::probe_needs_proof());
            }
            if !alone.follows_nobody {
                return Err(reasons::probe_changes_replica());
            }
        }
        Ok(PortPermit { number, probe: probe.probe })
    }
}

fn matches(pattern: &str, words: &[&str], placeholders: bool) -> bool {
    let pattern: Vec<&str> = pattern.split(' ').collect();
    pattern.len() == words.len()
        && pattern.iter().zip(words).all(|(pattern, word)| {
            pattern.eq_ignore_ascii_case(word)
                || match *pattern {
                    "<canary>" => placeholders && word.len() > CANARY.len() && word.starts_with(CANARY),
                    "<slot-list>" => placeholders && word.starts_with(SLOT_LIST),
                    pattern => placeholders && pattern.starts_with('<'),
                }
        })
}
