//! How much is read, how long is waited, how many are asked: every bound of the program, in one table.
//!
//! A constant stands here when a user could meet it, as a check that is unknown because an answer was too large, say.
//! What a protocol or a Pika prescribes is no limit and stands where it is used. The page docs/reference/limits.md is
//! made of this table; a test holds the two together.

use std::time::Duration;

/// Limits that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// What they bound.
    pub title: &'static str,
    /// The limits.
    pub limits: &'static [Limit],
}

/// One limit.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// The name of the constant.
    pub name: &'static str,
    /// Its value.
    pub amount: Amount,
    /// Its documentation, line by line.
    pub documentation: &'static [&'static str],
}

/// The value of a limit, with its unit.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// A number of things.
    Count(u64),
    /// A number of bytes.
    Bytes(u64),
    /// A number of characters.
    Characters(u64),
    /// A time.
    Time(Duration),
    /// Several times, one after the other.
    Times(&'static [Duration]),
}

/// Declares each limit as a constant, and all of them as a table.
macro_rules! limits {
    ($($title:literal { $( $(#[doc = $documentation:literal])+ $unit:ident $name:ident: $type:ty = $value:expr; )+ })+) => {
        $($(
            $(#[doc = $documentation])+
            pub const $name: $type = $value;
        )+)+

        /// All limits.
        #[allow(clippy::cast_lossless, clippy::unnecessary_cast, reason = "all whole numbers are shown as one type")]
        pub const SECTIONS: &[Section] = &[$(Section {
            title: $title,
            limits: &[$(Limit {
                name: stringify!($name),
                amount: limits!(@$unit $name),
                documentation: &[$($documentation),+],
            }),+],
        }),+];
    };
    (@count $name:ident) => { Amount::Count($name as u64) };
    (@bytes $name:ident) => { Amount::Bytes($name as u64) };
    (@characters $name:ident) => { Amount::Characters($name as u64) };
    (@time $name:ident) => { Amount::Time($name) };
    (@times $name:ident) => { Amount::Times(&$name) };
}

/// A KiB.
const KIB: usize = 1024;
/// A MiB.
const MIB: usize = 1024 * KIB;

limits! {
    "A run" {
        /// The time for a run that looks at servers only, unless --timeout says otherwise.
        time RUN_TIMEOUT: Duration = Duration::from_secs(10);
        /// The time for a run that looks at replication, too: writes must have time to arrive.
        time RUN_TIMEOUT_WITH_LINKS: Duration = Duration::from_secs(30);
        /// The longest time that an option can be set to.
        time MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);
        /// How old a comparison of data may be that a plan requires, unless it says otherwise.
        time MAX_VERIFIED_AGE: Duration = Duration::from_secs(24 * 3600);
        /// By how many seconds the clock of the machine that compared may be ahead of this one.
        count CLOCKS_APART_SECONDS: i64 = 300;
        /// Into how many parts the keys of a comparison may be split.
        count MAX_VERIFY_SHARDS: u32 = 4096;
        /// The time for a connection to one address, and for the look-up of one name, where the run has three times as
        /// much.
        time CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
        /// The time for the replies to one batch, where the run has three times as much.
        time REPLY_TIMEOUT: Duration = Duration::from_secs(5);
        /// The time for what comes after collecting: what follows from the facts, judging them, and the report. It takes some
        /// hundredths of a second, on a busy machine more. Three times that of the run, at least this …
        time MIN_JUDGING_TIMEOUT: Duration = Duration::from_secs(5);
        /// … and at most this.
        time MAX_JUDGING_TIMEOUT: Duration = Duration::from_secs(30);
        /// How many servers are looked at side by side.
        count MAX_PARALLEL_SERVERS: usize = 16;
        /// How many servers `init` follows: a plan for more is made of parts.
        count MAX_INIT_SERVERS: usize = 64;
    }
    "Names" {
        /// How many names of one Codis or one product are looked up.
        count MAX_NAMES_RESOLVED: usize = 64;
        /// How long looking for the name of an address may take: a resolver that does not answer was measured to take
        /// ten seconds.
        time REVERSE_LOOKUP_TIMEOUT: Duration = Duration::from_secs(4);
    }
    "Servers" {
        /// How much is read in answer to one batch. INFO and CONFIG of a Pika come to some 20 KB.
        bytes MAX_REPLY_BYTES: usize = 4 * MIB;
        /// How many lines of one section of INFO are read. The longest of a Pika has some hundred.
        count MAX_INFO_LINES: usize = 10_000;
        /// How many replicas one server may list: each of them takes the whole binlog from it.
        count MAX_LISTED_REPLICAS: usize = 1000;
        /// How many of the first bytes are kept, to tell what answered when it is not RESP.
        bytes MAX_FIRST_BYTES: usize = 256;
        /// How much is shown of an answer that is not RESP.
        characters MAX_EVIDENCE_CHARACTERS: usize = 80;
        /// How long a port that should say nothing may say something. What greets at all greets sooner.
        time PORT_SILENCE_TIMEOUT: Duration = Duration::from_millis(200);
        /// How long an rsync daemon may take to greet, beside the time of ten round trips. One that cannot look up our name
        /// takes ten seconds, and its silence says so as well.
        time RSYNC_GREETING_PATIENCE: Duration = Duration::from_millis(400);
        /// How long an rsync daemon may take to greet at most, however far it is.
        time RSYNC_GREETING_TIMEOUT: Duration = Duration::from_secs(2);
        /// How much is read from a derived port; the longest answer that is expected has some 60 bytes.
        bytes MAX_PORT_BYTES: usize = 512;
    }
    "Links" {
        /// How long `check_pika` waits for a canary, where the run has three times as much.
        time PLUGIN_CANARY_TIMEOUT: Duration = Duration::from_secs(5);
        /// The time to live of a canary that nobody deletes. Longer than any wait, and longer than clocks of two hosts
        /// usually differ: the end travels as a point in time.
        time CANARY_TTL: Duration = Duration::from_secs(300);
        /// The time between the first two looks at the replica for a canary; it grows …
        time CANARY_FIRST_INTERVAL: Duration = Duration::from_millis(5);
        /// … to this.
        time CANARY_MAX_INTERVAL: Duration = Duration::from_millis(200);
        /// On how many databases a canary is written.
        count MAX_CANARY_DATABASES: u64 = 8;
        /// How long a double master is watched for records that come back.
        time ECHO_TIMEOUT: Duration = Duration::from_millis(1500);
        /// The time between two looks at a double master.
        time ECHO_INTERVAL: Duration = Duration::from_millis(15);
        /// How long both binlogs of a double master must stand still to be at rest.
        time ECHO_REST: Duration = Duration::from_millis(300);
        /// The time between two readings of positions, at least. A replica that receives anything moves within it.
        time READING_INTERVAL: Duration = Duration::from_secs(1);
        /// How many reconnections a difference of positions is explained by, on releases where each adds a greeting to
        /// one of the binlogs.
        count MAX_GREETINGS: u64 = 1000;
        /// How many keys are compared, over all databases.
        count MAX_SAMPLE_KEYS: usize = 200;
        /// How many keys of a server are looked up in the lists that a migration of slots works through.
        count MAX_LISTED_KEYS: usize = 1000;
        /// How often SCAN is called for them. On a large 2.x these calls come to strings only, which lie first.
        count MAX_SAMPLE_SCANS: usize = 5;
        /// The pauses before a key that differs is looked at again.
        times SAMPLE_RETRY_INTERVALS: [Duration; 3] =
            [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(800)];
        /// How many keys that differ are named.
        count MAX_SAMPLE_EXAMPLES: usize = 5;
        /// How much of a key is shown.
        characters MAX_KEY_CHARACTERS: usize = 60;
        /// The largest database of 4.x whose keys are listed: about 0.1 microseconds a key were measured, and all types
        /// lie in one store.
        bytes MAX_SCANNED_DATABASE_BYTES: u64 = 1 << 30;
    }
    "Comparing data" {
        /// How many keys one question lists, and how many are looked up in one write. 4 MiB are read of an answer, which
        /// is 16 KB for each name.
        count VERIFY_PIECE_KEYS: usize = 256;
        /// How many elements of collections are read at a time.
        count VERIFY_PIECE_ELEMENTS: usize = 512;
        /// How much of a string is read at a time. A server reads all of it for each piece …
        bytes VERIFY_PIECE_BYTES: usize = 2 * MIB;
        /// … and about how much of several strings together.
        bytes VERIFY_BATCH_BYTES: usize = MIB;
        /// How many elements a hash or sorted set of Pika 2.x may have whose contents are read: it goes to the place of a
        /// piece step by step, 70 ms at element 500,000.
        count MAX_STEPPED_ELEMENTS: i64 = 200_000;
        /// The same for a list of Pika 2.x, where a step takes 12 microseconds.
        count MAX_STEPPED_LIST_ELEMENTS: i64 = 2000;
        /// How often what differs is looked at again.
        count MAX_VERIFY_ROUNDS: u64 = 5;
        /// The time before what differs is looked at again, where no link says that it has arrived.
        time VERIFY_ROUND_PAUSE: Duration = Duration::from_secs(1);
        /// How long a link may take to catch up with the position at which a difference was seen. What has not arrived
        /// then counts.
        time VERIFY_CATCH_UP: Duration = Duration::from_secs(30);
        /// How long what was found waits for being written to the state, at most.
        time VERIFY_COMMIT_INTERVAL: Duration = Duration::from_millis(250);
        /// How many differences wait for being written, at most.
        count MAX_VERIFY_UNWRITTEN: usize = 4096;
        /// How much of the state is kept in memory.
        bytes VERIFY_STATE_CACHE_BYTES: usize = 8 * MIB;
        /// The time between two looks at whether a server is still the one that it was.
        time VERIFY_IDENTITY_INTERVAL: Duration = Duration::from_secs(10);
        /// How long `verify` stands still when a server answers slowly, at first and at most; each time twice as long.
        time VERIFY_FIRST_PAUSE: Duration = Duration::from_millis(500);
        /// How long it stands still at most before it looks again.
        time MAX_VERIFY_PAUSE: Duration = Duration::from_secs(30);
        /// The time between two measurements of the reply times of the servers.
        time VERIFY_PING_INTERVAL: Duration = Duration::from_millis(100);
        /// The time between two of the nine measurements before anything is asked.
        time VERIFY_REST_INTERVAL: Duration = Duration::from_millis(25);
        /// How many differences are shown.
        count MAX_VERIFY_EXAMPLES: usize = 20;
        /// How many shared prefixes are shown, and how many are counted.
        count MAX_VERIFY_PREFIXES: usize = 10;
        /// How many prefixes are told apart.
        count MAX_VERIFY_PREFIXES_COUNTED: usize = 10_000;
        /// How many databases are compared.
        count MAX_VERIFY_DATABASES: u64 = 64;
        /// How many seconds a key that is gone from one side may have to live on the other, to count as expired.
        count VERIFY_EXPIRY_SECONDS: i64 = 10;
    }
    "HTTP" {
        /// How many values and names a JSON document may have. That of a Codis with 1024 slots and 60 servers has some
        /// 20,000.
        count MAX_JSON_VALUES: usize = 250_000;
        /// How much of a text from a server an error repeats.
        characters MAX_HTTP_ERROR_CHARACTERS: usize = 300;
    }
    "Codis" {
        /// How much is read of one answer of a dashboard or a proxy. /topom of 1024 slots and 60 servers comes to some
        /// 500 KB.
        bytes MAX_CODIS_ANSWER_BYTES: usize = 16 * MIB;
        /// How much is read of the model of a dashboard, which has some hundred bytes.
        bytes MAX_DASHBOARD_MODEL_BYTES: usize = 64 * KIB;
        /// How much is read of the answer of a proxy to a product_auth: a word.
        bytes MAX_XPING_BYTES: usize = 4 * KIB;
        /// The longest text that is taken over from a document of Codis, wherever it was read.
        characters MAX_CODIS_TEXT_CHARACTERS: usize = 300;
        /// How many products of one codis-fe are looked at.
        count MAX_FE_PRODUCTS: usize = 16;
        /// How many groups, servers of a group and proxies are read. Codis manages 9999 groups; nobody has so many.
        count MAX_CODIS_MEMBERS: usize = 1024;
        /// How many servers one Codis or one product may have in all its groups.
        count MAX_CODIS_MEMBER_SERVERS: usize = 4096;
        /// How many slots are read. Codis has 1024, the fork as many as max_slot_num says.
        count MAX_CODIS_SLOTS: usize = 64 * 1024;
        /// How many proxies are asked.
        count MAX_CODIS_PROXIES: usize = 64;
        /// How many proxies are asked side by side.
        count MAX_PARALLEL_PROXIES: usize = 8;
        /// How many servers behind a Codis are looked at.
        count MAX_CODIS_SERVERS: usize = 64;
        /// How many servers are asked about slots side by side.
        count MAX_PARALLEL_BACKENDS: usize = 8;
    }
    "Coordinators" {
        /// How many products of one coordinator are looked at.
        count MAX_PRODUCTS: usize = 200;
        /// How many products are looked at side by side.
        count MAX_PARALLEL_PRODUCTS: usize = 16;
        /// How many servers are taken over from coordinators.
        count MAX_COORDINATED_SERVERS: usize = 200;
        /// How many children of a directory are looked at. Codis has 1024 slots in one, and one node for each proxy.
        count MAX_CHILDREN: usize = 8192;
        /// How much of one node is looked at. A group of a hundred servers has 20 KB.
        bytes MAX_NODE_BYTES: usize = 256 * KIB;
        /// How many nodes are looked at in one coordinator: some ninety products with all their slots.
        count MAX_NODES: usize = 100_000;
        /// The largest answer of ZooKeeper that is read: the names of as many children as are looked at have less than
        /// 1 MB, and a node of ZooKeeper at most 1 MB unless `jute.maxbuffer` is raised.
        bytes MAX_ZOOKEEPER_FRAME_BYTES: usize = 16 * MIB;
        /// How much is read of one ZooKeeper in all.
        bytes MAX_ZOOKEEPER_BYTES: usize = 64 * MIB;
        /// How many requests to ZooKeeper are under way at once. It slows a client down at 1000.
        count MAX_ZOOKEEPER_REQUESTS: usize = 200;
        /// How long ZooKeeper keeps the session when this program goes away without a word. It may choose another time.
        time ZOOKEEPER_SESSION_TIMEOUT: Duration = Duration::from_secs(10);
        /// How many entries of an access control list are read.
        count MAX_ACL_ENTRIES: usize = 64;
        /// How many lists that differ are kept of one product. Codis makes all of its nodes with one.
        count MAX_ACL_KINDS: usize = 64;
        /// How many nodes of one product that cannot be understood are named.
        count MAX_ODDITIES: usize = 200;
        /// How much is read of one answer of etcd: that for a product with all of its slots has 200 KB.
        bytes MAX_ETCD_ANSWER_BYTES: usize = 32 * MIB;
        /// How much is read of the answer of etcd to /version.
        bytes MAX_ETCD_VERSION_BYTES: usize = 64 * KIB;
    }
    "Sentinel" {
        /// How many names of one Sentinel are asked about.
        count MAX_SENTINEL_MASTERS: usize = 64;
        /// How many entries are kept of one answer. No Sentinel watches that many servers.
        count MAX_SENTINEL_ENTRIES: usize = 256;
        /// How much is kept of a text. Addresses, ids and flags are short.
        characters MAX_SENTINEL_TEXT_CHARACTERS: usize = 256;
        /// How many servers are looked at because a Sentinel names them.
        count MAX_SENTINEL_SERVERS: usize = 64;
    }
    "Hosts" {
        /// How long a program of the host may take to say its version.
        time PROGRAM_TIMEOUT: Duration = Duration::from_secs(2);
        /// How much is read of what it says.
        bytes MAX_PROGRAM_OUTPUT_BYTES: u64 = 4096;
        /// How much is read from one file. The longest are the tables of sockets of a busy host.
        bytes MAX_HOST_FILE_BYTES: u64 = 32 * MIB as u64;
        /// How many symbolic links are followed on the way to one file, as the kernel has it.
        count MAX_SYMLINKS: usize = 40;
        /// How many entries of a directory of Pika are looked at for what its user may not write.
        count MAX_ENTRIES_LOOKED_AT: usize = 2000;
        /// How many files of a database are counted for its size.
        count MAX_DATABASE_FILES: usize = 200_000;
        /// How often an open database is looked for before it counts as gone: a replica that takes over a full copy
        /// closes its database for a moment.
        count MAX_DATABASE_LOOKS: u32 = 5;
        /// The time between two of these looks.
        time DATABASE_LOOK_INTERVAL: Duration = Duration::from_millis(300);
        /// How many records of the kernel's log are read; its buffer holds fewer.
        count MAX_KERNEL_RECORDS: usize = 200_000;
        /// How long the kernel may take to say which way it would choose.
        time ROUTE_TIMEOUT: Duration = Duration::from_secs(1);
        /// How many ways to other servers are looked up for a Pika.
        count MAX_ROUTES: usize = 64;
        /// How many lines of the kernel's log are kept.
        count MAX_KERNEL_LINES: usize = 10;
        /// How much is read of the answer of another host. That of a host with a hundred Pikas has less than a megabyte.
        bytes MAX_SSH_OUTPUT_BYTES: u64 = 8 * MIB as u64;
        /// How much is read of what ssh writes to its standard error.
        bytes MAX_SSH_ERROR_BYTES: u64 = 16 * KIB as u64;
        /// How much of it is kept.
        characters MAX_SSH_ERROR_CHARACTERS: usize = 300;
        /// The time that is kept back from the deadline for the way back of the answer.
        time SSH_RETURN_TIME: Duration = Duration::from_millis(500);
        /// The longest time that another host takes for an answer, whatever it is given.
        time MAX_ANSWER_TIMEOUT: Duration = Duration::from_secs(600);
        /// The time that it takes in any case.
        time MIN_ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
        /// Its time for a connection, and for a reply.
        time ANSWER_STEP_TIMEOUT: Duration = Duration::from_secs(3);
    }
    "Facts" {
        /// How much of one text is kept, of a server as of a bundle: it is quoted by every check that looks at it. The names,
        /// addresses and values of settings that there are in earnest have less.
        characters MAX_FACT_CHARACTERS: usize = 1024;
    }
    "Files" {
        /// How large a bundle or report may be when it is unpacked. One server comes to some 100 KB.
        bytes MAX_BUNDLE_BYTES: u64 = 64 * MIB as u64;
        /// How many values and names it may have. One server comes to some 3000.
        count MAX_BUNDLE_VALUES: usize = 1_000_000;
        /// How many servers it may have, and how many links, hosts, and whatever else is judged one by one.
        count MAX_BUNDLE_SUBJECTS: usize = 1000;
        /// How large a check file may be.
        bytes MAX_CHECK_FILE_BYTES: u64 = MIB as u64;
        /// How large a configuration file may be. Pika itself reads no line beyond that.
        bytes MAX_CONF_BYTES: u64 = MIB as u64;
        /// How large a password file may be.
        bytes MAX_PASSWORD_FILE_BYTES: u64 = 64 * 1024;
        /// How long a FIFO that a person names may take.
        time NAMED_STREAM_TIMEOUT: Duration = Duration::from_secs(30);
        /// How large a plan, a list of waivers or a baseline may be: more than any that a person writes.
        bytes MAX_TEXT_FILE_BYTES: u64 = MIB as u64;
        /// How many lists and maps may be within each other in a YAML document.
        count MAX_YAML_DEPTH: usize = 64;
        /// How many values and names a YAML document may have when its aliases are replaced by what they stand for.
        count MAX_YAML_VALUES: usize = 250_000;
        /// How much text a YAML document may have when its aliases are replaced.
        bytes MAX_YAML_BYTES: usize = 16 * MIB;
        /// How many lines of a pika.conf are read; the longest stock file has about seven hundred.
        count MAX_CONF_LINES: usize = 5000;
        /// The longest unknown key that is compared with those that exist: a longer one is no slip of the finger.
        characters MAX_CONF_KEY_CHARACTERS: usize = 64;
        /// How much of an unknown key of dashboard.toml, proxy.toml or sentinel.conf is shown.
        characters MAX_SHOWN_KEY_CHARACTERS: usize = 64;
    }
    "Logs" {
        /// How many logs of one directory are read; a directory of Pika also holds binlogs, which are not counted.
        count MAX_LOG_FILES: usize = 4096;
        /// How many entries of a directory are looked at.
        count MAX_LOG_DIRECTORY_ENTRIES: usize = 100_000;
        /// How much is read at a time.
        bytes LOG_BLOCK_BYTES: usize = 64 * KIB;
        /// The longest part of a line that is looked at; the rest is skipped.
        bytes MAX_LOG_LINE_BYTES: usize = 8 * KIB;
        /// The longest part of a line that is kept.
        bytes MAX_LOG_TEXT_BYTES: usize = 300;
        /// How many groups of messages are told apart. A message with ever new values must not fill the facts.
        count MAX_LOG_GROUPS: usize = 200;
        /// How many files are named one by one.
        count MAX_LOG_NAMES: usize = 100;
        /// How far back a window can reach: nobody looks back further.
        time MAX_LOG_WINDOW: Duration = Duration::from_secs(10 * 366 * 24 * 3600);
    }
    "Judging and output" {
        /// The longest expression or text of a check file: its reader goes one step deeper for each bracket.
        bytes MAX_EXPRESSION_BYTES: usize = 16 * KIB;
        /// How deep brackets, and how many signs and `not` in a row, may stand in one expression.
        count MAX_EXPRESSION_DEPTH: usize = 64;
        /// How many names of a check file may be evaluated within each other.
        count MAX_NESTED_NAMES: usize = 32;
        /// How many steps one expression or text may take. The longest of the built-in ones takes some hundreds.
        count MAX_EXPRESSION_STEPS: u64 = 20_000;
        /// How many problems of one check and target are told one by one, the worst first; the rest is counted.
        count MAX_PROBLEMS: usize = 100;
        /// How deep recipes may use each other.
        count MAX_RECIPE_DEPTH: usize = 4;
        /// How deep `explain` follows the names of a check file that stand for others.
        count MAX_NAME_DEPTH: usize = 8;
        /// How many lines of a log are shown of one issue.
        count MAX_LOG_LINES_SHOWN: usize = 4;
        /// How many annotations of one kind GitHub shows for a step; it drops the rest without a word.
        count MAX_GITHUB_ANNOTATIONS: usize = 10;
        /// How much long text Nagios is given. It takes about 8 KB; what is worst comes first, so the end can be cut.
        bytes MAX_NAGIOS_TEXT_BYTES: usize = 4096;
        /// How much performance data Nagios is given. More would push the long text out of what it takes.
        bytes MAX_NAGIOS_PERFDATA_BYTES: usize = 3072;
    }
    "Laboratory" {
        /// How long a canary may take in the demo: simulated links carry it at once or never.
        time DEMO_CANARY_TIMEOUT: Duration = Duration::from_millis(800);
        /// The same on real servers.
        time DEMO_REAL_CANARY_TIMEOUT: Duration = Duration::from_secs(3);
        /// How long the start of a real Pika may take.
        time PIKA_START_TIMEOUT: Duration = Duration::from_secs(30);
        /// How long its end may take; from 3.1 to 3.4 a master with replicas takes over a minute.
        time PIKA_STOP_TIMEOUT: Duration = Duration::from_secs(100);
        /// How long its answer may take; `slaveof no one` takes three seconds.
        time PIKA_ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
        /// How long a real link may take until it says up: five seconds for the link, more for a full copy.
        time LINK_UP_TIMEOUT: Duration = Duration::from_secs(20);
        /// How long a link that said up is left alone: the last bytes of the old data are on their way.
        time LINK_REST: Duration = Duration::from_secs(2);
    }
}
