//! The proof of a product_auth that a proxy takes.

use ring::digest::{SHA256, digest};

use crate::collect::secret::{Password, note};

/// What a proxy of `product` with this `token` expects of whoever knows its product_auth: the first half of a
/// SHA-256, in hexadecimal digits (NewXAuth in pkg/utils/rpc/crypto.go).
pub fn of_proxy(product: &str, product_auth: &Password, token: &str) -> String {
    let text = format!("Codis-XAuth-[{product}]-[{}]-[{token}]", product_auth.expose());
    let hash: String =
        digest(&SHA256, text.as_bytes()).as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    // Whoever has it may do what the dashboard may.
    note(&hash);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_a_dashboard_of_3_2_2_sent_to_a_proxy() {
        // From the error of a dashboard that could not reach its proxy, which quotes the URL.
        let expected = "b11ed2e9bb2fe69b258a472ed5dd3b9b";
        let token = "d2de05beec081f5f34c2f4cc84caaa73";
        assert_eq!(of_proxy("demo-zk", &Password::new(""), token), expected);
        assert_ne!(of_proxy("demo-zk", &Password::new("x"), token), expected);
    }
}
