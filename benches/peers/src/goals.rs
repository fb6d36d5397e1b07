//! What is to be reached, and where it isn't.

use std::fmt::Write as _;

use crate::cells::Cell;
use crate::loopback::Row;
use crate::servers::{ALL, EVENT_LOOP, Form, LOOP, RAW, RAW_BLOCKING, UWEBSOCKETS};
use crate::wire::Kind;

/// A goal, and what was found in each cell that it is about.
struct Goal {
    text: &'static str,
    /// How much better than wanted the cell is, as a factor; less than 1 misses it. And the figures.
    found: fn(&Row) -> Option<(f64, String)>,
}

const GOALS: [Goal; 5] = [
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

pub fn report(rows: &[Row]) -> String {
    let mut text = String::from("## What was to be reached\n\n");
    for Goal { text: goal, found } in GOALS {
        let found = rows.iter().filter_map(|row| Some((&row.cell, found(row)?)));
        let (met, missed): (Vec<_>, Vec<_>) = found.partition(|(_, (margin, _))| *margin >= 1.0);
        let all = met.len() + missed.len();
        let _ = write!(text, "- {goal}: in {} of {all} cells", met.len());
        for (index, (cell, (_, figures))) in missed.iter().enumerate() {
            let _ =
                write!(text, "{} {cell} ({figures})", if index == 0 { "; not in" } else { "," });
        }
        text.push_str(".\n");
    }
    text
}
