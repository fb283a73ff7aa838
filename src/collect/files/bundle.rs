//! Reads and writes bundles: facts as compressed JSON, versioned.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Deserialize;

use super::bounded::read_bounded;
use super::open::read_named;
use crate::model::bundle::{Bundle, SCHEMA};
use crate::model::facts::{self, Facts};
use crate::model::finding::{self, Report};
use crate::model::limits::{MAX_BUNDLE_BYTES, MAX_BUNDLE_SUBJECTS, MAX_BUNDLE_VALUES};
use crate::parse::document::count::has_more_values_than;
use crate::parse::document::encode::to_value;
use crate::parse::document::json::{Json, JsonError};
use crate::parse::document::shorten::shorten_texts;

/// How a gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Why a file is not a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The operating system says no, or the file is cut off.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is larger than any bundle.
    #[error("{}: more than {} MiB when unpacked; this is not a bundle", .0.display(), MAX_BUNDLE_BYTES / 1024 / 1024)]
    TooLarge(PathBuf),
    /// It has more in it than any run can have put there.
    #[error("{}: more than {most} {what}; this is not a bundle, or one of several runs", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
        /// How many there may be.
        most: usize,
        /// Of what.
        what: &'static str,
    },
    /// Not JSON, or not the JSON of a bundle.
    #[error("{}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// Another document than a report.
    #[error("{}: this is `{schema}`; a baseline is a report of --format json, `{}`", path.display(), finding::SCHEMA)]
    NoReport {
        /// The file.
        path: PathBuf,
        /// What it says.
        schema: String,
    },
    /// A document of another kind, or of a version that this program does not know.
    #[error("{}: the schema is `{schema}`; this version reads {SCHEMA}, {} and {}", path.display(), finding::SCHEMA, facts::SCHEMA)]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// What it says.
        schema: String,
    },
}

/// The bytes of a bundle.
pub fn pack(facts: &Facts) -> io::Result<Vec<u8>> {
    // A `Bundle` would want a copy of all facts.
    let bundle = serde_json::Value::from_iter([
        ("schema", SCHEMA.into()),
        ("tool_version", env!("CARGO_PKG_VERSION").into()),
        ("facts", to_value(facts).map_err(io::Error::other)?),
    ]);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    write!(packed, "{bundle}")?;
    packed.finish()
}

/// The report of `--format json` in a file; compressed or not.
pub fn read_report(path: &Path) -> Result<Report, BundleError> {
    let text = unpack(path)?;
    let malformed = |error: JsonError| BundleError::Malformed {
        path: path.to_owned(),
        message: format!("not a report of --format json: {error}"),
    };
    let document = parse(&text, path)?.map_err(malformed)?;
    let Head { schema } = document.decode().map_err(malformed)?;
    if schema != finding::SCHEMA {
        return Err(BundleError::NoReport { path: path.to_owned(), schema });
    }
    document.decode().map_err(malformed)
}

/// The text of a file, unpacked when it is packed.
fn unpack(path: &Path) -> Result<Vec<u8>, BundleError> {
    let io = |source| BundleError::Io { path: path.to_owned(), source };
    let too_large = || BundleError::TooLarge(path.to_owned());
    let packed = read_named(path, MAX_BUNDLE_BYTES).map_err(io)?.ok_or_else(too_large)?;
    if !packed.starts_with(&GZIP) {
        return Ok(packed);
    }
    read_bounded(GzDecoder::new(&*packed), MAX_BUNDLE_BYTES).map_err(io)?.ok_or_else(too_large)
}

/// The facts in a file: a bundle, a report of `--format json`, or facts alone; compressed or not.
pub fn read_facts(path: &Path) -> Result<Facts, BundleError> {
    let text = unpack(path)?;
    let malformed = |error: JsonError| BundleError::Malformed {
        path: path.to_owned(),
        message: format!("not a bundle: {error}"),
    };
    let document = parse(&text, path)?.map_err(malformed)?;
    let Head { schema } = document.decode().map_err(malformed)?;
    // Facts stand below `facts`, or are all there is.
    let facts: Facts = match schema.as_str() {
        SCHEMA => document.decode::<Bundle>().map_err(malformed)?.facts,
        finding::SCHEMA => document.decode::<Report>().map_err(malformed)?.facts,
        facts::SCHEMA => document.decode().map_err(malformed)?,
        _ => return Err(BundleError::OtherSchema { path: path.to_owned(), schema }),
    };
    if facts.schema != facts::SCHEMA {
        return Err(BundleError::OtherSchema { path: path.to_owned(), schema: facts.schema });
    }
    if let Some((what, _)) = facts.subjects().into_iter().find(|(_, count)| *count > MAX_BUNDLE_SUBJECTS) {
        return Err(BundleError::TooMany { path: path.to_owned(), most: MAX_BUNDLE_SUBJECTS, what });
    }
    shorten_texts(&facts)
        .map_err(|error| BundleError::Malformed { path: path.to_owned(), message: error.to_string() })
}

/// The document in a text that is no larger than one can be.
fn parse<'t>(text: &'t [u8], path: &Path) -> Result<Result<Json<'t>, JsonError>, BundleError> {
    if has_more_values_than(text, MAX_BUNDLE_VALUES) {
        return Err(BundleError::TooMany { path: path.to_owned(), most: MAX_BUNDLE_VALUES, what: "values" });
    }
    Ok(Json::parse(text))
}

/// The member that every document of this program has.
#[derive(Deserialize)]
struct Head {
    schema: String,
}
