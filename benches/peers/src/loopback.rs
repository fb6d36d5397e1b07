//! What is measured over loopback: every server with every cell, in rounds in which all have their turn.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use crate::cells::Cell;
use crate::load::{self, Measured, Speaks};
use crate::process::{Process, Processors};
use crate::servers::{ALL, Form, RAW, RAW_BLOCKING, Server};
use crate::stats::median;
use crate::wire::Kind;

/// What was found of one server with one cell: medians over the rounds.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Processor time for a message, in nanoseconds.
    pub processor: f64,
    /// The same, divided by that of the raw event loop in the same round.
    pub processor_to_raw: f64,
    /// Messages for a unit of time, divided by those of the raw blocking server in the same round.
    pub throughput_to_raw: f64,
}

/// One cell, and what was found of each server that can do it.
pub struct Row {
    pub cell: Cell,
    pub figures: HashMap<&'static str, Figures>,
}

#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub rounds: usize,
    /// How long each server has in each round.
    pub turn: Duration,
    /// No cell is begun later.
    pub end: Instant,
}

pub struct Loopback {
    processors: Processors,
    processes: HashMap<&'static str, Process>,
    /// What went wrong.
    pub failures: Vec<String>,
}

impl Loopback {
    /// Starts all servers but those that are left out.
    pub fn start(without: &[&str]) -> io::Result<Self> {
        let processors = Processors::choose()?;
        processors.pin_generator()?;
        let mut processes = HashMap::new();
        for server in ALL.iter().filter(|server| !without.contains(&server.name)) {
            processes.insert(server.name, Process::start(server.name, processors)?);
        }
        Ok(Self { processors, processes, failures: Vec::new() })
    }

    /// Whether servers and load share one processor, so that nothing here is worth much.
    pub const fn is_crowded(&self) -> bool {
        self.processors.server == self.processors.generator
    }

    pub fn measure(&mut self, cell: Cell, plan: &Plan) -> Row {
        let mut found: HashMap<&'static str, Vec<(Measured, Round)>> = HashMap::new();
        for round in 0..plan.rounds {
            let mut measured = HashMap::new();
            // Who comes first is another one each time.
            for index in 0..ALL.len() {
                let server = &ALL[(index + round * 5) % ALL.len()];
                if let Some(figures) = self.turn(server, &cell, plan.turn) {
                    measured.insert(server.name, figures);
                }
            }
            let (Some(raw), Some(blocking)) = (measured.get(RAW), measured.get(RAW_BLOCKING))
            else {
                continue;
            };
            let round = Round { processor: raw.processor, elapsed: blocking.elapsed };
            for (name, figures) in measured {
                found.entry(name).or_default().push((figures, round));
            }
        }
        let figures = found.into_iter().map(|(name, rounds)| (name, Figures::of(&rounds)));
        Row { cell, figures: figures.collect() }
    }

    fn turn(&mut self, server: &Server, cell: &Cell, turn: Duration) -> Option<Measured> {
        if cell.fragments > 1 && !server.joins && server.form != Form::Raw {
            return None;
        }
        // Text makes no difference to who writes each message by itself.
        if cell.kind != Kind::Binary && server.form == Form::Plain {
            return None;
        }
        let process = self.processes.get(server.name)?;
        let speaks = if server.form == Form::Raw { Speaks::Raw } else { Speaks::WebSocket };
        match load::run(process, speaks, cell, turn) {
            Ok(measured) => Some(measured),
            Err(error) => {
                self.failures.push(format!("{}, {cell}: {error}", server.name));
                // It may not be in order any more.
                self.processes.remove(server.name);
                if let Ok(process) = Process::start(server.name, self.processors) {
                    self.processes.insert(server.name, process);
                }
                None
            }
        }
    }
}

/// What the raw servers needed in a round.
#[derive(Clone, Copy)]
struct Round {
    processor: f64,
    elapsed: f64,
}

impl Figures {
    fn of(rounds: &[(Measured, Round)]) -> Self {
        let middle =
            |value: fn(&(Measured, Round)) -> f64| median(rounds.iter().map(value).collect());
        Self {
            processor: middle(|(measured, _)| measured.processor),
            processor_to_raw: middle(|(measured, raw)| measured.processor / raw.processor),
            throughput_to_raw: middle(|(measured, raw)| raw.elapsed / measured.elapsed),
        }
    }
}
