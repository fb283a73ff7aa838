//! The servers of one side as one: their keys in one order, and what each has under a name.

use futures_util::future::join_all;

use super::listing::Listing;
use super::lookup::{KeyState, Lookup};
use crate::collect::link::{Session, Trouble};
use crate::model::verification::{CompareLevel, DataType};

/// A key as one side listed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldKey {
    /// The name.
    pub name: Vec<u8>,
    /// Which server of the side listed it; the first, where several did.
    pub holder: usize,
}

/// The listings of one side.
pub struct SideListing<'a> {
    servers: Vec<(Listing, Session<'a>)>,
}

/// The lookups of one side.
pub struct SideLookup<'a> {
    servers: Vec<(Lookup, Session<'a>)>,
}

impl<'a> SideListing<'a> {
    /// Of these connections.
    pub fn new(sessions: Vec<Session<'a>>) -> Result<Self, Trouble> {
        let servers = sessions.into_iter().map(|session| Ok((Listing::of(&session)?, session)));
        Ok(Self { servers: servers.collect::<Result<_, Trouble>>()? })
    }

    /// From now on this database is listed; servers that do not have it have no keys in it.
    pub async fn select(&mut self, db: u32, counts: &[u64]) -> Result<(), Trouble> {
        for ((listing, session), count) in self.servers.iter_mut().zip(counts) {
            listing.begin_database();
            select(session, db, *count).await?;
        }
        Ok(())
    }

    /// From now on the keys of a type are listed that come after `after`.
    pub fn begin(&mut self, kind: DataType, after: Option<&[u8]>, db: u32, counts: &[u64]) {
        for ((listing, _), count) in self.servers.iter_mut().zip(counts) {
            listing.begin(kind, after);
            if u64::from(db) >= *count {
                listing.end();
            }
        }
    }

    /// Reads another piece of each listing that has room for it.
    pub async fn fill(&mut self) -> Result<(), Trouble> {
        let filled = self.servers.iter_mut().map(|(listing, session)| async move {
            if listing.wants_more() { listing.fill(session).await } else { Ok(()) }
        });
        join_all(filled).await.into_iter().collect()
    }

    /// Whether the next key of the side is known, or that there is none.
    pub fn is_ready(&self) -> bool {
        self.servers.iter().all(|(listing, _)| listing.head().is_some() || listing.has_ended())
    }

    /// The next key of the side, once it is ready.
    pub fn head(&self) -> Option<&[u8]> {
        self.servers.iter().filter_map(|(listing, _)| listing.head()).min()
    }

    /// Takes the next key.
    pub fn pop(&mut self) -> Option<HeldKey> {
        let name = self.head()?.to_vec();
        let mut holder = None;
        for (index, (listing, _)) in self.servers.iter_mut().enumerate() {
            if listing.head() == Some(&name) {
                listing.pop();
                holder.get_or_insert(index);
            }
        }
        Some(HeldKey { name, holder: holder? })
    }
}

impl<'a> SideLookup<'a> {
    /// Of these connections.
    pub fn new(sessions: Vec<Session<'a>>) -> Result<Self, Trouble> {
        let servers = sessions.into_iter().map(|session| Ok((Lookup::of(&session)?, session)));
        Ok(Self { servers: servers.collect::<Result<_, Trouble>>()? })
    }

    /// Whether one of the servers has lengths and contents that are left alone.
    pub fn spares_mortals(&self) -> bool {
        self.servers.iter().any(|(lookup, _)| lookup.spares_mortals())
    }

    /// From now on this database is looked into.
    pub async fn select(&mut self, db: u32, counts: &[u64]) -> Result<(), Trouble> {
        for ((_, session), count) in self.servers.iter_mut().zip(counts) {
            select(session, db, *count).await?;
        }
        Ok(())
    }

    /// What the side has under names that it listed.
    pub async fn states(
        &mut self,
        kind: DataType,
        keys: &[HeldKey],
        level: CompareLevel,
        lives: bool,
    ) -> Result<Vec<KeyState>, Trouble> {
        let mut states = vec![KeyState::default(); keys.len()];
        let asked = self.servers.iter_mut().enumerate().map(|(holder, (lookup, session))| async move {
            let places: Vec<usize> = (0..keys.len()).filter(|index| keys[*index].holder == holder).collect();
            let names: Vec<Vec<u8>> = places.iter().map(|index| keys[*index].name.clone()).collect();
            let states = lookup.states(session, kind, &names, level, lives).await?;
            Ok::<_, Trouble>((places, states))
        });
        for answer in join_all(asked).await {
            let (places, found) = answer?;
            for (place, state) in places.into_iter().zip(found) {
                states[place] = state;
            }
        }
        Ok(states)
    }

    /// What the side has under names of which nothing is known. Where several servers have one, the first counts.
    /// Servers without the database have nothing.
    pub async fn states_anew(
        &mut self,
        kind: DataType,
        names: &[Vec<u8>],
        level: CompareLevel,
        (db, counts): (u32, &[u64]),
    ) -> Result<Vec<KeyState>, Trouble> {
        let mut states = vec![KeyState::default(); names.len()];
        for ((lookup, session), count) in self.servers.iter_mut().zip(counts) {
            if u64::from(db) >= *count {
                continue;
            }
            let found = lookup.states_anew(session, kind, names, level).await?;
            for (state, found) in states.iter_mut().zip(found) {
                if !state.is_there {
                    *state = found;
                }
            }
        }
        Ok(states)
    }

    /// Whether the side has each name as any type.
    pub async fn have_any(
        &mut self,
        names: &[Vec<u8>],
        db: u32,
        counts: &[u64],
    ) -> Result<Vec<bool>, Trouble> {
        let mut have = vec![false; names.len()];
        for ((lookup, session), count) in self.servers.iter_mut().zip(counts) {
            if u64::from(db) < *count {
                let found = lookup.have_any(session, names).await?;
                have.iter_mut().zip(found).for_each(|(have, found)| *have |= found);
            }
        }
        Ok(have)
    }

    /// Every type that a name has on the side.
    pub async fn types(&mut self, name: &[u8], db: u32, counts: &[u64]) -> Result<Vec<DataType>, Trouble> {
        let mut types = Vec::new();
        for ((lookup, session), count) in self.servers.iter_mut().zip(counts) {
            if u64::from(db) < *count {
                types.extend(lookup.types(session, name).await?);
            }
        }
        Ok(types)
    }
}

/// Chooses a database where there are several.
async fn select(session: &mut Session<'_>, db: u32, count: u64) -> Result<(), Trouble> {
    if count > 1 && u64::from(db) < count {
        session.ask_one(&["select", &db.to_string()]).await?;
    }
    Ok(())
}
