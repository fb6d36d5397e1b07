//! What is to be reached, and where it isn't.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::cells::Cell;
use crate::loopback::Row;
use crate::memory::{Job, LIBRARIES};
use crate::report::{Memory, Timed};
use crate::servers::{ALL, EVENT_LOOP, Form, LOOP, RAW, RAW_BLOCKING, UWEBSOCKETS};
use crate::wire::Kind;

/// A goal, and what was found in each cell that it is about, or for each job.
struct Goal<C> {
    text: &'static str,
    found: fn(&C) -> Option<Found>,
}

/// How much better than wanted it is, as a factor; less than 1 misses it. And the figures.
type Found = (f64, String);

const IN_MEMORY: [Goal<Timed>; 6] = [
    Goal {
        text: "Decode: binary in at most 11 ns at 8 B, 18 ns at 125 B, 50 ns at 1 KiB",
        found: |(job, found)| match job {
            Job::Decode(Kind::Binary, size) => within(*size, [11.0, 18.0, 50.0], found),
            _ => None,
        },
    },
    Goal {
        text: "Decode: binary from 16 KiB, and mixed text everywhere, ahead of the best peer",
        found: |(job, found)| match job {
            Job::Decode(Kind::Binary, 16_384..) | Job::Decode(Kind::Mixed, _) => ahead(found),
            _ => None,
        },
    },
    Goal {
        text: "Encode: in at most 12 ns at 8 B and 125 B, 25 ns at 1 KiB as a server; 15 ns, 20 ns, 40 ns as a \
               client",
        found: |(job, found)| match job {
            Job::EncodeAsServer(size) => within(*size, [12.0, 12.0, 25.0], found),
            Job::EncodeAsClient(size) => within(*size, [15.0, 20.0, 40.0], found),
            _ => None,
        },
    },
    Goal {
        text: "Encode: from 16 KiB ahead of the best peer",
        found: |(job, found)| match job {
            Job::EncodeAsServer(16_384..) | Job::EncodeAsClient(16_384..) => ahead(found),
            _ => None,
        },
    },
    Goal {
        text: "A Ping answered and a message of 8 B received: in at most 30 ns and 11 ns",
        found: |(job, found)| match job {
            Job::Ping => at_most(30.0 + 11.0, found),
            _ => None,
        },
    },
    Goal {
        text: "Handshake: at most 1000 ns",
        found: |(job, found)| match job {
            Job::Handshake => at_most(1000.0, found),
            _ => None,
        },
    },
];

const OVER_LOOPBACK: [Goal<Row>; 5] = [
    Goal {
        text: "Event loop: at most 1.15 times the processor time of a raw echo at 16 B and 125 B, 1.25 at \
               1 KiB, 1.10 from 16 KiB, with 32 messages in flight",
        found: |row| {
            let Cell { size, kind: Kind::Binary, fragments: 1, depth: 32, .. } = row.cell else {
                return None;
            };
            let most = match size {
                0..=125 => 1.15,
                126..=1024 => 1.25,
                _ => 1.10,
            };
            let ratio = row.processor_to(EVENT_LOOP, RAW)?;
            Some((most / ratio, format!("{ratio:.2} for {most:.2}")))
        },
    },
    Goal {
        text: "Event loop: less processor time than uWebSockets, everywhere",
        found: |row| {
            let ratio = row.processor_to(EVENT_LOOP, UWEBSOCKETS)?;
            Some((1.0 / ratio, format!("{ratio:.2} of its time")))
        },
    },
    Goal {
        text: "Blocking three-line loop: at least 0.9 of the throughput of a raw blocking echo, from 16 B to \
               1 KiB with 32 messages in flight on one connection",
        found: |row| is_pipelined(&row.cell).then(|| at_least(row, RAW_BLOCKING, 0.9)).flatten(),
    },
    Goal {
        text: "Blocking three-line loop: at least 5 times the throughput of tungstenite's, there",
        found: |row| is_pipelined(&row.cell).then(|| at_least(row, "tungstenite", 5.0)).flatten(),
    },
    Goal {
        text: "Blocking three-line loop: no slower than the best Rust peer as its examples show it, everywhere",
        found: |row| {
            let plain = ALL.iter().filter(|server| server.form == Form::Plain);
            let found = plain.filter_map(|server| {
                let (margin, figures) = at_least(row, server.name, 1.0)?;
                Some((margin, format!("{}: {figures}", server.name)))
            });
            found.min_by(|one, other| one.0.total_cmp(&other.0))
        },
    },
];

