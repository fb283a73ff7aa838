//! Asks the dashboard that a lock names whether it is the one that wrote it.

use serde_json::Value;

use super::addresses::host_of;
use super::layout::text;
use crate::collect::clock::Deadlines;
use crate::collect::net::http::{Client, HttpError, get_json};
use crate::model::coordinator::{DashboardAnswer, Product};
use crate::model::http::HttpFailure;

/// The most bytes of an answer. The model of a dashboard has some hundreds.
const MOST_BYTES: usize = 64 * 1024;

/// Asks for `/topom/model`, which every dashboard of 3.1 and later answers without a password and without a change,
/// also while it waits for its lock. 3.0 has `/api/topom/model`.
pub async fn ask(product: &mut Product, client: &Client, deadlines: &Deadlines) {
    let Some(dashboard) = &mut product.dashboard else { return };
    let (Some(token), Some(address)) = (&dashboard.token, &dashboard.admin_addr) else { return };
    if host_of(address).is_none() {
        return;
    }
    let mut answer = Err(None);
    for path in ["/topom/model", "/api/topom/model"] {
        let url = format!("http://{address}{path}");
        let until = deadlines.of(deadlines.reply);
        match get_json(client, &url, until, MOST_BYTES).await {
            Ok(found) => {
                answer = Ok(found.json);
                break;
            }
            Err(error) => {
                let unknown_path = error.failure == HttpFailure::NotFound;
                answer = Err(Some(error));
                if !unknown_path {
                    break;
                }
            }
        }
    }
    let (state, detail) = match answer {
        Ok(model) => judge(&model, token, &product.name),
        Err(Some(error)) => failed(&error),
        Err(None) => return,
    };
    dashboard.answer = Some(state);
    dashboard.answer_detail = detail;
}

fn judge(model: &Value, token: &str, product: &str) -> (DashboardAnswer, Option<String>) {
    let (Some(own), Some(name)) = (text(model, "token"), text(model, "product_name")) else {
        let detail = "JSON without `token` and `product_name`".to_owned();
        return (DashboardAnswer::NoDashboard, Some(detail));
    };
    if own == token {
        return (DashboardAnswer::Owner, None);
    }
    let detail = if name == product {
        "it serves the same product and has another token".to_owned()
    } else {
        format!("it serves the product {name}")
    };
    (DashboardAnswer::Another, Some(detail))
}

fn failed(error: &HttpError) -> (DashboardAnswer, Option<String>) {
    let answer = match error.failure {
        HttpFailure::Refused => DashboardAnswer::Refused,
        HttpFailure::Unresolved => DashboardAnswer::Unresolved,
        HttpFailure::NotHttp
        | HttpFailure::Redirect
        | HttpFailure::NotFound
        | HttpFailure::TooLarge
        | HttpFailure::NotJson => DashboardAnswer::NoDashboard,
        _ => DashboardAnswer::Unreached,
    };
    (answer, Some(error.detail.clone()))
}
