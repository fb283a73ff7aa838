//! Asks the URLs that were named, finds out what answers, and puts together what belongs to one product.

use serde_json::Value as Json;
use url::Url;

use super::request::Request;
use super::{dashboard, proxy, read, registered};
use crate::collect::net::deadlines::Deadlines;
use crate::collect::net::http::{Answer, Client, HttpError, client, get_json, parse_url, shown};
use crate::i18n::reasons;
use crate::model::address::Address;
use crate::model::codis::Codis;
use crate::model::codis::dashboard::{Dashboard, Source, SourceKind};
use crate::model::codis::topology::{CodisRelease, Registered};
use crate::model::http::HttpFailure;
use crate::model::limits::{MAX_CODIS_ANSWER_BYTES, MAX_FE_PRODUCTS};
use crate::model::reason::Reason;
use crate::model::unavailable::{Unavailable, UnavailableKind};
use crate::parse;
use crate::parse::secret::Tokens;

/// Looks at everything that `request` names. Never fails: what could not be had is in the facts.
pub async fn survey(request: &Request, tokens: &Tokens, deadlines: &Deadlines) -> Vec<Codis> {
    let client = client(deadlines.connect);
    let asker = Asker { client: &client, deadlines, request, tokens };
    let looks = futures_util::future::join_all(request.urls.iter().map(|url| asker.look(url))).await;
    let mut found = together(looks.into_iter().flatten().collect());
    for codis in &mut found {
        proxy::ask_all(codis, request, &client, tokens, deadlines).await;
        codis.registered = addresses(codis);
        registered::look_up(codis.registered.iter_mut(), deadlines).await;
        if let Some(migration) = &mut codis.migration {
            migration.expected |= request.migration;
        }
        codis.before_migration = request.migration;
        codis.product_auth = request.product_auth.as_ref().map(|auth| !auth.expose().is_empty());
        explain(codis);
    }
    found
}

/// Asks for one run.
struct Asker<'a> {
    client: &'a Client,
    deadlines: &'a Deadlines,
    request: &'a Request,
    tokens: &'a Tokens,
}

