use std::process;

use lexopt::{Arg, ValueExt};

use crate::cells::Cell;
use crate::servers::{Form, Server};

const USAGE: &str = "\
usage: sansocket-peers [OPTIONS]

Measures sansocket beside other libraries, prints the tables, and writes docs/performance.md,
docs/performance.svg and the table of README.md. Takes about half an hour, of which it should have
the machine to itself.

options:
  --brief           a little of everything, to see that it runs; writes nothing
  --only PART       memory, allocations, idle or loopback alone; writes nothing
  --cells WORD      only cells with this in their name, such as 'x50 d32'; writes nothing
  --servers WORD    only servers with this in their name, and the raw ones; writes nothing
  --rounds N        how often all have their turn, 5 by default; this library, the raw echoes and
                    uWebSockets have twice as many
  --minutes N       begins no cell over loopback after so many minutes of them, 30 by default
  -h, --help        show this

--cells and --servers may be given more than once.";

pub struct Arguments {
    pub brief: bool,
    only: Option<Part>,
    cells: Vec<String>,
    servers: Vec<String>,
    rounds: usize,
    pub minutes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Memory,
    Allocations,
    Idle,
    Loopback,
}

impl Arguments {
    pub fn parse() -> Result<Self, lexopt::Error> {
        let mut parsed = Self {
            brief: false,
            only: None,
            cells: Vec::new(),
            servers: Vec::new(),
            rounds: 5,
            minutes: 30,
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => {
                    println!("{USAGE}");
                    process::exit(0);
                }
                Arg::Long("brief") => parsed.brief = true,
                Arg::Long("only") => {
                    parsed.only = Some(arguments.value()?.parse_with(|part| match part {
                        "memory" => Ok(Part::Memory),
                        "allocations" => Ok(Part::Allocations),
                        "idle" => Ok(Part::Idle),
                        "loopback" => Ok(Part::Loopback),
                        _ => Err("it is memory, allocations, idle or loopback"),
                    })?);
                }
                Arg::Long("cells") => parsed.cells.push(arguments.value()?.string()?),
                Arg::Long("servers") => parsed.servers.push(arguments.value()?.string()?),
                Arg::Long("rounds") => parsed.rounds = arguments.value()?.parse()?,
                Arg::Long("minutes") => parsed.minutes = arguments.value()?.parse()?,
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(parsed)
    }

    /// Returns how often all servers have their turn over loopback.
    pub fn rounds(&self) -> usize {
        if self.brief { 1 } else { self.rounds }
    }

    pub fn has(&self, part: Part) -> bool {
        match self.only {
            Some(only) => only == part,
            // Valgrind takes its time, however little it has to count.
            None => !self.brief || part != Part::Allocations,
        }
    }

    /// Returns whether it is the whole run, whose results are kept.
    pub fn is_everything(&self) -> bool {
        !self.brief && self.only.is_none() && self.cells.is_empty() && self.servers.is_empty()
    }

    pub fn has_cell(&self, cell: &Cell) -> bool {
        let name = cell.to_string();
        self.cells.is_empty() || self.cells.iter().any(|word| name.contains(word))
    }

    pub fn is_wanted(&self, server: &Server) -> bool {
        let is_named = |word: &String| server.name.contains(word);
        server.form == Form::Raw || self.servers.is_empty() || self.servers.iter().any(is_named)
    }

    /// Returns how many connections are idle at the same time.
    pub fn connections(&self) -> usize {
        if self.brief { 100 } else { 2000 }
    }
}
