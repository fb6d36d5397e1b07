//! The goals, and where they are missed.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::cells::Cell;
use crate::loopback::Row;
use crate::memory::{Job, LIBRARIES};
use crate::report::{Memory, Timed};
use crate::servers::{ALL, EVENT_LOOP, Form, LOOP, RAW, RAW_BLOCKING, UWEBSOCKETS};
use crate::stats::Rounds;
use crate::wire::Kind;

/// A goal, and a function that returns what was found for a cell or job, if the goal is about that.
struct Goal<C> {
    text: &'static str,
    found: fn(&C) -> Option<Found>,
}

/// How much better than the goal it is, as a factor that misses it if less than 1; and the figures.
type Found = (f64, String);

/// How many nanoseconds a job may take, and how many the best peer took on the machine, in the autumn of
/// 2026, whose figures the limits were derived from. If a machine is slower, or busy with something else,
/// that affects both.
struct Limit {
    most: f64,
    peer: f64,
}

fn limit(job: &Job) -> Option<Limit> {
    let (most, peer) = match job {
        Job::Decode(Kind::Binary, 8) => (11.0, 55.0),
        Job::Decode(Kind::Binary, 125) => (18.0, 63.0),
        Job::Decode(Kind::Binary, 1024) => (50.0, 87.0),
        Job::EncodeAsServer(8) => (12.0, 18.0),
        Job::EncodeAsServer(125) => (12.0, 17.0),
        Job::EncodeAsServer(1024) => (25.0, 27.0),
        Job::EncodeAsClient(8) => (15.0, 28.0),
        Job::EncodeAsClient(125) => (20.0, 30.0),
        Job::EncodeAsClient(1024) => (40.0, 55.0),
        // The Ping, and the message that comes with it.
        Job::Ping => (30.0 + 11.0, 108.0),
        Job::Handshake => (1000.0, 1300.0),
        _ => return None,
    };
    Some(Limit { most, peer })
}

const IN_MEMORY: [Goal<Timed>; 4] = [
    Goal {
        text: "Nanoseconds: binary decoded in at most 11 at 8 B, 18 at 125 B, 50 at 1 KiB; encoded in at most \
               12, 12, 25 as a server and 15, 20, 40 as a client; a Ping answered in at most 30 and a message \
               of 8 B received in at most 11, together; a handshake in at most 1000",
        found: |(job, found)| {
            let Limit { most, .. } = limit(job)?;
            let time = found.get(OURS)?.median();
            Some((most / time, format!("{time:.1}, goal {most:.0}")))
        },
    },
    Goal {
        text: "The same, as shares of the best peer's time",
        found: |(job, found)| {
            let Limit { most, peer } = limit(job)?;
            let (name, times) = best_peer(found)?;
            let (share, most) = (found.get(OURS)?.ratio_to(times), most / peer);
            Some((most / share, format!("{share:.2} of the time of {name}, goal {most:.2}")))
        },
    },
    Goal {
        text: "Decode: ahead of the best peer, for binary from 16 KiB and mixed text of every size",
        found: |(job, found)| match job {
            Job::Decode(Kind::Binary, 16_384..) | Job::Decode(Kind::Mixed, _) => ahead(found),
            _ => None,
        },
    },
    Goal {
        text: "Encode: ahead of the best peer from 16 KiB",
        found: |(job, found)| match job {
            Job::EncodeAsServer(16_384..) | Job::EncodeAsClient(16_384..) => ahead(found),
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
            Some((most / ratio, format!("{ratio:.2}, goal {most:.2}")))
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
        text: "Blocking three-line loop: at least 0.9 times the throughput of a raw blocking echo, from 16 B to \
               1 KiB with 32 messages in flight on one connection",
        found: |row| is_pipelined(&row.cell).then(|| at_least(row, RAW_BLOCKING, 0.9)).flatten(),
    },
    Goal {
        text: "Blocking three-line loop: at least 5 times tungstenite's throughput, in the same cells",
        found: |row| is_pipelined(&row.cell).then(|| at_least(row, "tungstenite", 5.0)).flatten(),
    },
    Goal {
        text: "Blocking three-line loop: no slower than the best Rust peer as its examples show it, with \
               binary of every size",
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
    let mut figures = format!("{ratio:.2}, goal {least:.1}");
    // What a thread for each connection could achieve at best.
    if server != RAW_BLOCKING {
        let raw = row.throughput_to(RAW_BLOCKING, server)?;
        let _ = write!(figures, ", a raw blocking echo {raw:.2}");
    }
    Some((ratio / least, figures))
}

const OURS: &str = "sansocket";

fn is_ours(name: &str) -> bool {
    name.starts_with(OURS)
}

/// Returns the fastest of these libraries.
fn best<'found>(
    found: &'found HashMap<&'static str, Rounds>,
    is_one: impl Fn(&str) -> bool,
) -> Option<(&'static str, &'found Rounds)> {
    let names = LIBRARIES.iter().map(|library| library.name);
    let times = names.filter(|name| *name != "memcpy" && is_one(name));
    let times = times.filter_map(|name| Some((name, found.get(name)?)));
    times.min_by(|one, other| one.1.median().total_cmp(&other.1.median()))
}

fn best_peer<'found>(
    found: &'found HashMap<&'static str, Rounds>,
) -> Option<(&'static str, &'found Rounds)> {
    best(found, |name| !is_ours(name))
}

/// Compares the best of our ways with the best peer.
fn ahead(found: &HashMap<&'static str, Rounds>) -> Option<Found> {
    let ((_, ours), (name, other)) = (best(found, is_ours)?, best_peer(found)?);
    let share = ours.ratio_to(other);
    Some((share.recip(), format!("{share:.2} of the time of {name}")))
}

pub fn in_memory(results: &Memory) -> String {
    let mut text = String::from("## Goals in memory\n\n");
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
    let mut text = String::from("## Goals over loopback\n\n");
    for goal in OVER_LOOPBACK {
        let found = rows.iter().filter_map(|row| Some((row.cell.to_string(), (goal.found)(row)?)));
        line(&mut text, goal.text, found);
    }
    text
}

fn line(text: &mut String, goal: &str, found: impl Iterator<Item = (String, Found)>) {
    let (met, missed): (Vec<_>, Vec<_>) = found.partition(|(_, (margin, _))| *margin >= 1.0);
    let _ = write!(text, "- {goal}: met in {} of {} cells", met.len(), met.len() + missed.len());
    for (index, (cell, (_, figures))) in missed.iter().enumerate() {
        let _ = write!(text, "{} {cell} ({figures})", if index == 0 { "; not in" } else { "," });
    }
    text.push_str(".\n");
}
