//! Measures sansocket beside other WebSocket libraries, in memory and over loopback, and writes the tables
//! and the plot of `docs/`.
//!
//!     cargo run --release --manifest-path benches/peers/Cargo.toml [OPTIONS]
//!
//! Linux only: it looks at the processor time of other processes.

mod arguments;
mod cells;
mod coalesce;
mod event_loop;
mod goals;
mod idle;
mod load;
mod loopback;
mod memory;
#[path = "../../inputs/mixed_text.rs"]
mod mixed_text;
mod plot;
mod process;
mod raw;
mod report;
mod servers;
mod stats;
mod tokio_servers;
mod uwebsockets;
mod wire;

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use arguments::{Arguments, Part};
use cells::Cell;
use loopback::{Loopback, Plan, Row};
use memory::Job;
use process::Processors;
use servers::{ALL, Server, UWEBSOCKETS};

/// How long each turn is in each round.
const LOOPBACK_TURN: Duration = Duration::from_millis(50);
const MEMORY_TURN: Duration = Duration::from_millis(4);

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", name] => {
            process::end_with_parent()?;
            servers::serve(name)?;
            return Ok(ExitCode::SUCCESS);
        }
        ["repeat", library, job] => {
            memory::repeat(library, job)?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let arguments = Arguments::parse()?;
    let mut report = Report::default();
    if arguments.has(Part::Memory) {
        let memory = measure_memory(&arguments);
        report.parts.extend([report::memory(&memory), goals::in_memory(&memory)]);
    }
    if arguments.has(Part::Allocations) {
        report.count_allocations();
    }
    if arguments.has(Part::Idle) || arguments.has(Part::Loopback) {
        report.measure_servers(&arguments)?;
    }

    let page = report::page(arguments.rounds(), &report.parts, &report.shortcomings);
    writeln!(io::stdout(), "{page}")?;
    if arguments.is_everything() && report.shortcomings.is_empty() {
        report.publish(&page)?;
    } else {
        eprintln!("docs/ and README.md stay as they are: this run doesn't say everything");
    }
    Ok(if report.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What has been found so far.
#[derive(Default)]
struct Report {
    parts: Vec<String>,
    /// What is wrong with it, or missing.
    shortcomings: Vec<String>,
    rows: Vec<Row>,
    failed: bool,
}

impl Report {
    fn count_allocations(&mut self) {
        match memory::count_allocations() {
            Ok(counts) => {
                let jobs = memory::COUNTED.map(|(name, _)| name);
                self.parts.push(report::allocations(&jobs, &counts));
            }
            Err(error) => {
                self.shortcomings.push(format!("Allocations were NOT COUNTED: {error}"));
            }
        }
    }

    fn measure_servers(&mut self, arguments: &Arguments) -> io::Result<()> {
        let processors = Processors::choose()?;
        processors.pin_generator()?;
        if processors.are_crowded() {
            let crowded = "Servers and load shared one processor: no time is worth much";
            self.shortcomings.push(crowded.to_owned());
        }
        let mut servers: Vec<&Server> =
            ALL.iter().filter(|server| arguments.is_wanted(server)).collect();
        if let Err(error) = uwebsockets::build() {
            self.shortcomings.push(format!("uWebSockets was NOT MEASURED: {error}"));
            servers.retain(|server| server.name != UWEBSOCKETS);
        }
        if arguments.has(Part::Idle) {
            self.measure_idle(&servers, processors, arguments.connections());
        }
        if arguments.has(Part::Loopback) {
            let mut loopback = Loopback { servers: &servers, processors, failures: Vec::new() };
            self.rows = measure_loopback(&mut loopback, arguments, &mut self.shortcomings);
            for failure in loopback.failures {
                self.fail(&failure);
            }
            let parts = [report::loopback, report::blocking, goals::over_loopback];
            self.parts.extend(parts.map(|part| part(&self.rows)));
        }
        Ok(())
    }

    fn measure_idle(&mut self, servers: &[&Server], processors: Processors, connections: usize) {
        let mut measured = Vec::new();
        for &server in servers {
            eprintln!("memory of a connection: {}", server.name);
            match idle::measure(server, processors, connections) {
                Ok(memory) => measured.push((server, memory)),
                Err(error) => {
                    self.fail(&format!("{}, {connections} connections: {error}", server.name));
                }
            }
        }
        self.parts.push(report::idle(connections, &measured));
    }

    fn fail(&mut self, failure: &str) {
        self.shortcomings.push(format!("Failed once: {failure}"));
        self.failed = true;
    }

    /// Writes the parts of it that the repository shows.
    fn publish(&self, page: &str) -> io::Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        fs::write(root.join("docs/performance.md"), page)?;
        fs::write(root.join("docs/performance.svg"), plot::svg(&self.rows, &report::machine()))?;
        let readme = fs::read_to_string(root.join("README.md"))?;
        let parts = readme.split_once(BEGIN).and_then(|(front, rest)| {
            let (_, back) = rest.split_once(END)?;
            Some((front, back))
        });
        let (front, back) =
            parts.ok_or_else(|| io::Error::other("README.md has no place for the table"))?;
        let table = report::summary(&self.rows);
        fs::write(root.join("README.md"), format!("{front}{BEGIN}\n{table}{END}{back}"))
    }
}

/// The table between these two lines of the README is rewritten.
const BEGIN: &str = "<!-- Written by benches/peers, from here -->\n";
const END: &str = "\n<!-- to here -->";

fn measure_memory(arguments: &Arguments) -> report::Memory {
    let (rounds, turn) = if arguments.brief {
        (1, MEMORY_TURN / 20)
    } else {
        (2 * arguments.rounds() + 1, MEMORY_TURN)
    };
    let measured = |job: Job| {
        eprintln!("in memory: {job:?}");
        (job, memory::measure(job, rounds, turn))
    };
    let tables = Job::tables().into_iter();
    tables.map(|(title, jobs)| (title, jobs.into_iter().map(measured).collect())).collect()
}

fn measure_loopback(
    loopback: &mut Loopback<'_>,
    arguments: &Arguments,
    shortcomings: &mut Vec<String>,
) -> Vec<Row> {
    let end = Instant::now() + Duration::from_secs(60 * arguments.minutes);
    let (mut cells, turn) = if arguments.brief {
        (Cell::brief(), LOOPBACK_TURN / 4)
    } else {
        (Cell::all(), LOOPBACK_TURN)
    };
    let plan = Plan { rounds: arguments.rounds(), turn, end };
    cells.retain(|cell| arguments.has_cell(cell));
    let mut rows = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        if Instant::now() > plan.end {
            shortcomings.push(format!(
                "{} of {} cells were NOT MEASURED for want of time",
                cells.len() - index,
                cells.len()
            ));
            break;
        }
        eprintln!("over loopback, {} of {}: {cell}", index + 1, cells.len());
        rows.push(loopback.measure(*cell, &plan));
    }
    rows
}
