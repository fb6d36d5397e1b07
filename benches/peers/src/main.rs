//! Measures sansocket beside other WebSocket libraries, in memory and over loopback, and writes the tables
//! and the plot of `docs/`.
//!
//!     cargo run --release --manifest-path benches/peers/Cargo.toml [OPTIONS]
//!
//! Linux only: it looks at the processor time of other processes.

mod cells;
mod coalesce;
mod event_loop;
mod load;
mod loopback;
mod memory;
mod plot;
mod process;
mod raw;
mod report;
mod servers;
mod stats;
mod tokio_servers;
mod uwebsockets;
mod wire;

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::{self as this, ExitCode};
use std::time::{Duration, Instant};
use std::{env, fs};

use lexopt::{Arg, ValueExt};

use cells::Cell;
use loopback::{Loopback, Plan};
use memory::Job;
use servers::UWEBSOCKETS;

const USAGE: &str = "\
usage: sansocket-peers [OPTIONS]

Measures sansocket beside other libraries, prints the tables, and writes docs/performance.md and
docs/performance.svg. Takes about 20 minutes, of which it should have the machine to itself.

options:
  --brief           a little of everything, to see that it runs; writes nothing
  --only PART       memory or loopback alone; writes nothing
  --cells WORD      only the cells with this in their name, such as 'x50 d32'; writes nothing
  --rounds N        how often all have their turn, 5 by default
  --minutes N       begins no cell after so many minutes, 40 by default
  -h, --help        show this";

/// How long each has in each round.
const LOOPBACK_TURN: Duration = Duration::from_millis(60);
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

struct Arguments {
    parts: Parts,
    cells: String,
    rounds: usize,
    minutes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    Brief,
    Memory,
    Loopback,
    All,
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    if let (Some("serve"), Some(name)) = (arguments.next().as_deref(), arguments.next()) {
        process::end_with_parent()?;
        servers::serve(&name)?;
        return Ok(ExitCode::SUCCESS);
    }
    let arguments = Arguments::parse()?;
    let mut notes = Vec::new();
    let mut parts = Vec::new();

    if arguments.parts != Parts::Loopback {
        parts.push(report::memory(&measure_memory(&arguments)));
    }
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    if arguments.parts != Parts::Memory {
        let mut without = Vec::new();
        if let Err(error) = uwebsockets::build() {
            notes.push(format!("**uWebSockets was NOT MEASURED**: {error}."));
            without.push(UWEBSOCKETS);
        }
        let mut loopback = Loopback::start(&without)?;
        if loopback.is_crowded() {
            notes
                .push("**Servers and load shared one processor**: no figure is worth much.".into());
        }
        rows = measure_loopback(&mut loopback, &arguments, &mut notes);
        parts.push(report::loopback(&rows));
        parts.push(report::blocking(&rows));
        failures = loopback.failures;
        notes.extend(failures.iter().map(|failure| format!("**Failed once**: {failure}.")));
    }

    let page = report::page(&parts, &notes);
    let mut stdout = io::stdout();
    writeln!(stdout, "{page}")?;
    let everything = arguments.parts == Parts::All && arguments.cells.is_empty();
    if everything {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        fs::create_dir_all(&docs)?;
        fs::write(docs.join("performance.md"), page)?;
        fs::write(docs.join("performance.svg"), plot::svg(&rows, &report::machine()))?;
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure_memory(arguments: &Arguments) -> report::Memory {
    let (rounds, turn) = match arguments.parts {
        Parts::Brief => (1, MEMORY_TURN / 20),
        _ => (2 * arguments.rounds + 1, MEMORY_TURN),
    };
    let measured = |job: Job| {
        eprintln!("in memory: {job:?}");
        (job, memory::measure(job, rounds, turn).into_iter().collect::<HashMap<_, _>>())
    };
    let tables = Job::tables().into_iter();
    tables.map(|(title, jobs)| (title, jobs.into_iter().map(measured).collect())).collect()
}

fn measure_loopback(
    loopback: &mut Loopback,
    arguments: &Arguments,
    notes: &mut Vec<String>,
) -> Vec<loopback::Row> {
    let end = Instant::now() + Duration::from_secs(60 * arguments.minutes);
    let (mut cells, plan) = match arguments.parts {
        Parts::Brief => (Cell::brief(), Plan { rounds: 1, turn: LOOPBACK_TURN / 4, end }),
        _ => (Cell::all(), Plan { rounds: arguments.rounds, turn: LOOPBACK_TURN, end }),
    };
    cells.retain(|cell| cell.to_string().contains(&arguments.cells));
    let mut rows = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        if Instant::now() > plan.end {
            notes.push(format!(
                "**{} of {} cells were not measured**",
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

impl Arguments {
    fn parse() -> Result<Self, lexopt::Error> {
        let mut parsed = Self { parts: Parts::All, cells: String::new(), rounds: 5, minutes: 40 };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => {
                    println!("{USAGE}");
                    this::exit(0);
                }
                Arg::Long("brief") => parsed.parts = Parts::Brief,
                Arg::Long("only") => {
                    parsed.parts = arguments.value()?.parse_with(|part| match part {
                        "memory" => Ok(Parts::Memory),
                        "loopback" => Ok(Parts::Loopback),
                        _ => Err("it is memory or loopback"),
                    })?;
                }
                Arg::Long("cells") => parsed.cells = arguments.value()?.string()?,
                Arg::Long("rounds") => parsed.rounds = arguments.value()?.parse()?,
                Arg::Long("minutes") => parsed.minutes = arguments.value()?.parse()?,
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(parsed)
    }
}
