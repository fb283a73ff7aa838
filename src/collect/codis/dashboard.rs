//! Asks a dashboard who it is.

use crate::collect::net::http::{Answer, HttpError};
use crate::model::http::HttpFailure;

/// The model of a dashboard, which every dashboard shows without a password and without a change, also while it waits
/// for its lock: 3.1 and later at the first of these paths, 3.0 at the second alone.
const MODEL: [&str; 2] = ["/topom/model", "/api/topom/model"];

/// Asks for the model with `get`, which takes a path.
pub async fn model(get: impl AsyncFn(&str) -> Result<Answer, HttpError>) -> Result<Answer, HttpError> {
    let [path, path_of_3_0] = MODEL;
    match get(path).await {
        Err(error) if error.failure == HttpFailure::NotFound => get(path_of_3_0).await,
        answer => answer,
    }
}
