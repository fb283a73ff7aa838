//! `pikadoctor schema`

use crate::cli::outcome::CommandOutcome;
use crate::model::{exit, schema};

/// Print the JSON Schema of a document
#[derive(Debug, clap::Args)]
pub struct SchemaCommand {
    /// Which document
    #[arg(value_enum)]
    document: Document,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Document {
    /// What was seen: the tree that conditions look at
    Facts,
    /// What `check --format json` prints
    Report,
    /// A check file
    Check,
    /// A recipe that checks name
    Recipe,
    /// What `capture` writes, when it is unpacked
    Bundle,
    /// What `diff --json` prints
    Difference,
    /// The plan that `check -f` reads
    Plan,
}

pub fn run(arguments: &SchemaCommand) -> CommandOutcome {
    let document = match arguments.document {
        Document::Facts => schema::FACTS,
        Document::Report => schema::REPORT,
        Document::Check => schema::CHECK,
        Document::Recipe => schema::RECIPE,
        Document::Bundle => schema::BUNDLE,
        Document::Difference => schema::DIFFERENCE,
        Document::Plan => schema::PLAN,
    };
    CommandOutcome { document: document.to_owned(), exit_code: exit::OK }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use schemars::{Schema, schema_for};

    use crate::catalog::check_syntax::CheckSyntax;
    use crate::catalog::recipe_file::RecipeSyntax;
    use crate::difference::Difference;
    use crate::model::bundle::Bundle;
    use crate::model::facts::Facts;
    use crate::model::finding::Report;
    use crate::model::schema;
    use crate::plan::file::PlanFile;

    /// Every committed schema: the name of its file, its text, and what the types say now.
    fn schemas() -> [(&'static str, &'static str, Schema); 7] {
        [
            ("facts", schema::FACTS, schema_for!(Facts)),
            ("report", schema::REPORT, schema_for!(Report)),
            ("check", schema::CHECK, schema_for!(CheckSyntax)),
            ("recipe", schema::RECIPE, schema_for!(RecipeSyntax)),
            ("bundle", schema::BUNDLE, schema_for!(Bundle)),
            ("difference", schema::DIFFERENCE, schema_for!(Difference)),
            ("plan", schema::PLAN, schema_for!(PlanFile)),
        ]
    }

    #[test]
    fn the_committed_schemas_are_those_of_the_types() {
        let update = std::env::var_os("UPDATE_SCHEMAS").is_some();
        let mut stale = Vec::new();
        for (name, committed, made) in schemas() {
            let made = serde_json::to_string_pretty(&made).unwrap() + "\n";
            if made == committed {
                continue;
            }
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/model/schemas/{name}.json"));
            if update {
                std::fs::write(path, made).unwrap();
            } else {
                stale.push(format!("src/model/schemas/{name}.json"));
            }
        }
        assert!(
            stale.is_empty(),
            "{} is not what the types say; UPDATE_SCHEMAS=1 cargo test --lib schema writes it anew",
            stale.join(", ")
        );
    }
}
