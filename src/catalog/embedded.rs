//! The catalogue that a run uses: the built-in one, and what the user adds.

use super::check_file::{CatalogueError, read_check};
use crate::judge::names;
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

/// Adds a check that was read from a directory of the user: `id`, the file for error messages, and
/// its text. Its expressions are compiled and its names compared with the facts here, so a mistake in
/// it ends the run before anything is sent.
pub fn add(catalogue: &mut Catalogue, id: &str, file: &str, text: &str) -> Result<(), CatalogueError> {
    let check = read_check(id, file, text)?;
    let place = |message: String| CatalogueError::Wrong {
        file: file.to_owned(),
        line: check.file.title.en.line,
        column: check.file.title.en.column,
        message,
    };
    if let Some(other) = catalogue.checks.iter().find(|other| other.id == id) {
        return Err(place(format!("the id `{id}` is taken by {}; choose another file name", other.origin)));
    }
    if let Some(error) = names::faults(&check, &catalogue.knowledge).into_iter().next() {
        return Err(error);
    }
    let place = catalogue.checks.partition_point(|other| other.id.as_str() < id);
    catalogue.checks.insert(place, check);
    Ok(())
}
