//! How long the host takes to find the name of a peer's address. Up to 3.4.1 the rsync daemon on a replica
//! looks up its master's name for each connection, and a full copy makes one for each file.

use std::net::IpAddr;

use dns_lookup::LookupErrorKind;
use tokio::time::{Instant, timeout_at};

use crate::model::host::NameLookup;
use crate::model::limits::REVERSE_LOOKUP_TIMEOUT;

/// Looks up the names of all `addresses` beside each other.
pub async fn lookup_names(addresses: &[IpAddr], run: Instant) -> Vec<NameLookup> {
    let looks = addresses.iter().map(|address| async move {
        let address = *address;
        let began = Instant::now();
        let deadline = (began + REVERSE_LOOKUP_TIMEOUT).min(run);
        // The resolver of the system blocks. One that never answers keeps its thread, and nothing else.
        let asking = tokio::task::spawn_blocking(move || dns_lookup::lookup_addr(&address));
        let answer = timeout_at(deadline, asking).await;
        let seconds = began.elapsed().as_secs_f64();
        // That there is no name is an answer; that no server could be asked is none.
        let (name, answered) = match answer {
            Ok(Ok(Ok(name))) => (Some(name), true),
            Ok(Ok(Err(error))) => (None, !matches!(error.kind(), LookupErrorKind::Again)),
            Ok(Err(_)) | Err(_) => (None, false),
        };
        NameLookup { address: address.to_string(), name, seconds, answered }
    });
    futures_util::future::join_all(looks).await
}
