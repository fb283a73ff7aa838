//! The texts of check files, made readable for people who do not know templates.

use unicode_width::UnicodeWidthChar;

use crate::model::check::Binding;
use crate::model::finding::State;
use crate::model::knowledge::Knowledge;
use crate::model::limits::MAX_NAME_DEPTH;
use crate::model::text::Language;
use crate::parse::document::json::from_value;

/// Joins the lines of each paragraph: their breaks are those of the file, not of the reader's terminal.
/// Blank lines and list items stay.
pub fn reflow(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = line.trim();
        let begins_anew = line.is_empty() || line.starts_with("- ") || out.is_empty() || out.ends_with('\n');
        if !begins_anew {
            // Chinese has no blanks between words, nor at the end of a line.
            let wide = |c: Option<char>| c.is_some_and(|c| c.width() == Some(2));
            if !wide(out.chars().last()) && !wide(line.chars().next()) {
                out.push(' ');
            }
        } else if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(line);
        if line.is_empty() {
            out.push('\n');
        }
    }
    out
}

/// Writes templates for readers: values in angle brackets without their filters, no control statements, and in place
/// of a name of the check file what it stands for.
#[derive(Clone, Copy)]
pub struct Plain<'c> {
    bindings: &'c [(String, Binding)],
    /// Names of a case, which may read those of the file.
    inner: &'c [(String, Binding)],
    knowledge: &'c Knowledge,
    language: Language,
}

impl<'c> Plain<'c> {
    /// For the texts of a check with these names.
    pub fn new(bindings: &'c [(String, Binding)], knowledge: &'c Knowledge, language: Language) -> Self {
        Self { bindings, inner: &[], knowledge, language }
    }

    /// For the texts of a case of it.
    #[must_use]
    pub fn within(self, case: &'c [(String, Binding)]) -> Self {
        Self { inner: case, ..self }
    }