impl Asker<'_> {
    /// What stands behind a URL: one Codis, or several behind a codis-fe.
    async fn look(&self, text: &str) -> Vec<Codis> {
        let url = match parse_url(text) {
            Ok(url) => url,
            Err(error) => return vec![unheard(harmless(text), None, &error)],
        };
        let product =
            url.query_pairs().find(|(name, _)| name == "forward").map(|(_, product)| product.into_owned());
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        base.set_path("");
        let place = Place { base: base.to_string().trim_end_matches('/').to_owned(), url, forward: None };
        if let Some(product) = product {
            return vec![self.dashboard_behind(&place, &product).await];
        }
        let mut failures = Vec::new();
        for attempt in [SourceKind::Dashboard, SourceKind::Proxy, SourceKind::Fe, SourceKind::Dashboard2] {
            match self.try_as(attempt, &place).await {
                Ok(found) => return found,
                // Only where there is no such path is it worth while to try another.
                Err(error) if matches!(error.failure, HttpFailure::NotFound) => failures.push(error),
                Err(error) => return vec![unheard(place.shown(), place.address(), &error)],
            }
        }
        let error = failures.into_iter().next().unwrap_or_else(|| nothing_of_codis(""));
        vec![unheard(
            place.shown(),
            place.address(),
            &HttpError { detail: nothing_of_codis("").detail, ..error },
        )]
    }

    async fn try_as(&self, kind: SourceKind, place: &Place) -> Result<Vec<Codis>, HttpError> {
        match kind {
            SourceKind::Dashboard => self.dashboard(place).await.map(|codis| vec![codis]),
            SourceKind::Proxy => {
                let answer = self.get(&place.path("/proxy")).await?;
                if !answer.json["model"].is_object() {
                    return Err(nothing_of_codis("/proxy"));
                }
                Ok(vec![self.of_proxy(place, &answer)])
            }
            SourceKind::Fe => {
                let answer = self.get(&place.path("/list")).await?;
                let names = answer.json.as_array().ok_or_else(|| nothing_of_codis("/list"))?;
                let wanted =
                    |name: &&str| self.request.product.as_deref().is_none_or(|product| product == *name);
                let names: Vec<&str> =
                    names.iter().filter_map(Json::as_str).filter(wanted).take(MAX_FE_PRODUCTS).collect();
                if names.is_empty() {
                    let which = self.request.product.as_deref();
                    let which = which.map_or_else(reasons::any_product, Reason::verbatim);
                    return Err(not_the_product(reasons::fe_unknown_product(which)));
                }
                let looks = names.iter().map(|name| self.dashboard_behind(place, name));
                Ok(futures_util::future::join_all(looks).await)
            }
            SourceKind::Dashboard2 => {
                let answer = self.get(&place.path("/api/server_groups")).await?;
                if !answer.json.is_array() && !answer.json.is_null() {
                    return Err(nothing_of_codis("/api/server_groups"));
                }
                let mut codis = Codis::default();
                read::groups_of_2(&mut codis, &answer.json);
                codis.product =
                    answer.json.pointer("/0/product_name").and_then(Json::as_str).map(str::to_owned);
                codis.sources.push(place.source(SourceKind::Dashboard2, &codis, answer.seconds));
                Ok(vec![named(codis)])
            }
        }
    }

    /// The dashboard of `product` behind a codis-fe.
    async fn dashboard_behind(&self, place: &Place, product: &str) -> Codis {
        let place = Place { forward: Some(product.to_owned()), ..place.clone() };
        let mut codis = self
            .dashboard(&place)
            .await
            .unwrap_or_else(|error| unheard(place.shown(), place.address(), &error));
        for source in &mut codis.sources {
            if source.kind.is_some() {
                source.kind = Some(SourceKind::Fe);
            }
        }
        codis
    }

    async fn dashboard(&self, place: &Place) -> Result<Codis, HttpError> {
        let mut codis = Codis::default();
        match self.get(&place.path("/topom")).await {
            Ok(answer) if answer.json["model"].is_object() && answer.json["stats"].is_object() => {
                read::overview(&mut codis, &answer.json, self.tokens);
                let closed = answer.json["stats"]["closed"].as_bool() == Some(true);
                let cause = closed.then(reasons::closed);
                Self::add_dashboard(&mut codis, place, &answer.json["model"], cause, answer.seconds);
            }
            Ok(_) => return Err(nothing_of_codis("/topom")),
            // It is there, and waits for the lock that another one holds.
            Err(error) if error.failure == HttpFailure::Cause => {
                let answer = dashboard::model(async |path| self.get(&place.path(path)).await).await;
                let Ok(answer) = answer else { return Err(error) };
                if !answer.json.is_object() {
                    return Err(error);
                }
                Self::add_dashboard(&mut codis, place, &answer.json, Some(error.detail), answer.seconds);
            }
            Err(error) => return Err(error),
        }
        let wanted = self.request.product.as_ref();
        if let (Some(wanted), Some(product)) = (wanted, &codis.product)
            && wanted != product
        {
            return Err(not_the_product(reasons::dashboard_of_other_product(product, wanted)));
        }
        Ok(named(codis))
    }

    fn add_dashboard(codis: &mut Codis, place: &Place, model: &Json, cause: Option<Reason>, seconds: f64) {
        let dashboard = parse::codis::dashboard(model);
        codis.product.clone_from(&dashboard.product_name);
        let (url, online) = (Some(place.shown()), Some(cause.is_none()));
        codis.dashboards.push(Dashboard { url, online, cause, ..dashboard });
        codis.sources.push(place.source(SourceKind::Dashboard, codis, seconds));
    }

    fn of_proxy(&self, place: &Place, answer: &Answer) -> Codis {
        let json = &answer.json;
        let mut proxy = parse::codis::proxy(&json["model"]);
        let mut codis = Codis { product: proxy.product_name.clone(), ..Codis::default() };
        proxy::take(&mut proxy, json, &codis, self.tokens);
        proxy.online = json["stats"]["online"].as_bool();
        codis.proxies = Some(vec![proxy]);
        codis.sources.push(place.source(SourceKind::Proxy, &codis, answer.seconds));
        named(codis)
    }

    async fn get(&self, url: &str) -> Result<Answer, HttpError> {
        get_json(self.client, url, self.deadlines.of(self.deadlines.reply), MAX_CODIS_ANSWER_BYTES).await
    }
}

/// Where to ask.
#[derive(Clone)]
struct Place {
    /// The URL that was named.
    url: Url,
    /// Its scheme, user and host.
    base: String,
    /// The product that codis-fe is to pass requests on for.
    forward: Option<String>,
}

impl Place {
    fn path(&self, path: &str) -> String {
        match &self.forward {
            Some(product) => {
                let query = [("forward", product)];
                let with_query = Url::parse_with_params(&format!("{}{path}", self.base), query);
                with_query.map_or_else(|_| format!("{}{path}", self.base), |url| url.to_string())
            }
            None => format!("{}{path}", self.base),
        }
    }

    fn shown(&self) -> String {
        let url = shown(&self.url);
        match &self.forward {
            Some(product) if !url.contains("forward=") => {
                format!("{}?forward={product}", url.trim_end_matches('/'))
            }
            _ => url.trim_end_matches('/').to_owned(),
        }
    }

    fn address(&self) -> Option<Address> {
        let host = self.url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Address { host, port: self.url.port_or_known_default()? })
    }

    fn source(&self, kind: SourceKind, codis: &Codis, seconds: f64) -> Source {
        Source {
            url: self.shown(),
            address: self.address(),
            kind: Some(kind),
            product: codis.product.clone(),
            failure: None,
            detail: None,
            status: None,
            seconds: Some(seconds),
        }
    }
}

fn nothing_of_codis(path: &str) -> HttpError {
    let detail =
        if path.is_empty() { reasons::nothing_of_codis() } else { reasons::answer_nothing_of_codis(path) };
    HttpError { failure: HttpFailure::NotFound, detail, status: None, json: None }
}

