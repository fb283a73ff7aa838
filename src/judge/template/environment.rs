//! The language of conditions and texts: Jinja, with a few words about Pika.

use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::filters::{beyond, bytes, duration, in_era, in_releases, listed, printable, shell};
use super::functions;
use crate::model::knowledge::Knowledge;
use crate::model::limits::MAX_EXPRESSION_STEPS;
use crate::model::text::Language;

/// An environment for expressions and texts in `language`.
pub fn environment(knowledge: &Arc<Knowledge>, language: Language) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(MAX_EXPRESSION_STEPS));
    env.set_formatter(|out, _, value| {
        out.write_str(&printable(value))
            .map_err(|error| Error::new(ErrorKind::WriteFailure, error.to_string()))
    });
    // Only texts of the check file itself may go into another text unescaped.
    env.remove_filter("safe");
    env.add_test("in_releases", in_releases);
    env.add_test("beyond", beyond);
    let eras = knowledge.clone();
    env.add_test("in_era", move |version: Value, name: String| in_era(&eras, &version, &name));
    env.add_filter("listed", move |items: Value| listed(&items, language));
    env.add_filter("bytes", bytes);
    env.add_filter("duration", duration);
    env.add_filter("shell", shell);

    functions::add(&mut env, knowledge, language);
    env
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn eval(expression: &str) -> Result<String, Error> {
        let knowledge = Arc::new(crate::catalog::built_in().knowledge);
        let env = environment(&knowledge, Language::En);
        env.render_str(
            &format!("{{{{ {expression} }}}}"),
            context! { evil => "a\u{1b}[31mb\nc\u{202e}", none => () },
        )
    }

    #[test]
    fn sizes_and_durations_read_well() {
        for (expression, expected) in [
            ("0|bytes", "0 B"),
            ("1536|bytes", "1.5 KiB"),
            ("104857600|bytes", "100 MiB"),
            ("'1048576'|bytes", "1 MiB"),
            ("0.25|duration", "0.2s"),
            ("59|duration", "59s"),
            ("93784|duration", "1d 2h"),
            ("3600|duration", "1h"),
        ] {
            assert_eq!(eval(expression).unwrap(), expected, "{expression}");
        }
        assert!(eval("'x'|bytes").is_err());
    }

    #[test]
    fn releases_are_compared_by_line() {
        let contains =
            |releases| eval(&format!("1 if '3.0.16' is in_releases('{releases}') else 0")).unwrap();
        assert_eq!(contains("3.1.0-3.4.1"), "0");
        assert_eq!(contains("2.3.3-2.3.8, 3.0.0-3.0.16"), "1");
        assert!(eval("'3.0.16' is in_releases('2.3.3-3.0.5')").is_err(), "a range stays in one line");
    }

    #[test]
    fn what_a_server_says_reaches_neither_terminal_nor_shell() {
        assert_eq!(eval("evil").unwrap(), r"a\u{1b}[31mb\nc\u{202e}");
        assert_eq!(eval("'10.0.0.1; reboot'|shell").unwrap(), "'10.0.0.1; reboot'");
        assert_eq!(eval("'10.0.0.1'|shell").unwrap(), "10.0.0.1");
        assert_eq!(eval("none").unwrap(), "-");
    }

    #[test]
    fn an_endless_expression_ends() {
        assert!(eval("range(100000)|map('abs')|list|length").is_err());
    }
}
