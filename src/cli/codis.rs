//! The options about Codis.

use super::Failure;
use super::connection::Connecting;
use crate::collect::codis::survey::Request;
use crate::collect::http::parse_url;
use crate::collect::secret::Password;
use crate::{CodisTrial, Target};

/// The environment variable that holds the product_auth.
const PRODUCT_AUTH_VARIABLE: &str = "PIKADOCTOR_PRODUCT_AUTH";

/// Codis.
///
/// The product_auth comes from the environment variable PIKADOCTOR_PRODUCT_AUTH; an empty one says that there
/// is none. It is shown to the proxies as a hash, as every dashboard does, and to the servers as their password.
#[derive(Debug, clap::Args)]
pub struct CodisOptions {
    /// Look at a Codis, too: the URL of its dashboard, of codis-fe or of a proxy's admin port. The servers that the
    /// dashboard names are looked at as well, and nothing is written there [repeatable]
    #[arg(long, value_name = "URL", value_parser = codis_url)]
    codis: Vec<String>,

    /// Look at this product of Codis only
    #[arg(long, value_name = "NAME", requires = "codis")]
    product: Option<String>,

    /// Slots of the Codis will be moved: judge whether keys would stay behind
    #[arg(long, requires = "codis")]
    before_migration: bool,

    /// Look at the Codis alone, not at the servers behind it
    #[arg(long, requires = "codis")]
    no_servers: bool,
}

impl CodisOptions {
    /// What is to be looked at, if anything.
    pub fn trial(&self, connecting: &Connecting, targets: &[Target]) -> Result<Option<CodisTrial>, Failure> {
        if self.codis.is_empty() {
            return Ok(None);
        }
        let product_auth = match std::env::var(PRODUCT_AUTH_VARIABLE) {
            Ok(text) => Some(Password::new(text)),
            Err(std::env::VarError::NotPresent) => None,
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Failure(format!("{PRODUCT_AUTH_VARIABLE} is not valid UTF-8")));
            }
        };
        // Codis itself logs in to its servers with the product_auth.
        let password = match &product_auth {
            Some(auth) => Some(auth.clone()).filter(|auth| !auth.expose().is_empty()),
            None => connecting.password_of_found(targets)?,
        };
        let request = Request {
            urls: self.codis.clone(),
            product: self.product.clone(),
            product_auth,
            migration: self.before_migration,
        };
        Ok(Some(CodisTrial { request, password, servers: !self.no_servers }))
    }
}

/// A URL; `http://` goes without saying.
fn codis_url(text: &str) -> Result<String, String> {
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    parse_url(&url).map(|_| url).map_err(|error| error.to_string())
}
