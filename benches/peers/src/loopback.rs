//! What is measured over loopback: every server with every cell, in rounds in which all have their turn.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use crate::cells::Cell;
use crate::load::{self, Measured, Speaks};
use crate::process::{Process, Processors};
use crate::servers::{ALL, Form, Server};
use crate::stats::median;
use crate::wire::Kind;

/// One cell, and what was found in each round of each server that can do it.
pub struct Row {
    pub cell: Cell,
    rounds: Vec<HashMap<&'static str, Measured>>,
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
    /// Starts these servers.
    pub fn start(servers: &[&Server], processors: Processors) -> io::Result<Self> {
        let mut processes = HashMap::new();
        for server in servers {
            processes.insert(server.name, Process::start(server.name, processors)?);
        }
        Ok(Self { processors, processes, failures: Vec::new() })
    }

    pub fn measure(&mut self, cell: Cell, plan: &Plan) -> Row {
        let mut rounds = Vec::new();
        for round in 0..plan.rounds {
            let mut measured = HashMap::new();
            // Who comes first is another one each time.
            for index in 0..ALL.len() {
                let server = &ALL[(index + round * 5) % ALL.len()];
                if let Some(figures) = self.turn(server, &cell, plan.turn) {
                    measured.insert(server.name, figures);
                }
            }
            rounds.push(measured);
        }
        Row { cell, rounds }
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

impl Row {
    /// Processor time for a message, in nanoseconds.
    pub fn processor(&self, server: &str) -> Option<f64> {
        self.median(|round| Some(round.get(server)?.processor))
    }

    /// The processor time of a server, divided by that of another in the same round.
    pub fn processor_to(&self, server: &str, other: &str) -> Option<f64> {
        self.median(|round| Some(round.get(server)?.processor / round.get(other)?.processor))
    }

    /// The messages of a server for a unit of time, divided by those of another in the same round.
    pub fn throughput_to(&self, server: &str, other: &str) -> Option<f64> {
        self.median(|round| Some(round.get(other)?.elapsed / round.get(server)?.elapsed))
    }

    fn median(
        &self,
        value: impl Fn(&HashMap<&'static str, Measured>) -> Option<f64>,
    ) -> Option<f64> {
        let values: Vec<f64> = self.rounds.iter().filter_map(value).collect();
        (!values.is_empty()).then(|| median(values))
    }
}
