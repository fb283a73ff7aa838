//! Makes remedies out of the recipes that a case names: values for their parameters, a check of what must hold, steps.

use std::sync::Arc;

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::template::filters::printable;
use super::template::functions::remedy::{Blank, as_port};
use super::template::scope::{Scope, Variables};
use super::template::value::refuse;
use crate::catalog::check_file::for_each_parts;
use crate::i18n::texts;
use crate::model::check::{Binding, RemedyChoice, RemedyUse};
use crate::model::knowledge::Knowledge;
use crate::model::limits::MAX_RECIPE_DEPTH;
use crate::model::recipe::{ActionRule, ParameterKind, PlaceRule, Recipe, StepRule, WordRule};
use crate::model::remedy::{Action, Loss, Remedy, RemedyStep, ServiceAction, Where, Word};
use crate::model::text::{Source, Template, escape_control};

/// The recipes of a case in the order of the file, each as what it comes to: a remedy, nothing because one of its
/// conditions does not hold, or why that cannot be said.
pub fn remedies(
    choice: &RemedyChoice,
    scope: &Arc<Scope>,
    knowledge: &Knowledge,
) -> Vec<Result<Option<Remedy>, Error>> {
    match choice {
        RemedyChoice::Named(uses) => uses.iter().map(|one| remedy(one, scope, knowledge)).collect(),
        RemedyChoice::Known(source) => match known(source, scope) {
            Ok(uses) => uses.iter().map(|one| remedy(one, scope, knowledge)).collect(),
            Err(error) => vec![Err(error)],
        },
    }
}

/// The recipes of an entry of the knowledge: a list of maps with `use`, and perhaps `if` and `with`.
fn known(source: &Source, scope: &Arc<Scope>) -> Result<Vec<RemedyUse>, Error> {
    let of_text = |value: Value| Source { text: value.to_string(), ..source.clone() };
    let mut uses = Vec::new();
    for one in scope.value(&source.text)?.try_iter()? {
        let mut found =
            RemedyUse { recipe: of_text(one.get_attr("use")?), condition: None, with: Vec::new() };
        for key in one.try_iter()? {
            match key.as_str() {
                Some("if") => found.condition = Some(of_text(one.get_attr("if")?)),
                Some("with") => {
                    let with = one.get_attr("with")?;
                    for name in with.try_iter()? {
                        let expression = Binding::Expression(of_text(with.get_item(&name)?));
                        found.with.push((name.to_string(), expression));
                    }
                }
                _ => {}
            }
        }
        uses.push(found);
    }
    Ok(uses)
}

fn remedy(one: &RemedyUse, scope: &Arc<Scope>, knowledge: &Knowledge) -> Result<Option<Remedy>, Error> {
    if !one.condition.as_ref().map_or(Ok(true), |condition| scope.holds(condition))? {
        return Ok(None);
    }
    let name = &one.recipe.text;
    let recipe = named(name, knowledge)?;
    let Some(scope) = told(recipe, one, scope)? else { return Ok(None) };
    let Some(steps) = steps(recipe, &scope, knowledge, 0)? else { return Ok(None) };
    Ok(Some(Remedy {
        recipe: name.to_owned(),
        title: text(&recipe.title, &scope)?,
        before: recipe.before.iter().map(|before| text(before, &scope)).collect::<Result<_, _>>()?,
        loses: Loss { what: recipe.loses, text: optional(recipe.loss.as_ref(), &scope)?.unwrap_or_default() },
        clients: text(&recipe.clients, &scope)?,
        steps,
    }))
}

fn named<'k>(name: &str, knowledge: &'k Knowledge) -> Result<&'k Recipe, Error> {
    let recipe = knowledge.recipes.get(name).map(|recipe| &**recipe);
    recipe.ok_or_else(|| refuse(format!("there is no recipe `{name}`")))
}

/// What the expressions of a recipe see, with the values that it is told in `scope`. None: its condition does not hold.
fn told(recipe: &Recipe, one: &RemedyUse, scope: &Arc<Scope>) -> Result<Option<Arc<Scope>>, Error> {
    let mut variables = Variables::new();
    for (name, parameter) in &recipe.parameters {
        let given = one.with.iter().find(|(known, _)| known == name);
        let value = given.map(|(_, binding)| scope.bound(binding)).transpose()?.unwrap_or(Value::from(()));
        let value = if value.is_none() && parameter.optional {
            value
        } else {
            let said = |error| refuse(format!("`{name}` of `{}`: {error}", one.recipe.text));
            fit(parameter.kind, value).map_err(|error| said(error.to_string()).with_source(error))?
        };
        variables.insert(name.clone(), value);
    }
    let scope = scope.apart(variables, &Arc::new(recipe.bindings.clone()));
    Ok(recipe.when.as_ref().map_or(Ok(true), |when| scope.holds(when))?.then_some(scope))
}

