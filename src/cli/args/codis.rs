//! The options about Codis.

use super::connection::ConnectionArgs;
use crate::cli::error::CliError;
use crate::collect::codis::request::Request;
use crate::collect::net::http::parse_url;
use crate::collect::secret::{Password, credentials_in, secret_in};
use crate::pipeline::request::{CodisRequest, ServerTarget};
use crate::plan::read::Plan;

/// The environment variable that holds the product_auth.
const PRODUCT_AUTH_VARIABLE: &str = "PIKADOCTOR_PRODUCT_AUTH";

/// The environment variable that holds the credentials of HTTP for a Codis, where something in front of it wants them.
const CODIS_AUTH_VARIABLE: &str = "PIKADOCTOR_CODIS_AUTH";

/// Codis.
///
/// The product_auth comes from the environment variable PIKADOCTOR_PRODUCT_AUTH; an empty one says that there
/// is none. Credentials of HTTP come from PIKADOCTOR_CODIS_AUTH (`user:password`). The product_auth is shown to the proxies as a hash, as every dashboard does, and to the servers as their password.
#[derive(Clone, Debug, clap::Args)]
pub struct CodisArgs {
    /// Also check a Codis: the URL of its dashboard, of codis-fe or of a proxy's admin port. The servers that the
    /// dashboard lists are checked as well, and nothing is written to them [repeatable]
    #[arg(long, value_name = "URL", value_parser = codis_url)]
    pub codis: Vec<String>,

    /// Check this product of Codis only; with a coordinator, its servers as well
    #[arg(long, value_name = "NAME", value_parser = parse_product)]
    pub product: Option<String>,

    /// Slots of the Codis are about to be migrated: check whether keys would be left behind
    #[arg(long, requires = "codis")]
    before_migration: bool,

    /// Check the Codis or the coordinator only, not the servers behind it
    #[arg(long)]
    pub no_servers: bool,
}

impl CodisArgs {
    /// The same, and what a plan names.
    pub fn with(&self, plan: &Plan) -> Result<Self, CliError> {
        let mut both = self.clone();
        for url in &plan.services.codis {
            both.codis.push(url.read(codis_url)?);
        }
        if let Some(product) = &plan.services.product {
            both.product = Some(product.read(parse_product)?);
        }
        both.before_migration |= plan.services.before_migration;
        Ok(both)
    }

    /// What is to be looked at, if anything.
    pub fn request(
        &self,
        connecting: &ConnectionArgs,
        targets: &[ServerTarget],
    ) -> Result<Option<CodisRequest>, CliError> {
        if self.codis.is_empty() {
            return Ok(None);
        }
        let urls = match credentials_in(CODIS_AUTH_VARIABLE)? {
            Some(credentials) => self.codis.iter().map(|url| with_credentials(url, &credentials)).collect(),
            None => self.codis.clone(),
        };
        let product_auth = secret_in(PRODUCT_AUTH_VARIABLE)?;
        let password = password_of_servers(connecting, targets)?;
        let request =
            Request { urls, product: self.product.clone(), product_auth, migration: self.before_migration };
        Ok(Some(CodisRequest { survey: request, password, servers: !self.no_servers }))
    }
}

/// The password of servers that are found on the way: Codis itself logs in to them with the product_auth.
pub fn password_of_servers(
    connecting: &ConnectionArgs,
    targets: &[ServerTarget],
) -> Result<Option<Password>, CliError> {
    match secret_in(PRODUCT_AUTH_VARIABLE)? {
        Some(auth) => Ok(Some(auth).filter(|auth| !auth.expose().is_empty())),
        None => Ok(connecting.password_of_found(targets)?),
    }
}

/// A name that Codis would refuse for a product.
#[derive(Debug, thiserror::Error)]
#[error(
    "a product has letters, digits, `_`, `-` and `.` in its name, and begins with a letter, a digit or `_`"
)]
pub struct ProductNameError;

/// Reads the name of a product, as Codis would accept it.
pub fn parse_product(text: &str) -> Result<String, ProductNameError> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if starts && text.chars().all(good) { Ok(text.to_owned()) } else { Err(ProductNameError) }
}

/// A URL; `http://` goes without saying. It stands in reports and in plans, so that nothing secret may be in it.
fn codis_url(text: &str) -> Result<String, String> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = parse_url(&whole).map_err(|error| error.to_string())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "credentials do not belong into an argument or a plan; set {CODIS_AUTH_VARIABLE} to user:password"
        ));
    }
    if url.query_pairs().any(|(name, _)| name != "forward") {
        return Err("of a query only ?forward=PRODUCT is understood".into());
    }
    // A fragment is for browsers: codis-fe has the product there.
    Ok(whole.split('#').next().unwrap_or_default().to_owned())
}

/// The URL with what the environment has for it.
fn with_credentials(url: &str, credentials: &Password) -> String {
    let Ok(mut url) = parse_url(url) else { return url.to_owned() };
    let (user, password) = credentials.expose().split_once(':').unwrap_or_default();
    // Neither can fail on a URL that has a host.
    let _ = url.set_username(user);
    let _ = url.set_password(Some(password));
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_in_a_report_has_nothing_secret() {
        for (text, read) in [
            ("10.0.0.1:18080", Ok("http://10.0.0.1:18080")),
            ("https://fe/base?forward=demo", Ok("https://fe/base?forward=demo")),
            ("http://fe:9090/#demo", Ok("http://fe:9090/")),
            ("http://u:p@fe", Err("PIKADOCTOR_CODIS_AUTH")),
            ("http://fe/?token=x", Err("?forward=PRODUCT")),
        ] {
            match (codis_url(text), read) {
                (Ok(url), Ok(expected)) => assert_eq!(url, expected),
                (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
                (other, _) => panic!("{text}: {other:?}"),
            }
        }
        let credentials = Password::new("user:p@ss:word");
        assert_eq!(with_credentials("http://fe:9090", &credentials), "http://user:p%40ss%3Aword@fe:9090/");
    }
}
