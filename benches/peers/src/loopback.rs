//! Measures every server with every cell over loopback, in rounds in which all have their turn.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use crate::cells::Cell;
use crate::load::{self, Measured, Speaks};
use crate::process::{Process, Processors};
use crate::servers::{Form, Server};
use crate::stats::median;
use crate::wire::Kind;

/// One cell, and what each round found for each server that can do it.
pub struct Row {
    pub cell: Cell,
    rounds: Vec<HashMap<&'static str, Measured>>,
}

#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often every server has a turn. One that is close to another where that matters has twice as many.
    pub rounds: usize,
    /// How long each server's turn is in each round.
    pub turn: Duration,
    /// When the last cell may begin.
    pub end: Instant,
}

pub struct Loopback<'a> {
    pub servers: &'a [&'a Server],
    pub processors: Processors,
    /// What went wrong.
    pub failures: Vec<String>,
}

impl Loopback<'_> {
    pub fn measure(&mut self, cell: Cell, plan: &Plan) -> Row {
        let mut rounds = Vec::new();
        for round in 0..2 * plan.rounds {
            let mut measured = HashMap::new();
            // A different one comes first each time.
            for index in 0..self.servers.len() {
                let server = self.servers[(index + round * 5) % self.servers.len()];
                if !can_do(server, &cell) || round % 2 == 1 && !server.is_close_to_another() {
                    continue;
                }
                match self.turn(server, &cell, plan.turn) {
                    Ok(figures) => drop(measured.insert(server.name, figures)),
                    Err(error) => self.failures.push(format!("{}, {cell}: {error}", server.name)),
                }
            }
            rounds.push(measured);
        }
        Row { cell, rounds }
    }

    /// Runs the server in a process of its own: where the memory of a process lies affects its time by
    /// several per cent, and should be a different place each time.
    fn turn(&self, server: &Server, cell: &Cell, turn: Duration) -> io::Result<Measured> {
        let process = Process::start(server.name, self.processors)?;
        let speaks = if server.form == Form::Raw { Speaks::Raw } else { Speaks::WebSocket };
        load::run(&process, speaks, cell, turn)
    }
}

fn can_do(server: &Server, cell: &Cell) -> bool {
    // Text makes no difference to a server that writes each message separately.
    let text = cell.kind == Kind::Binary || server.form != Form::Plain;
    let fragments = cell.fragments == 1 || server.joins || server.form == Form::Raw;
    text && fragments
}

impl Row {
    /// Returns the processor time for a message, in nanoseconds.
    pub fn processor(&self, server: &str) -> Option<f64> {
        self.median(|round| Some(round.get(server)?.processor))
    }

    /// Returns the processor time of a server, divided by that of another in the same round.
    pub fn processor_to(&self, server: &str, other: &str) -> Option<f64> {
        self.median(|round| Some(round.get(server)?.processor / round.get(other)?.processor))
    }

    /// Returns a server's messages per unit of time, divided by those of another in the same round.
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
