//! What is said on the standard error.

use std::io::{self, Write};

use crate::collect::secret::hide_in_text;
use crate::render::armour::armoured_text;

/// Says something beside the document of the run. What it repeats of a file, a plan or a server can neither forge a
/// line nor hold a password.
pub fn say(message: &str) {
    // Nobody reads it any more; the exit code is what counts.
    let _ = writeln!(io::stderr(), "pikadoctor: {}", harmless(message));
}

/// The same text as it may be shown: its own lines stay lines, those behind the first indented.
pub fn harmless(message: &str) -> String {
    let hidden = hide_in_text(message);
    let lines: Vec<String> = hidden.lines().map(armoured_text).collect();
    lines.join("\n  ")
}