/// What answers is a Codis, and not the one that was asked for.
fn not_the_product(detail: Reason) -> HttpError {
    HttpError { failure: HttpFailure::Failed, detail, status: None, json: None }
}

/// Something is to be known at a URL, and is not.
fn unheard(url: String, address: Option<Address>, error: &HttpError) -> Codis {
    let source = Source {
        url: url.clone(),
        address,
        kind: None,
        product: None,
        failure: Some(error.failure),
        detail: Some(error.detail.clone()),
        status: error.status,
        seconds: None,
    };
    Codis { name: url, sources: vec![source], ..Codis::default() }
}

/// A text that need not be a URL, without anything before an `@`.
fn harmless(text: &str) -> String {
    text.rsplit('@').next().unwrap_or_default().to_owned()
}

fn named(mut codis: Codis) -> Codis {
    let url = codis.sources.first().map(|source| source.url.clone());
    codis.name = codis.product.clone().or(url).unwrap_or_default();
    codis
}

/// Puts what belongs to one product into one Codis, and what did not answer to the product that did.
fn together(found: Vec<Codis>) -> Vec<Codis> {
    let mut products: Vec<Codis> = Vec::new();
    let mut silent = Vec::new();
    for codis in found {
        if codis.product.is_none() && codis.dashboards.is_empty() && codis.groups.is_none() {
            silent.push(codis);
            continue;
        }
        match products.iter_mut().find(|known| known.product == codis.product) {
            Some(known) => merge(known, codis),
            None => products.push(codis),
        }
    }
    match &mut products[..] {
        [only] => only.sources.extend(silent.into_iter().flat_map(|codis| codis.sources)),
        _ => products.extend(silent),
    }
    products
}

fn merge(known: &mut Codis, other: Codis) {
    known.sources.extend(other.sources);
    known.dashboards.extend(other.dashboards);
    let proxies = known.proxies.take();
    // The first dashboard that is at work tells the rest.
    if known.slots.is_none() && (other.slots.is_some() || other.groups.is_some()) {
        known.release = other.release;
        known.version = other.version;
        known.settings = other.settings;
        known.slots = other.slots;
        known.migration = other.migration;
        known.groups = other.groups;
        known.servers = other.servers;
        known.sentinels = other.sentinels;
    }
    let mut all = proxies.unwrap_or_default();
    for proxy in other.proxies.unwrap_or_default() {
        match all.iter_mut().find(|known| known.token == proxy.token && known.token.is_some()) {
            // What it said itself and what the dashboard says of it go together.
            Some(known) if proxy.known => {
                let own = std::mem::replace(known, proxy);
                known.settings = own.settings;
                known.slots = own.slots;
            }
            Some(known) if known.settings.is_none() => {
                known.settings = proxy.settings;
                known.slots = proxy.slots;
            }
            Some(_) => {}
            None => all.push(proxy),
        }
    }
    known.proxies = (!all.is_empty() || known.slots.is_some()).then_some(all);
}

/// What its members registered, as far as it is an address.
fn addresses(codis: &Codis) -> Vec<Registered> {
    let dashboards = codis.dashboards.iter().filter_map(registered::of_dashboard);
    let proxies = codis.proxies.iter().flatten().flat_map(registered::of_proxy);
    let servers = codis.servers.iter().map(|server| registered::of_server(server.group, &server.name));
    dashboards.chain(proxies).chain(servers).filter(|entry| entry.host.is_some()).collect()
}

/// Says why facts are absent.
pub fn explain(codis: &mut Codis) {
    let mut absent = |paths: &[&str], kind: UnavailableKind, reason: &Reason| {
        codis.unavailable.extend(paths.iter().map(|path| Unavailable {
            path: (*path).into(),
            kind,
            reason: reason.clone(),
        }));
    };
    let of_a_dashboard =
        ["release", "version", "settings", "slots", "migration", "groups", "servers", "sentinels"];
    if codis.release == Some(CodisRelease::V2_0) {
        absent(
            &["settings", "slots", "migration", "proxies", "sentinels", "version"],
            UnavailableKind::NoAccess,
            &reasons::codis2_needs_zookeeper(),
        );
    } else if codis.slots.is_none() {
        let waiting = codis.dashboards.iter().any(|dashboard| dashboard.online == Some(false));
        let proxy_only = codis.sources.iter().any(|source| source.kind == Some(SourceKind::Proxy));
        if waiting {
            let reason = reasons::dashboard_not_at_work();
            absent(&of_a_dashboard, UnavailableKind::Failed, &reason);
            absent(&["proxies"], UnavailableKind::Failed, &reason);
        } else if proxy_only {
            let reason = reasons::only_proxy_answered("--codis http://HOST:18080");
            absent(&of_a_dashboard, UnavailableKind::NoAccess, &reason);
        } else {
            let reason = reasons::no_dashboard_answered();
            absent(&of_a_dashboard, UnavailableKind::Failed, &reason);
            absent(&["proxies"], UnavailableKind::Failed, &reason);
        }
    } else if codis.sentinels.is_none() {
        absent(&["sentinels"], UnavailableKind::NotInRelease, &reasons::codis_without_sentinel());
    }
}
