#![no_main]

#[path = "../../tests/it/bad_input/entries.rs"]
#[allow(dead_code)]
mod entries;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entries::sentinel_conf(bytes));
