//! Asks the dashboard that a lock names whether it is the one that wrote it.

use serde_json::Value;

use crate::collect::codis;
use crate::collect::net::deadlines::Deadlines;
use crate::collect::net::http::{Client, HttpError, get_json};
use crate::i18n::reasons;
use crate::model::codis::coordinator::Product;
use crate::model::codis::dashboard::DashboardAnswer;
use crate::model::http::HttpFailure;
use crate::model::limits::MAX_DASHBOARD_MODEL_BYTES;
use crate::model::reason::Reason;
use crate::parse;
use crate::parse::address::address;

/// Asks the dashboard that the lock of `product` names.
pub async fn ask(product: &mut Product, client: &Client, deadlines: &Deadlines) {
    let Some(dashboard) = &mut product.dashboard else { return };
    let (Some(token), Some(named)) = (&dashboard.token, &dashboard.admin_addr) else { return };
    let Ok(address) = address(named) else { return };
    let get = async |path: &str| {
        let until = deadlines.of(deadlines.reply);
        get_json(client, &format!("http://{address}{path}"), until, MAX_DASHBOARD_MODEL_BYTES).await
    };
    let (state, detail) = match codis::dashboard::model(get).await {
        Ok(answer) => compare(&answer.json, token, &product.name),
        Err(error) => failed(&error),
    };
    dashboard.answer = Some(state);
    dashboard.answer_detail = detail;
}

fn compare(model: &Value, token: &str, product: &str) -> (DashboardAnswer, Option<Reason>) {
    let dashboard = parse::codis::dashboard(model);
    let (Some(own), Some(name)) = (dashboard.token, dashboard.product_name) else {
        let detail = reasons::json_without_token();
        return (DashboardAnswer::NoDashboard, Some(detail));
    };
    if own == token {
        return (DashboardAnswer::Owner, None);
    }
    let detail =
        if name == product { reasons::same_product_other_token() } else { reasons::serves_product(name) };
    (DashboardAnswer::Another, Some(detail))
}

fn failed(error: &HttpError) -> (DashboardAnswer, Option<Reason>) {
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
