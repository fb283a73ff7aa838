//! Looks up some keys of a Pika in the lists that a migration works through.
//!
//! Counts cannot tell: the number of keys is that of the last scan, and slots may have moved since. A key that is there
//! and in no list is a proof.

use crate::collect::link::{Session, Trouble, find_keys};
use crate::collect::pika::gate::SLOT_LIST;
use crate::collect::pika::resp::Reply;
use crate::model::codis::topology::ListSample;
use crate::model::limits::MAX_LISTED_KEYS;

/// To whom a slot belongs, as far as Codis says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belongs {
    /// To the group of the server.
    Here,
    /// To another group, or to none.
    Elsewhere,
    /// To both while it is moved.
    Moving,
}

/// Looks. Null where this release does not let its lists be asked without harm, or lists no keys.
pub async fn sample(
    session: &mut Session<'_>,
    belongs: impl Fn(u64) -> Belongs,
) -> Result<Option<ListSample>, Trouble> {
    if !session.may(&["sismember", SLOT_LIST, "k"]) {
        return Ok(None);
    }
    let keys = find_keys(session, MAX_LISTED_KEYS).await?;
    let mut sample = ListSample::default();
    let mut missing = Vec::new();
    for looked in look_up(session, &keys).await? {
        sample.looked += 1;
        match belongs(looked.slot) {
            Belongs::Here if !looked.listed => missing.push(looked.key),
            Belongs::Elsewhere => sample.elsewhere += 1,
            Belongs::Here | Belongs::Moving => {}
        }
    }
    // A key that was deleted between two questions is none that stays behind.
    let again = look_up(session, &missing).await?;
    sample.unlisted = again.iter().filter(|looked| !looked.listed).count() as u64;
    Ok(Some(sample))
}

struct Looked {
    key: String,
    slot: u64,
    listed: bool,
}

/// The keys that are there, each with its slot and whether the list of it has the key.
async fn look_up(session: &mut Session<'_>, keys: &[String]) -> Result<Vec<Looked>, Trouble> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let slots =
        ask_each(session, keys.iter().map(|key| vec!["slotshashkey".to_owned(), key.clone()])).await?;
    let kinds = ask_each(session, keys.iter().map(|key| vec!["type".to_owned(), key.clone()])).await?;
    let mut known: Vec<(&String, u64, char)> = Vec::new();
    for ((key, slot), kind) in keys.iter().zip(slots).zip(kinds) {
        if let (Some(slot), Some(letter)) = (slot_of(&slot), letter_of(&kind)) {
            known.push((key, slot, letter));
        }
    }
    let questions = known.iter().map(|(key, slot, letter)| {
        vec!["sismember".to_owned(), format!("{SLOT_LIST}{slot}"), format!("{letter}{key}")]
    });
    let answers = ask_each(session, questions).await?;
    Ok(known
        .into_iter()
        .zip(answers)
        .map(|((key, slot, _), answer)| Looked { key: key.clone(), slot, listed: answer == Reply::Number(1) })
        .collect())
}

async fn ask_each(
    session: &mut Session<'_>,
    commands: impl Iterator<Item = Vec<String>>,
) -> Result<Vec<Reply>, Trouble> {
    let commands: Vec<Vec<String>> = commands.collect();
    if commands.is_empty() {
        return Ok(Vec::new());
    }
    let words: Vec<Vec<&str>> =
        commands.iter().map(|command| command.iter().map(String::as_str).collect()).collect();
    session.ask(&words.iter().map(Vec::as_slice).collect::<Vec<_>>()).await
}

fn slot_of(reply: &Reply) -> Option<u64> {
    let Reply::List(numbers) = reply else { return None };
    let [Reply::Number(slot)] = numbers[..] else { return None };
    u64::try_from(slot).ok()
}

/// How a key of a type begins in a list. Streams are in no list on any release, and are counted apart.
fn letter_of(reply: &Reply) -> Option<char> {
    let Reply::Text(kind) = reply else { return None };
    Some(match kind.as_str() {
        "string" => 'k',
        "hash" => 'h',
        "list" => 'l',
        "set" => 's',
        "zset" => 'z',
        _ => return None,
    })
}
