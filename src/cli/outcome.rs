//! How a command ends when it ends well.

/// What a command leaves behind: its one document, and its exit code.
pub struct CommandOutcome {
    /// What goes to the standard output.
    pub document: String,
    /// The exit code, see [`exit`](crate::model::exit).
    pub exit_code: u8,
}