/// The steps of a recipe. None: a recipe that it uses does not fit.
fn steps(
    recipe: &Recipe,
    scope: &Arc<Scope>,
    knowledge: &Knowledge,
    depth: usize,
) -> Result<Option<Vec<RemedyStep>>, Error> {
    let mut all = Vec::new();
    for rule in &recipe.steps {
        let scopes = match rule.each.as_ref().and_then(|each| for_each_parts(&each.text)) {
            Some((item, list)) => {
                scope.value(list)?.try_iter()?.map(|value| scope.with(item, value)).collect()
            }
            None => vec![scope.clone()],
        };
        for scope in scopes {
            if !rule.condition.as_ref().map_or(Ok(true), |condition| scope.holds(condition))? {
                continue;
            }
            let ActionRule::Use(one) = &rule.action else {
                all.push(step(rule, &scope)?);
                continue;
            };
            if depth == MAX_RECIPE_DEPTH {
                return Err(refuse(format!("`{}` is used too deep", one.recipe.text)));
            }
            let used = named(&one.recipe.text, knowledge)?;
            let Some(scope) = told(used, one, &scope)? else { return Ok(None) };
            let Some(more) = steps(used, &scope, knowledge, depth + 1)? else { return Ok(None) };
            all.extend(more.into_iter().map(|step| {
                let recipe = step.recipe.or_else(|| Some(one.recipe.text.clone()));
                RemedyStep { recipe, ..step }
            }));
        }
    }
    Ok(Some(all))
}

fn step(rule: &StepRule, scope: &Arc<Scope>) -> Result<RemedyStep, Error> {
    let action = match &rule.action {
        ActionRule::Run { place, words: command, reply, into } => {
            let (place, argv) = words(place, command, scope)?;
            Action::Run { place, argv, reply: optional(reply.as_ref(), scope)?, into: into.clone() }
        }
        ActionRule::Wait { place, words: command, shows, lacks } => {
            let (place, argv) = words(place, command, scope)?;
            let (shows, lacks) = (optional(shows.as_ref(), scope)?, optional(lacks.as_ref(), scope)?);
            Action::Wait { place, argv, shows, lacks }
        }
        ActionRule::Edit { place, file, format, key, value } => Action::Edit {
            file: match (file, place) {
                (Some(file), _) => printable(&scope.value(&file.text)?),
                (None, PlaceRule::Host(server)) => {
                    printable(&scope.value(&format!("conf_path({})", server.text))?)
                }
                (None, _) => "pika.conf".to_owned(),
            },
            place: place_of(place, scope)?,
            format: *format,
            key: printable(&scope.value(&key.text)?),
            value: value
                .as_ref()
                .map(|value| Ok::<_, Error>(word(&scope.value(&value.text)?)))
                .transpose()?,
        },
        ActionRule::Service { place, what } => {
            Action::Service { place: place_of(place, scope)?, what: *what }
        }
        // Its steps stand in place of it.
        ActionRule::Decide | ActionRule::Use(_) => Action::Decide,
    };
    let says = match &rule.says {
        Some(says) => text(says, scope)?,
        None => own_words(&action, scope),
    };
    Ok(RemedyStep {
        recipe: None,
        says,
        action,
        changes: optional(rule.changes.as_ref(), scope)?,
        undo: optional(rule.undo.as_ref(), scope)?,
    })
}

/// What an edit or a service says of itself.
fn own_words(action: &Action, scope: &Arc<Scope>) -> String {
    let language = scope.language();
    let place = action.place().cloned().unwrap_or_default();
    let host = place.host.unwrap_or_default();
    let server = place.server.unwrap_or_else(|| host.clone());
    match action {
        Action::Edit { file, key, value: Some(_), .. } => texts::edit_write(language, file, host, key),
        Action::Edit { file, key, value: None, .. } => texts::edit_remove(language, key, file, host),
        Action::Service { what: ServiceAction::Start, .. } => texts::service_start(language, server),
        Action::Service { what: ServiceAction::Stop, .. } => texts::service_stop(language, server),
        Action::Service { what: ServiceAction::Restart, .. } => texts::service_restart(language, server),
        _ => String::new(),
    }
}