fn is_pipelined(cell: &Cell) -> bool {
    matches!(
        cell,
        Cell { size: ..=1024, kind: Kind::Binary, fragments: 1, connections: 1, depth: 32 }
    )
}

fn at_least(row: &Row, server: &str, least: f64) -> Option<(f64, String)> {
    let ratio = row.throughput_to(LOOP, server)?;
    let mut figures = format!("{ratio:.2} for {least:.1}");
    // What a thread for each connection could reach at all.
    if server != RAW_BLOCKING {
        let raw = row.throughput_to(RAW_BLOCKING, server)?;
        let _ = write!(figures, ", a raw blocking echo {raw:.2}");
    }
    Some((ratio / least, figures))
}

const OURS: &str = "sansocket";

/// At the three short sizes.
fn within(size: usize, most: [f64; 3], found: &HashMap<&'static str, f64>) -> Option<Found> {
    let index = [8, 125, 1024].iter().position(|&short| short == size)?;
    at_most(most[index], found)
}

fn at_most(most: f64, found: &HashMap<&'static str, f64>) -> Option<Found> {
    let time = *found.get(OURS)?;
    Some((most / time, format!("{time:.1} ns for {most:.0}")))
}

/// The best of our ways beside the best of the others.
fn ahead(found: &HashMap<&'static str, f64>) -> Option<Found> {
    let names = LIBRARIES.iter().map(|library| library.name).filter(|name| *name != "memcpy");
    let (ours, others): (Vec<_>, Vec<_>) = names
        .filter_map(|name| Some((name, *found.get(name)?)))
        .partition(|(name, _)| name.starts_with(OURS));
    let best = |times: Vec<(&'static str, f64)>| {
        times.into_iter().min_by(|one, other| one.1.total_cmp(&other.1))
    };
    let ((_, ours), (name, other)) = (best(ours)?, best(others)?);
    Some((other / ours, format!("{:.2} of the time of {name}", ours / other)))
}

pub fn in_memory(results: &Memory) -> String {
    let mut text = String::from("## What was to be reached in memory\n\n");
    for goal in IN_MEMORY {
        let timed =
            results.iter().flat_map(|(title, jobs)| jobs.iter().map(move |job| (title, job)));
        let found = timed.filter_map(|(title, timed)| {
            let found = (goal.found)(timed)?;
            let name = timed.0.name();
            let job = match timed.0 {
                Job::Ping | Job::Fragments | Job::Handshake => name,
                _ => format!("{name} {title}"),
            };
            Some((job, found))
        });
        line(&mut text, goal.text, found);
    }
    text
}

pub fn over_loopback(rows: &[Row]) -> String {
    let mut text = String::from("## What was to be reached over loopback\n\n");
    for goal in OVER_LOOPBACK {
        let found = rows.iter().filter_map(|row| Some((row.cell.to_string(), (goal.found)(row)?)));
        line(&mut text, goal.text, found);
    }
    text
}

fn line(text: &mut String, goal: &str, found: impl Iterator<Item = (String, Found)>) {
    let (met, missed): (Vec<_>, Vec<_>) = found.partition(|(_, (margin, _))| *margin >= 1.0);
    let _ = write!(text, "- {goal}: in {} of {} cells", met.len(), met.len() + missed.len());
    for (index, (cell, (_, figures))) in missed.iter().enumerate() {
        let _ = write!(text, "{} {cell} ({figures})", if index == 0 { "; not in" } else { "," });
    }
    text.push_str(".\n");
}
