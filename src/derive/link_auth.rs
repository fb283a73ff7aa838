//! Whether a master would let a replica in: three eras of AUTH between servers.
//!
//! Sources: `Send` and `RecvProc` of src/pika_trysync_thread.cc (v2.1.2, v2.3.0, v2.3.6), `AuthStat` of
//! src/pika_client_conn.cc (v2.3.6), `HandleMetaSyncRequest` of src/pika_repl_server_conn.cc (v3.1.0 to
//! v3.5.5); every verdict but `unwanted` and `nobody-is-let-in` was measured.

use super::side::{Missing, Side};
use crate::catalog::era;
use crate::model::link::{AuthVerdict, Credential, LinkAuth};

/// What the master makes of what the replica shows it.
pub fn auth(master: &Side<'_>, replica: &Side<'_>) -> Result<LinkAuth, Missing> {
    let version = replica.version()?;
    let own = replica.setting("requirepass")?.unwrap_or_default();
    // 2.0 and 2.1 have no masterauth.
    let masterauth = replica.setting("masterauth")?.unwrap_or_default();
    let required = master.setting("requirepass")?.unwrap_or_default();
    let (sends, sent) = if version.is_of(&era::AUTH_BY_REQUIREPASS) {
        if own.is_empty() { (Credential::Nothing, "") } else { (Credential::Requirepass, own) }
    } else if !masterauth.is_empty() {
        (Credential::Masterauth, masterauth)
    } else if version.is_of(&era::AUTH_BY_EITHER) && !own.is_empty() {
        (Credential::Requirepass, own)
    } else {
        (Credential::Nothing, "")
    };

    if version.is_of(&era::PROTOBUF) {
        let verdict = match (required.is_empty(), sent.is_empty()) {
            (true, _) => AuthVerdict::Accepted,
            (false, true) => AuthVerdict::Missing,
            (false, false) if sent == required => AuthVerdict::Accepted,
            (false, false) => AuthVerdict::Wrong,
        };
        // An empty password is the secret `default` on both sides.
        let rsync_refuses =
            verdict == AuthVerdict::Accepted && version.is_of(&era::RSYNCD_ALWAYS) && sent != required;
        return Ok(LinkAuth { sends, verdict, retries: false, rsync_refuses });
    }

    let user = master.setting("userpass")?.unwrap_or_default();
    let answer_awaited = if version.is_of(&era::AUTH_BY_REQUIREPASS) || version.is_of(&era::AUTH_BY_EITHER) {
        !own.is_empty()
    } else {
        !masterauth.is_empty()
    };
    let refused_at_auth = |verdict| LinkAuth {
        sends,
        verdict,
        retries: !version.is_of(&era::AUTH_NOT_RETRIED),
        rsync_refuses: false,
    };
    let refused_at_trysync = |verdict| LinkAuth {
        sends,
        verdict,
        retries: version.is_of(&era::REFUSALS_RETRIED),
        rsync_refuses: false,
    };
    Ok(match (sent.is_empty(), required.is_empty()) {
        _ if required.is_empty() && !user.is_empty() => refused_at_trysync(AuthVerdict::NobodyIsLetIn),
        (true, true) => refused_at_trysync(AuthVerdict::Accepted),
        (true, false) => refused_at_trysync(AuthVerdict::Missing),
        (false, _) if !answer_awaited => refused_at_trysync(AuthVerdict::AnswersMixedUp),
        (false, true) => refused_at_auth(AuthVerdict::Unwanted),
        (false, false) if sent == required => refused_at_trysync(AuthVerdict::Accepted),
        (false, false) if sent == user => refused_at_trysync(AuthVerdict::UserPassword),
        (false, false) => refused_at_auth(AuthVerdict::Wrong),
    })
}
