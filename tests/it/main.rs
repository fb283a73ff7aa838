//! All tests that need nothing but this repository, in one program; what they promise gives the modules their names.
//! Tests on real servers are in `tests/live/`.
//!
//! The tests run beside each other in one process: none of them sets its environment, its directory or a limit of it,
//! or reads what the kernel counts for the process as a whole. What needs such a thing does it in a child.

mod dependencies;
mod house;
mod support;

mod safety {
    mod budgets;
    mod commands;
    mod coordinators;
    mod costs;
    mod ports;
    mod secrets;
}

mod checks {
    mod catalogue;
    mod diagnosis;
    mod fixes;
    mod language;
    mod languages;
    mod recordings;
    mod remedies;
}

mod verify {
    mod crash;
    mod differences;
    mod hostile;
}

mod links {
    mod canary;
    mod forecast;
    mod recorded;
}

mod hosts {
    mod named_files;
    mod recorded;
    mod ssh;
}

mod codis {
    mod bad_input;
    mod recorded;
}

mod coordinators {
    mod recorded;
}

mod sentinels {
    mod command;
    mod recorded;
}

mod docs {
    mod book;
    mod checks;
    mod commands;
    mod limits;
    mod remedies;
    mod tried;
}

mod formats {
    mod hostile;
    mod human;
    mod machine;
}

mod plan {
    mod init;
    mod judged;
    mod waiting;
}

mod logs {
    mod command;
    mod large;
    mod messages;
}

mod lint {
    mod conf;
    mod mended;
    mod services;
}

mod cli {
    mod bundles;
    mod command_line;
    mod outputs;
    mod plugin;
    mod topics;
    mod verify;
}

mod bad_input {
    mod answers;
    mod entries;
    mod grammars;
    mod hostile;
    mod http;
    mod parsers;
    mod passwords;
}

mod lab {
    mod causes;
    mod composed;
    mod contradictions;
    mod pairs;
    mod played;
    mod scenarios;
    mod trials;
}
