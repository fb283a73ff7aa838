//! What is to be looked at of a Codis.

use crate::collect::secret::Password;

/// The URLs of one run, and what they are asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// URLs of dashboards, proxies and codis-fe.
    pub urls: Vec<String>,
    /// Only this product.
    pub product: Option<String>,
    /// The product_auth, where the operator gave it; the empty one says that there is none.
    pub product_auth: Option<Password>,
    /// Whether slots will be moved.
    pub migration: bool,
}