/// Where a command is run, and its words: those of redis-cli before those of the step where it goes to a server.
fn words(place: &PlaceRule, rules: &[WordRule], scope: &Arc<Scope>) -> Result<(Where, Vec<Word>), Error> {
    let mut argv = Vec::new();
    if let PlaceRule::Server(server) = place {
        let host = scope.value(&format!("host_of({})", server.text))?;
        let port = scope.value(&format!("port_of({})", server.text))?;
        argv.extend(["redis-cli", "-h"].map(|word| Word::Text(word.to_owned())));
        argv.extend([word(&host), Word::Text("-p".to_owned()), word(&port)]);
    }
    for rule in rules {
        match rule {
            WordRule::Each(list) => {
                for item in scope.value(&list.text)?.try_iter()? {
                    argv.push(word(&item));
                }
            }
            WordRule::One(source) => argv.push(match alone(&source.text) {
                Some(expression) => word(&scope.value(expression)?),
                None => Word::Text(scope.rendered(&source.text)?),
            }),
        }
    }
    Ok((place_of(place, scope)?, argv))
}

/// The expression of a text that is nothing but `{{ … }}`.
pub fn alone(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("}}")).then_some(inner)
}

/// A value as one word.
fn word(value: &Value) -> Word {
    match value.downcast_object_ref::<Blank>() {
        Some(blank) => Word::Placeholder(blank.0.clone()),
        // Control characters would reach the terminal of whoever pastes the command.
        None => Word::Text(escape_control(&value.to_string())),
    }
}

fn place_of(place: &PlaceRule, scope: &Arc<Scope>) -> Result<Where, Error> {
    let (server, host) = match place {
        PlaceRule::Here => (None, None),
        PlaceRule::Server(server) => (Some(server), None),
        // A host of the facts has no port.
        PlaceRule::Host(of) => {
            let has_port = scope.value(&format!("port_of({})", of.text)).is_ok();
            (has_port.then_some(of), Some(of))
        }
    };
    let said = |function: &str, of: Option<&Source>| {
        let value = of.map(|of| scope.value(&format!("{function}({})", of.text))).transpose()?;
        Ok::<_, Error>(value.as_ref().map(printable))
    };
    Ok(Where { server: said("host_port", server)?, host: said("host_of", host)? })
}

/// A value for a parameter, or why it is none.
fn fit(kind: ParameterKind, value: Value) -> Result<Value, Error> {
    let refused = |what: &str| Err(refuse(format!("`{}` is not {what}", printable(&value))));
    let is_text = value.kind() == ValueKind::String;
    let is_blank = value.downcast_object_ref::<Blank>().is_some();
    let text = value.as_str().unwrap_or_default();
    match kind {
        ParameterKind::Node | ParameterKind::Link | ParameterKind::Instance
            if value.kind() != ValueKind::Map || is_blank =>
        {
            refused("a part of the facts")
        }
        ParameterKind::Address | ParameterKind::Host
            if !is_text && value.kind() != ValueKind::Map || is_blank =>
        {
            refused("an address")
        }
        ParameterKind::Key => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
            if text.is_empty() || text.starts_with('-') || !text.chars().all(is_plain) {
                return refused("a name");
            }
            Ok(value)
        }
        ParameterKind::Value
            if !is_blank && matches!(value.kind(), ValueKind::Undefined | ValueKind::None) =>
        {
            refused("a value")
        }
        ParameterKind::Path if !is_blank && (text.is_empty() || text.starts_with('-')) => refused("a path"),
        ParameterKind::Port => as_port(&value),
        ParameterKind::Number => super::template::value::number(&value).map(|_| value),
        ParameterKind::Text if !is_text => refused("a text"),
        ParameterKind::List if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) => {
            refused("a list")
        }
        ParameterKind::Flag if value.kind() != ValueKind::Bool => refused("true or false"),
        _ => Ok(value),
    }
}

fn text(template: &Template, scope: &Arc<Scope>) -> Result<String, Error> {
    Ok(scope.text(template)?.trim().to_owned())
}

fn optional(template: Option<&Template>, scope: &Arc<Scope>) -> Result<Option<String>, Error> {
    template.map(|template| text(template, scope)).transpose()
}