    /// A template for a reader.
    pub fn text(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            out.push_str(&rest[..open]);
            let after = &rest[open..];
            let (close, value) = if after.starts_with("{{") {
                ("}}", true)
            } else if after.starts_with("{%") {
                ("%}", false)
            } else {
                out.push('{');
                rest = &after[1..];
                continue;
            };
            let Some(end) = after.find(close) else { break };
            if value {
                out.push_str(&self.expression(&after[2..end]));
            } else if !is_loop(&after[2..end]) {
                out.push('/');
            }
            rest = &after[end + 2..];
        }
        out.push_str(rest);
        out
    }

    /// A condition for a reader: eras as their releases.
    pub fn condition(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("in_era('") {
            out.push_str(before);
            let (name, after) = after.split_once("')").unwrap_or((after, ""));
            match self.knowledge.eras.iter().find(|era| era.name == name) {
                Some(era) => out.push_str(&format!("in_releases('{}')", era.releases)),
                None => out.push_str(&format!("in_era('{name}')")),
            }
            rest = after;
        }
        out + rest
    }

    /// The states that an expression can give, in the order in which it names them.
    pub fn states(&self, expression: &str) -> Vec<State> {
        let mut states = Vec::new();
        self.collect_states(expression, &mut states, 0);
        states
    }

    fn collect_states(&self, expression: &str, states: &mut Vec<State>, depth: usize) {
        if let Some(binding) = self.bound(expression.trim()).filter(|_| depth < MAX_NAME_DEPTH) {
            for source in expressions_of(binding) {
                self.collect_states(source, states, depth + 1);
            }
            return;
        }
        for word in expression.split('\'').skip(1).step_by(2) {
            let state = from_value(&serde_json::Value::from(word));
            if let Some(state) = state.ok().filter(|state| !states.contains(state)) {
                states.push(state);
            }
        }
    }

    fn bound(&self, name: &str) -> Option<&'c Binding> {
        let find = |bindings: &'c [(String, Binding)]| bindings.iter().find(|(known, _)| known == name);
        find(self.inner).or_else(|| find(self.bindings)).map(|(_, binding)| binding)
    }

    /// `node.name|shell` becomes `<node.name>`, `'a' if x else 'b'` becomes `a / b`, and a name what it stands for.
    fn expression(&self, expression: &str) -> String {
        if let Some((yes, rest)) = expression.split_once(" if ")
            && let Some((_, no)) = rest.split_once(" else ")
        {
            return Self::choices([yes, no].into_iter().map(|choice| self.expression(choice)));
        }
        if let Some(joined) = self.joined(expression) {
            return joined;
        }
        let bare = expression.split('|').next().unwrap_or_default().trim();
        if let Some(text) = bare.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''))
            && !text.contains('\'')
        {
            return text.to_owned();
        }
        if let Some(command) = self.command(bare) {
            return command;
        }
        if let Some(binding) = self.bound(bare) {
            self.binding(bare, binding)
        } else {
            let inner = bare.strip_prefix('(').map_or(bare, |inner| inner.trim_end_matches(')'));
            format!("<{inner}>")
        }
    }

    /// `redis_cli(node) ~ ' config get x'`: parts that are put together.
    fn joined(&self, expression: &str) -> Option<String> {
        let is_one = expression.contains(" ~ ") && !expression.contains(" if ");
        is_one.then(|| expression.split(" ~ ").map(|part| self.expression(part)).collect())
    }

    /// A call of one of the functions that write commands.
    fn command(&self, expression: &str) -> Option<String> {
        let (function, arguments) = expression.strip_suffix(')')?.split_once('(')?;
        let arguments: Vec<&str> = arguments.split(',').map(str::trim).collect();
        let redis_cli = |of: &str| format!("redis-cli -h <{of}.host> -p <{of}.port>");
        Some(match (function, &*arguments) {
            ("redis_cli", [of]) => redis_cli(of),
            ("address", [of]) => format!("<{of}>"),
            ("slaveof", [_, master, replica]) => {
                format!("{} slaveof <{master}.host> <{master}.port>", redis_cli(replica))
            }
            ("slaveof_to", [node, host, port]) => format!("{} slaveof <{host}> <{port}>", redis_cli(node)),
            ("steps", [..]) => self.steps(&arguments.join(",")),
            _ => return None,
        })
    }

    /// The steps that a list names, numbered.
    fn steps(&self, list: &str) -> String {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut lines: Vec<String> = Vec::new();
        for name in list.split(|c| !is_word(c)) {
            match self.bound(name) {
                Some(Binding::Expression(source)) if !source.text.contains('(') => {
                    lines.extend(self.steps(&source.text).lines().map(without_number));
                }
                Some(binding) => lines.push(self.binding(name, binding)),
                None => {}
            }
        }
        let numbered = lines.iter().enumerate().map(|(index, line)| format!("{}. {line}", index + 1));
        numbered.collect::<Vec<_>>().join("\n")
    }

    fn binding(&self, name: &str, binding: &Binding) -> String {
        match binding {
            // A formula is better read by its name than by what it is made of.
            Binding::Expression(source) => {
                let text = source.text.trim();
                let command = self.command(text).or_else(|| self.joined(text));
                command.unwrap_or_else(|| {
                    let is_choice = source.text.contains(" if ") && source.text.contains('\'');
                    if is_choice { self.expression(&source.text) } else { format!("<{name}>") }
                })
            }
            Binding::Text(template) => self.text(template.get(self.language).text.trim()),
            Binding::Table(table) => Self::choices(table.rows.iter().map(|(_, row)| self.binding(name, row))),
            Binding::Choice(all) => Self::choices(all.iter().map(|(_, one)| self.binding(name, one))),
            Binding::Each(each) => self.within(&each.bindings).text(each.text.get(self.language).text.trim()),
        }
    }

    fn choices(choices: impl Iterator<Item = String>) -> String {
        let mut different: Vec<String> = Vec::new();
        for choice in choices {
            if !choice.is_empty() && !different.contains(&choice) {
                different.push(choice);
            }
        }
        different.join(" / ")
    }
}

fn without_number(line: &str) -> String {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.strip_prefix(". ").unwrap_or(line).to_owned()
}

/// The expressions whose values a name can have.
fn expressions_of(binding: &Binding) -> Vec<&str> {
    match binding {
        Binding::Expression(source) => vec![&source.text],
        Binding::Table(table) => table.rows.iter().flat_map(|(_, row)| expressions_of(row)).collect(),
        Binding::Choice(all) => all.iter().flat_map(|(_, one)| expressions_of(one)).collect(),
        Binding::Text(_) | Binding::Each(_) => Vec::new(),
    }
}

