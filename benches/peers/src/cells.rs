//! What is measured over loopback: messages of one size and kind, on a number of connections, with a number
//! of them in flight on each.

use std::fmt;

use crate::wire::{self, Kind};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub size: usize,
    pub kind: Kind,
    /// Frames of each message.
    pub fragments: usize,
    pub connections: usize,
    pub depth: usize,
}

pub const SIZES: [usize; 6] = [16, 125, 1 << 10, 16 << 10, 64 << 10, 1 << 20];

const SHAPES: [(usize, usize); 4] = [(1, 1), (1, 32), (50, 1), (50, 32)];

impl Cell {
    pub fn all() -> Vec<Self> {
        let of_kind = |kind| {
            SIZES.into_iter().flat_map(move |size| {
                SHAPES.map(|(connections, depth)| Self {
                    size,
                    kind,
                    fragments: 1,
                    connections,
                    depth,
                })
            })
        };
        let fragments = SHAPES.map(|(connections, depth)| Self {
            size: 16 << 10,
            kind: Kind::Binary,
            fragments: 64,
            connections,
            depth,
        });
        // What matters most comes first, in case time runs out.
        let text = of_kind(Kind::Mixed).chain(of_kind(Kind::Ascii));
        of_kind(Kind::Binary).chain(fragments).chain(text).collect()
    }

    /// Returns a few that show that everything runs.
    pub fn brief() -> Vec<Self> {
        let cell = |size, kind, fragments, connections, depth| Self {
            size,
            kind,
            fragments,
            connections,
            depth,
        };
        vec![
            cell(16, Kind::Binary, 1, 1, 32),
            cell(1 << 10, Kind::Mixed, 1, 5, 32),
            cell(1 << 20, Kind::Binary, 1, 1, 1),
            cell(16 << 10, Kind::Binary, 64, 1, 1),
        ]
    }

    /// Returns what is sent.
    pub fn request(&self) -> Vec<u8> {
        match self.fragments {
            1 => wire::client_message(self.kind, self.size),
            count => wire::client_fragments(self.kind, self.size, count),
        }
    }

    /// Returns what a WebSocket server answers.
    pub fn reply(&self) -> Vec<u8> {
        wire::server_message(self.kind, self.size)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} x{} d{}", size_name(self.size), self.connections, self.depth)?;
        if self.fragments > 1 {
            write!(formatter, " in {} fragments", self.fragments)?;
        }
        match self.kind {
            Kind::Binary => Ok(()),
            kind => write!(formatter, " {}", kind.name()),
        }
    }
}

pub fn size_name(size: usize) -> String {
    match size {
        0..1024 => format!("{size} B"),
        1024..1_048_576 => format!("{} KiB", size / 1024),
        _ => format!("{} MiB", size >> 20),
    }
}
