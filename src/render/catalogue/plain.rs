//! The texts of check files, made readable for people who do not know templates.

use unicode_width::UnicodeWidthChar;

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

/// Jinja for a reader: values in angle brackets without their filters, no control statements.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find(['{']) {
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
            out.push_str(&plain_expression(&after[2..end]));
        } else if !is_loop(&after[2..end]) {
            out.push('/');
        }
        rest = &after[end + 2..];
    }
    out.push_str(rest);
    out
}

/// A loop reads like its body, once; the branches of a condition are told apart by strokes.
fn is_loop(statement: &str) -> bool {
    let keyword = statement.trim_matches(['-', ' ']).split(' ').next();
    matches!(keyword, Some("for" | "endfor"))
}

/// `node.name|shell` becomes `<node.name>`, `'a' if x else 'b'` becomes `a / b`.
fn plain_expression(expression: &str) -> String {
    if let Some((yes, rest)) = expression.split_once(" if ")
        && let Some((_, no)) = rest.split_once(" else ")
    {
        let choices: Vec<String> =
            [yes, no].into_iter().map(plain_expression).filter(|choice| !choice.is_empty()).collect();
        return choices.join(" / ");
    }
    let bare = expression.split('|').next().unwrap_or_default().trim();
    match bare.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(text) if !text.contains('\'') => text.to_owned(),
        _ => {
            let inner = bare.strip_prefix('(').map_or(bare, |inner| inner.trim_end_matches(')'));
            format!("<{inner}>")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(plain(template), expected);
        }
    }

    #[test]
    fn paragraphs_are_joined_and_lists_are_kept() {
        assert_eq!(reflow("a\nb\n\nc:\n- d\n- e\nf"), "a b\n\nc:\n- d\n- e f");
        assert_eq!(reflow("中\n文"), "中文");
    }
}