/// A loop reads like its body, once; the branches of a condition are told apart by strokes.
fn is_loop(statement: &str) -> bool {
    let keyword = statement.trim_matches(['-', ' ']).split(' ').next();
    matches!(keyword, Some("for" | "endfor"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::built_in;
    use crate::model::text::{Source, Template};

    fn expression(text: &str) -> Binding {
        Binding::Expression(Source::unplaced(text))
    }

    fn text(text: &str) -> Binding {
        let source = Source::unplaced(text);
        Binding::Text(Template { en: source.clone(), zh: source })
    }

    #[test]
    fn names_read_like_what_they_stand_for() {
        let bindings = [
            ("time".to_owned(), expression("node.size / 10")),
            ("word".to_owned(), expression("'yes' if node.up else 'no'")),
            ("wait".to_owned(), text("wait for {{ node.name }}")),
            ("again".to_owned(), expression("[wait] if node.up else [wait, stop]")),
            ("stop".to_owned(), expression("redis_cli(node)")),
            ("leave".to_owned(), expression("redis_cli(node) ~ ' slaveof no one'")),
            ("severity".to_owned(), expression("'critical' if node.up else 'warning'")),
        ];
        let knowledge = built_in().knowledge;
        let plain = Plain::new(&bindings, &knowledge, Language::En);
        for (template, expected) in [
            ("takes {{ time|duration }}", "takes <time>"),
            ("{{ word }}", "yes / no"),
            ("{{ wait }}", "wait for <node.name>"),
            ("{{ leave }}", "redis-cli -h <node.host> -p <node.port> slaveof no one"),
            ("{{ stop }} info", "redis-cli -h <node.host> -p <node.port> info"),
            (
                "{{ steps([stop] + [wait]) }}",
                "1. redis-cli -h <node.host> -p <node.port>\n2. wait for <node.name>",
            ),
        ] {
            assert_eq!(plain.text(template), expected);
        }
        assert_eq!(plain.states("severity"), [State::Critical, State::Warning]);
        assert_eq!(
            plain.condition("node.version is in_era('sharding')"),
            "node.version is in_releases('3.2.0-3.4.1')"
        );
    }

    #[test]
    fn every_name_of_a_command_reads_like_the_command() {
        let catalogue = built_in();
        let mut commands = 0;
        for check in &catalogue.checks {
            let bindings = check.file.bindings.as_slice();
            let plain = Plain::new(bindings, &catalogue.knowledge, Language::En);
            for (name, binding) in bindings {
                if let Binding::Expression(source) = binding
                    && source.text.contains("redis_cli(")
                {
                    commands += 1;
                    let text = plain.text(&format!("{{{{ {name} }}}}"));
                    assert!(text.contains("redis-cli -h "), "{}: {name} reads {text}", check.id);
                }
            }
        }
        assert!(commands > 0, "no command has a name");
    }

    #[test]
    fn templates_read_without_knowing_jinja() {
        for (template, expected) in [
            ("{{ node.name }} refuses", "<node.name> refuses"),
            ("ping {{ node.address.host|shell }}", "ping <node.address.host>"),
            (
                "a {{ 'double master' if node.x == 'y' else 'master' }} refuses",
                "a double master / master refuses",
            ),
            ("{% if x %}yes{% else %}no{% endif %}", "/yes/no/"),
            ("by {% for one in all %}{{ one }}\n{% endfor %}", "by <one>\n"),
            ("in {{ conf_path(instance) }}: ({{ (a or b)|bytes }})", "in <conf_path(instance)>: (<a or b>)"),
            ("no { braces", "no { braces"),
        ] {
            let knowledge = built_in().knowledge;
            assert_eq!(Plain::new(&[], &knowledge, Language::En).text(template), expected);
        }
    }

    #[test]
    fn paragraphs_are_joined_and_lists_are_kept() {
        assert_eq!(reflow("a\nb\n\nc:\n- d\n- e\nf"), "a b\n\nc:\n- d\n- e f");
        assert_eq!(reflow("中\n文"), "中文");
    }
}
