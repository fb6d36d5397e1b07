//! The plot that the README shows: a line of dots for each cell, on a logarithmic axis.

use std::fmt::Write as _;

use crate::cells::Cell;
use crate::loopback::Row;
use crate::servers::{ALL, EVENT_LOOP, Form, LOOP, RAW, Server, UWEBSOCKETS};
use crate::wire::Kind;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 130.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 92.0;
const LINE: f64 = 38.0;
const BOTTOM: f64 = 44.0;
const FROM: f64 = 0.7;
const TO: f64 = 50.0;
const TICKS: [f64; 7] = [1.0, 1.5, 2.0, 5.0, 10.0, 20.0, 40.0];

/// Size, connections, messages in flight.
const CELLS: [(usize, usize, usize); 8] = [
    (16, 1, 32),
    (16, 50, 32),
    (125, 50, 32),
    (1 << 10, 50, 32),
    (16 << 10, 50, 32),
    (64 << 10, 50, 32),
    (16, 50, 1),
    (1 << 20, 1, 1),
];

/// How the dots of a kind of server look, and what they stand for.
struct Style {
    color: &'static str,
    radius: f64,
    is_filled: bool,
    label: &'static str,
}

/// From the back to the front.
const STYLES: [Style; 5] = [
    Style {
        color: "#b0b0b0",
        radius: 4.0,
        is_filled: false,
        label: "Rust peers, as in their examples",
    },
    Style {
        color: "#8a8a8a",
        radius: 4.0,
        is_filled: true,
        label: "Rust peers, coalesced by hand",
    },
    Style { color: "#d9730d", radius: 5.5, is_filled: true, label: "uWebSockets" },
    Style {
        color: "#1f6feb",
        radius: 5.5,
        is_filled: false,
        label: "sansocket, blocking three-line loop",
    },
    Style { color: "#1f6feb", radius: 6.0, is_filled: true, label: "sansocket, event loop" },
];

fn style(server: &Server) -> Option<usize> {
    match (server.name, server.form) {
        (EVENT_LOOP, _) => Some(4),
        (LOOP, _) => Some(3),
        (UWEBSOCKETS, _) => Some(2),
        (_, Form::Coalesced) => Some(1),
        (_, Form::Plain) => Some(0),
        (_, Form::Raw | Form::Own) => None,
    }
}

pub fn svg(rows: &[Row], machine: &str) -> String {
    let shown: Vec<&Row> = CELLS
        .iter()
        .filter_map(|&shape| rows.iter().find(|row| is_shown(&row.cell, shape)))
        .collect();
    let height = TOP + LINE * shown.len() as f64 + BOTTOM;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#24292f\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"15\" font-weight=\"bold\">Processor time of an echo server for each \
         message, raw echo = 1 (less is better)</text>\n"
    );
    legend(&mut svg);
    let bottom = height - BOTTOM;
    for (index, tick) in TICKS.into_iter().enumerate() {
        let x = position(tick);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"{}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}</text>",
            if index == 0 { "#24292f" } else { "#e4e4e4" },
            bottom + 16.0,
        );
    }
    for (index, row) in shown.iter().enumerate() {
        line(&mut svg, row, TOP + LINE * (index as f64 + 0.5));
    }
    let _ = writeln!(
        svg,
        "<text x=\"16\" y=\"{:.1}\" font-size=\"10\" fill=\"#6e7781\">xN: connections, dN: messages in flight on \
         each. {machine}</text>\n</svg>",
        height - 10.0,
    );
    svg
}

fn is_shown(cell: &Cell, (size, connections, depth): (usize, usize, usize)) -> bool {
    *cell == Cell { size, kind: Kind::Binary, fragments: 1, connections, depth }
}

fn legend(svg: &mut String) {
    for (index, style) in STYLES.iter().rev().enumerate() {
        let (column, row) = (index % 3, index / 3);
        let (x, y) = (24.0 + 270.0 * column as f64, 48.0 + 20.0 * row as f64);
        dot(svg, x, y, style, style.label);
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", x + 12.0, y + 4.0, style.label);
    }
}

fn line(svg: &mut String, row: &Row, y: f64) {
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
         <line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#f0f0f0\"/>",
        LEFT - 12.0,
        y + 4.0,
        row.cell,
        WIDTH - RIGHT,
    );
    for (index, look) in STYLES.iter().enumerate() {
        for server in ALL.iter().filter(|server| style(server) == Some(index)) {
            if let Some(ratio) = row.processor_to(server.name, RAW) {
                dot(svg, position(ratio), y, look, &format!("{}: {ratio:.2}", server.name));
            }
        }
    }
}

fn dot(svg: &mut String, x: f64, y: f64, style: &Style, title: &str) {
    let fill = if style.is_filled { style.color } else { "#ffffff" };
    let _ = writeln!(
        svg,
        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{}\" fill=\"{fill}\" stroke=\"{}\" \
         stroke-width=\"1.5\"><title>{title}</title></circle>",
        style.radius, style.color,
    );
}

fn position(ratio: f64) -> f64 {
    let part = (ratio.clamp(FROM, TO) / FROM).ln() / (TO / FROM).ln();
    LEFT + part * (WIDTH - LEFT - RIGHT)
}
