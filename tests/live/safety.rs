//! Promise 1 on real servers: it does no harm. Run with `PIKADOCTOR_PIKA_HOME`; ignored elsewhere.

use std::time::Duration;

use crate::support::harmless::look_through_proxies;
use crate::support::real::{Pika, versions};

#[test]
#[cfg_attr(not(real_pika), ignore = "needs real servers: set PIKADOCTOR_PIKA_HOME")]
fn through_proxies_nothing_harmful_reaches_a_real_pair_of_any_release() {
    for version in versions() {
        let loopback = ("network-interface", "lo");
        let (master, replica) = (Pika::start(&version, &[loopback]), Pika::start(&version, &[loopback]));
        master.ask(&["SET", "s", "v"]);
        let port = master.port.to_string();
        assert!(replica.ask(&["SLAVEOF", "127.0.0.1", &port]).starts_with("+OK"), "{version}");
        replica.wait_for("the link", Duration::from_secs(150), |replica| {
            replica.ask(&["INFO", "replication"]).contains("master_link_status:up")
        });
        // INFO doublemaster shows the number that a touched + 1000 would change.
        let state = || (master.ask(&["INFO", "doublemaster"]), replica.ask(&["INFO", "doublemaster"]));
        let before = state();
        look_through_proxies(&version, &master.address(), &replica.address(), |_| {});
        assert_eq!(state(), before, "{version}");
    }
}
