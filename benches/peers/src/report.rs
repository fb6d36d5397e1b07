//! The tables, in Markdown.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::cells::{Cell, SIZES, size_name};
use crate::idle;
use crate::loopback::Row;
use crate::memory::{Job, LIBRARIES};
use crate::servers::{ALL, EVENT_LOOP, Form, LOOP, RAW, RAW_BLOCKING, SERVE, Server, UWEBSOCKETS};
use crate::stats::Rounds;
use crate::wire::Kind;

/// A job, and how many nanoseconds each library needed for it.
pub type Timed = (Job, HashMap<&'static str, Rounds>);

/// The jobs, by the titles of their tables.
pub type Memory = Vec<(&'static str, Vec<Timed>)>;

pub const COMMAND: &str = "cargo run --release --manifest-path benches/peers/Cargo.toml";

/// Returns what everything was measured with.
pub fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("?");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    format!(
        "{}, {} processors, Linux {}, {}, {}",
        model.trim_start_matches([' ', '\t', ':']),
        cpuinfo.lines().filter(|line| line.starts_with("processor")).count(),
        kernel.trim(),
        rustc.unwrap_or_default().trim(),
        today(),
    )
}

/// Returns the date, as in RFC 3339.
fn today() -> String {
    let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output();
    let date = date.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    date.unwrap_or_default()
}

/// Returns the releases that were measured.
pub fn versions() -> String {
    let lock = include_str!("../Cargo.lock");
    let mut names: Vec<&str> = ALL.iter().map(|server| server.name).collect();
    names.retain(|name| !name.contains([',', ' ']));
    let version = |name: &str| {
        let entry = format!("name = \"{name}\"\nversion = \"");
        lock.split_once(&entry).and_then(|(_, rest)| rest.split('"').next())
    };
    let mut list: Vec<String> =
        names.into_iter().filter_map(|name| Some(format!("{name} {}", version(name)?))).collect();
    if let Some(version) = version("libuwebsockets-sys") {
        list.push(format!(
            "uWebSockets as in libuwebsockets-sys {version}, g++ -O3 -march=native -flto"
        ));
    }
    list.join(", ")
}

pub fn memory(results: &Memory) -> String {
    let mut text = String::from("## In memory\n\nProcessor time per message, in nanoseconds.\n");
    for (title, jobs) in results {
        let _ = writeln!(text, "\n### {title}\n");
        header(&mut text, jobs.iter().map(|(job, _)| job.name()));
        for library in LIBRARIES {
            let values: Vec<Option<f64>> =
                jobs.iter().map(|(_, found)| found.get(library.name).map(Rounds::median)).collect();
            if values.iter().any(Option::is_some) {
                row(
                    &mut text,
                    library.name,
                    values.into_iter().map(|value| value.map(nanoseconds)),
                );
            }
        }
    }
    text
}

pub fn allocations(jobs: &[&str], counts: &[(&str, Vec<Option<f64>>)]) -> String {
    let mut text = String::from(
        "## Allocations\n\nCalls to the allocator for one of each, counted by valgrind.\n\n",
    );
    header(&mut text, jobs.iter().map(|&name| name.to_owned()));
    for (library, counts) in counts {
        let values = counts.iter().map(|count| count.map(|count| format!("{count:.1}")));
        row(&mut text, library, values);
    }
    text
}

pub fn idle(connections: usize, servers: &[(&Server, idle::Memory)]) -> String {
    let mut text = format!(
        "## Memory of a connection\n\n\
         User-space memory per connection of a server with {connections} connections, in KiB: thread \
         stacks count, what the kernel keeps for the sockets doesn't. After a message of 125 B, and after \
         one of 1 MiB.\n\n",
    );
    header(&mut text, ["idle".to_owned(), "after 1 MiB".to_owned()].into_iter());
    for (server, memory) in servers {
        let values = [memory.idle, memory.behind_long_message];
        let values = values.map(|bytes| Some(format!("{:.1}", bytes / 1024.0)));
        row(&mut text, &name(server), values.into_iter());
    }
    text
}

pub fn loopback(rows: &[Row]) -> String {
    let mut text = String::from(
        "## Over loopback: processor time\n\n\
         Processor time of the server per message, kernel included, divided by that of a server that only \
         reads bytes and writes them back (`raw, event loop`, whose row is in nanoseconds). `xN` is N \
         connections, `dN` N messages in flight on each.\n",
    );
    for (title, group) in groups(rows) {
        let _ = writeln!(text, "\n### {title}\n");
        header(&mut text, group.iter().map(|row| column(&row.cell)));
        servers(&mut text, &group, ALL, |row, server| match server.name {
            RAW => Some(format!("{} ns", nanoseconds(row.processor(RAW)?))),
            _ => Some(format!("{:.2}", row.processor_to(server.name, RAW)?)),
        });
    }
    text
}

/// Returns the tables of throughput, for the servers with a thread for each connection.
pub fn blocking(rows: &[Row]) -> String {
    let mut text = String::from(
        "## Over loopback: throughput\n\n\
         Messages per second, divided by those of a server that only reads bytes and writes them back, \
         with a thread per connection (`raw, blocking`). Higher is better.\n",
    );
    let mut shown = ALL.to_vec();
    // The blocking ones come first: this table is about them.
    let blocking = [RAW_BLOCKING, SERVE, LOOP];
    shown.sort_by_key(|server| {
        (!blocking.contains(&server.name), !server.name.starts_with("tungstenite"))
    });
    for (title, group) in groups(rows).into_iter().filter(|(title, _)| title.ends_with("binary")) {
        let _ = writeln!(text, "\n### {title}\n");
        header(&mut text, group.iter().map(|row| column(&row.cell)));
        servers(&mut text, &group, &shown, |row, server| {
            Some(format!("{:.2}", row.throughput_to(server.name, RAW_BLOCKING)?))
        });
    }
    text
}

/// Groups the rows into tables, by what they have in common.
fn groups(rows: &[Row]) -> Vec<(String, Vec<&Row>)> {
    let mut groups: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in rows {
        let Cell { kind, fragments, connections, depth, .. } = row.cell;
        let title = match fragments {
            1 => format!("x{connections} d{depth}, {}", kind.name()),
            _ => "messages in 64 fragments".to_owned(),
        };
        match groups.iter_mut().find(|(name, _)| *name == title) {
            Some((_, group)) => group.push(row),
            None => groups.push((title, vec![row])),
        }
    }
    groups
}

fn column(cell: &Cell) -> String {
    match cell.fragments {
        1 => size_name(cell.size),
        _ => format!("{} x{} d{}", size_name(cell.size), cell.connections, cell.depth),
    }
}

fn servers(
    text: &mut String,
    group: &[&Row],
    shown: &[Server],
    value: impl Fn(&Row, &Server) -> Option<String>,
) {
    for server in shown {
        let values: Vec<Option<String>> = group.iter().map(|row| value(row, server)).collect();
        if values.iter().any(Option::is_some) {
            row(text, &name(server), values.into_iter());
        }
    }
}

fn name(server: &Server) -> String {
    match server.form {
        Form::Own => format!("**{}**", server.name),
        Form::Raw | Form::Plain | Form::Coalesced => server.name.to_owned(),
    }
}

fn header(text: &mut String, columns: impl Iterator<Item = String>) {
    let columns: Vec<String> = columns.collect();
    let _ = writeln!(text, "| | {} |", columns.join(" | "));
    let _ = writeln!(text, "|---{}|", "|--:".repeat(columns.len()));
}

fn row(text: &mut String, name: &str, values: impl Iterator<Item = Option<String>>) {
    let values: Vec<String> = values.map(|value| value.unwrap_or_else(|| "–".to_owned())).collect();
    let _ = writeln!(text, "| {name} | {} |", values.join(" | "));
}

fn nanoseconds(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The cells of the README's table: size, connections, messages in flight.
const SUMMARY: [(usize, usize, usize); 7] = [
    (16, 1, 32),
    (16, 50, 32),
    (125, 50, 32),
    (1 << 10, 50, 32),
    (16 << 10, 50, 32),
    (64 << 10, 50, 32),
    (1 << 20, 1, 1),
];

/// Returns the README's plot and table.
pub fn summary(rows: &[Row]) -> String {
    let shown = SUMMARY.iter().filter_map(|&(size, connections, depth)| {
        let cell = Cell { size, kind: Kind::Binary, fragments: 1, connections, depth };
        rows.iter().find(|row| row.cell == cell)
    });
    let shown: Vec<&Row> = shown.collect();
    let mut text = String::from(
        "![Processor time of echo servers beside a raw echo](docs/performance.svg)\n\n\
         Processor time of an echo server for each message, divided by that of a server that reads bytes and \
         writes\nthem back without any WebSocket. `xN` is connections, `dN` messages in flight on each:\n\n",
    );
    header(&mut text, shown.iter().map(|row| row.cell.to_string()));
    for (title, servers) in [
        ("**sansocket, event loop**", vec![EVENT_LOOP]),
        ("**sansocket, blocking three-line loop**", vec![LOOP]),
        ("uWebSockets", vec![UWEBSOCKETS]),
        ("the best Rust peer, coalesced by hand", names(Form::Coalesced)),
        ("the best Rust peer, as its examples show it", names(Form::Plain)),
    ] {
        let best = |row: &&Row| {
            let ratios = servers.iter().filter_map(|server| row.processor_to(server, RAW));
            ratios.reduce(f64::min).map(|ratio| format!("{ratio:.2}"))
        };
        row(&mut text, title, shown.iter().map(best));
    }
    let _ = writeln!(text, "\n{}.", machine());
    text
}

fn names(form: Form) -> Vec<&'static str> {
    let servers = ALL.iter().filter(|server| server.form == form && server.name != UWEBSOCKETS);
    servers.map(|server| server.name).collect()
}

/// Returns the whole page.
pub fn page(rounds: usize, parts: &[String], shortcomings: &[String]) -> String {
    let sizes = SIZES.map(size_name).join(", ");
    let mut page = format!(
        "# Beside other libraries\n\n\
         ![Processor time of echo servers beside a raw echo](performance.svg)\n\n\
         Generated by `{COMMAND}`, which measures everything again and rewrites this page.\n\n\
         - Machine: {}.\n\
         - Peers: {}.\n\
         - Each server runs on one processor, in a new process each turn; the load generator, which knows no \
         more of WebSocket than how long a reply is, runs on another. It never sleeps: waking it would be \
         charged to the server. Messages are of {sizes}.\n\
         - The raw echo reads at most 64 KiB at a time, sansocket up to 192 KiB (event loop) or 128 KiB.\n\
         - Over loopback, servers take turns, {rounds} each, and twice as many where the goals compare close \
         figures; in memory all take turns too. Every figure is a median, and every ratio a median of ratios \
         within one round; only the memory of a connection is measured once. Processor time is what counts, \
         because it hardly depends on what else runs.\n\
         - Each peer runs once as its examples show it, and once *coalesced* by hand: its writes are gathered \
         until it has to read more. uWebSockets does that itself.\n",
        machine(),
        versions(),
    );
    for shortcoming in shortcomings {
        let _ = writeln!(page, "- **{shortcoming}**.");
    }
    for part in parts {
        let _ = write!(page, "\n{part}");
    }
    page
}
