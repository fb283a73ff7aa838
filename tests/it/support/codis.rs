//! A recorded Codis as it was, and what it was asked.

pub use super::shared::codis::*;

impl Place {
    /// Text with the recorded address in the place of this one.
    pub fn as_recorded(&self, text: &str) -> String {
        text.replace(&self.host, RECORDED)
    }

    /// The paths that were asked for, with their ports, ordered.
    pub fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked
    }
}

/// A recorded dashboard and its proxy; returns the place and the dashboard's URL.
pub fn serve_recorded(folder: &str) -> (Place, String) {
    serve_changed(folder, |text| text)
}
