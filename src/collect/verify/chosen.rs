//! Which keys belong to a sample or a shard: decided from the name alone, so that every server, release and run decides
//! alike.

use ring::digest::{SHA256, digest};

use crate::model::verification::Shard;

/// What is hashed before a name to decide whether it belongs to a sample.
const SAMPLE_SEED: &[u8] = b"pikadoctor sample 1\0";
/// The same for its shard. It is another one, so that the shards of a sample are as large as each other.
const SHARD_SEED: &[u8] = b"pikadoctor shard 1\0";

/// Which keys are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice {
    /// The share of all keys, from 0 to 1. `None`: all.
    pub share: Option<f64>,
    /// The part of the key space. `None`: all of it.
    pub shard: Option<Shard>,
}

impl Choice {
    /// Whether a key is looked at.
    #[expect(clippy::cast_precision_loss, reason = "a share of 2^64, of which 53 bits are enough")]
    pub fn takes(&self, name: &[u8]) -> bool {
        let in_sample =
            self.share.is_none_or(|share| place(SAMPLE_SEED, name) as f64 / 2f64.powi(64) < share);
        in_sample
            && self.shard.is_none_or(|shard| {
                place(SHARD_SEED, name) % u64::from(shard.of.max(1))
                    == u64::from(shard.number.saturating_sub(1))
            })
    }
}

/// The first eight bytes of SHA-256 over the seed and the name.
fn place(seed: &[u8], name: &[u8]) -> u64 {
    let hash = digest(&SHA256, &[seed, name].concat());
    hash.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// With 99 % confidence fewer than one key in so many differs, when none of `compared` does: 1 / (1 - 0.01^(1/n)).
#[expect(clippy::cast_precision_loss, reason = "no run compares 2^53 keys")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and below n / 4.6")]
pub fn fewer_than_one_in(compared: u64) -> Option<u64> {
    (compared > 0).then(|| (1.0 / (1.0 - 0.01f64.powf(1.0 / compared as f64))).floor() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> impl Iterator<Item = Vec<u8>> {
        (0..20_000u32).map(|number| format!("user:{number}").into_bytes())
    }

    #[test]
    fn every_key_is_in_exactly_one_shard_and_shards_are_alike() {
        for of in [1, 2, 7, 16] {
            let mut counts = vec![0u32; of as usize];
            for name in names() {
                let shards: Vec<u32> = (1..=of)
                    .filter(|number| {
                        let shard = Some(Shard { number: *number, of });
                        Choice { share: None, shard }.takes(&name)
                    })
                    .collect();
                assert_eq!(shards.len(), 1);
                counts[shards[0] as usize - 1] += 1;
            }
            let even = 20_000 / of;
            assert!(counts.iter().all(|count| count.abs_diff(even) < even / 5 + 1), "{counts:?}");
        }
    }

    #[test]
    fn a_share_is_drawn_evenly_and_independently_of_the_shard() {
        let choice = Choice { share: Some(0.1), shard: None };
        let taken = names().filter(|name| choice.takes(name)).count();
        assert!((1800..2200).contains(&taken), "{taken}");
        let both = Choice { share: Some(0.1), shard: Some(Shard { number: 1, of: 2 }) };
        let half = names().filter(|name| both.takes(name)).count();
        assert!((850..1150).contains(&half), "{half}");
    }

    #[test]
    fn the_statement_follows_from_how_many_were_compared() {
        assert_eq!(fewer_than_one_in(0), None);
        assert_eq!(fewer_than_one_in(1), Some(1));
        assert_eq!(fewer_than_one_in(100_000), Some(21_715));
    }
}
