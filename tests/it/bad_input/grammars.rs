//! Bytes for every parser, of the words that it knows and of any others, a few hundred in each run.

use proptest::collection::vec;
use proptest::prelude::*;

use super::entries::ENTRIES;

/// The words that a parser goes by, for what is put together of them.
#[expect(clippy::too_many_lines, reason = "a table")]
fn words(parser: &str) -> &'static [&'static str] {
    match parser {
        "resp" => &[
            "*",
            "$",
            "+",
            "-",
            ":",
            "%",
            "~",
            "_",
            "#t",
            ",1.5",
            "(9",
            "=",
            "-1",
            "0",
            "3",
            "99999999999",
            "\r\n",
            "abc",
        ],
        "info" => &[
            "# Server",
            "# Replication(MASTER)",
            "# Keyspace",
            "db0",
            "slave0:ip=",
            ",port=",
            "lag=(",
            ":",
            "9",
            "\r\n",
            "Strings_keys=",
        ],
        "conf" => &[
            "port",
            " : ",
            "slaveof",
            "rename-command",
            "requirepass",
            "#",
            "\t",
            "a b",
            "9221",
            ":",
            "\n",
            "\r",
            "double-master-ip",
        ],
        "plan" | "check" => &[
            "nodes", "links", "addr", "title", "cases", "if", ":", " ", "- ", "{", "}", "[", "]", "&a", "*a",
            "<<", "\n", "  ", "\"", "'", "|", ">-", "${HOST}", "!!str", "#", "!",
        ],
        "toml" => &[
            "product_name",
            "coordinator_name",
            "=",
            "\"",
            "'''",
            "[",
            "]",
            "{",
            "}",
            "1e400",
            "0x",
            "\n",
            ".",
            "#",
            "\\u",
            "1979-05-27",
        ],
        "sentinel_conf" => &[
            "sentinel ",
            "monitor ",
            "m ",
            "10.0.0.1 ",
            "6379 ",
            "2 ",
            "\"",
            "'",
            "\\",
            "\n",
            "auth-pass ",
            "down-after-milliseconds ",
        ],
        "topom" => &[
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"config\"",
            "\"stats\"",
            "\"slots\"",
            "\"group\"",
            "\"models\"",
            "\"id\"",
            "\"servers\"",
            "\"action\"",
            "1",
            "-1",
            "1e300",
            "null",
            "\"x\"",
            "18446744073709551616",
        ],
        "znodes" => &[
            "\0\0\0\0",
            "\0\0\0\u{1}",
            "\u{7f}\u{7f}\u{7f}\u{7f}",
            "{\"id\":",
            "1",
            "}",
            "\"servers\":[",
            "]",
            "digest",
            "world",
            ",",
        ],
        "glog" => &[
            "Log file created at: 2026/11/22 18:41:15\n",
            "E1122 18:41:15.146634 2 pika_server.cc:12] ",
            "rsync send file failed",
            "Error: ",
            "host:",
            "\n",
            "auth",
            "requirepass x",
            "2026/11/22 18:41:15 main.go:12: [PANIC] ",
            "[error]: ",
        ],
        "bundle" => &[
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"schema\"",
            "\"pikadoctor.bundle/1\"",
            "\"facts\"",
            "\"nodes\"",
            "null",
            "1",
            "\u{1f}\u{8b}\u{8}",
        ],
        _ => &["\0", "\u{1}", "\u{8}", "\u{12}", "\u{7f}", "abc", "\u{ff}"],
    }
}

/// What is put together of such words, and of others between them.
fn of_words(parser: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(words(parser)).prop_map(|word| word.as_bytes().to_vec());
    let piece = prop_oneof![6 => word, 1 => vec(any::<u8>(), 0..5), 1 => "[ -~é\u{202e}]{0,6}".prop_map(String::into_bytes)];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_parser_panics(
        of_words in ENTRIES.map(|(name, _)| of_words(name).boxed()),
        any in vec(any::<u8>(), 0..200),
    ) {
        for ((_, parse), bytes) in ENTRIES.into_iter().zip(of_words) {
            parse(&bytes);
            parse(&any);
        }
    }
}
