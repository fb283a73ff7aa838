//! The catalogue that is built into the program.

use crate::model::catalogue::Catalogue;

/// The built-in checks and knowledge, packed by `build.rs` from `checks/`.
const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalogue.msgpack"));

/// The catalogue that is built into the binary.
///
/// # Panics
/// Never in a binary that its own build made: the bytes were written from these very types.
pub fn built_in() -> Catalogue {
    rmp_serde::from_slice(PACKED).expect("the embedded catalogue was packed from the same types")
}
