//! What both test programs need: the program under test, recorded servers, and relays that write down what is sent.
//!
//! Each of them compiles this as a module of its own and uses all of it; what only one needs is in its own `support`.

pub mod codis;
pub mod etcd;
pub mod harmless;
pub mod proxy;
pub mod recorded;
pub mod trial;
pub mod zookeeper;

mod listener;
mod ports;
mod program;

pub use listener::{listener, listener_at};
pub use ports::own_address;
pub use program::{Run, pikadoctor, run};
pub use recorded::{recording, recordings_directory, serve, serve_at};

/// A part of a report as text, with the commands of its remedies as they are printed behind it.
pub fn with_commands(part: &serde_json::Value) -> String {
    let mut text = part.to_string();
    let problems = part["problems"].as_array().into_iter().flatten().chain(std::iter::once(part));
    let remedies = problems.flat_map(|problem| problem["remedies"].as_array().into_iter().flatten());
    for remedy in remedies {
        let remedy: pikadoctor::model::remedy::Remedy = serde_json::from_value(remedy.clone()).unwrap();
        text += &format!("\n{remedy}");
    }
    text
}
