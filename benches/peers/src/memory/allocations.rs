use std::io;
use std::process::{Command, Stdio};

use super::{Job, LIBRARIES, Library};
use crate::wire::Kind;

/// What is looked at.
pub const JOBS: [(&str, Job); 6] = [
    ("decode 125 B", Job::Decode(Kind::Binary, 125)),
    ("decode 16 KiB", Job::Decode(Kind::Binary, 16 << 10)),
    ("encode 125 B", Job::EncodeAsServer(125)),
    ("Ping and message", Job::Ping),
    ("64 fragments", Job::Fragments),
    ("handshake", Job::Handshake),
];

/// Often enough that what is allocated once isn't seen in the first decimal.
const TIMES: u16 = 1000;

/// For each library, how often it allocates for each job that it can do.
pub type Counts = Vec<(&'static str, Vec<Option<f64>>)>;

/// How often each library allocates for each of the jobs. An allocator that counts would cost each of
/// them some time; so this program runs again, under valgrind.
///
/// # Errors
///
/// Why there is nothing to show, in a line.
pub fn count() -> Result<Counts, String> {
    let library = |library: &Library| {
        let counts = JOBS.iter().map(|&(name, job)| match (library.prepare)(job) {
            Some(_) => count_one(library.name, name).map(Some),
            None => Ok(None),
        });
        Ok((library.name, counts.collect::<Result<_, _>>()?))
    };
    LIBRARIES.iter().filter(|library| library.name != "memcpy").map(library).collect()
}

fn count_one(library: &str, job: &str) -> Result<f64, String> {
    eprintln!("allocations: {library}, {job}");
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=memcheck", "--undef-value-errors=no", "--leak-check=no"])
        .arg(program)
        .args(["repeat", library, job])
        .stdout(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let report = String::from_utf8_lossy(&output.stderr);
    let count = report.split_once("total heap usage: ").and_then(|(_, rest)| {
        rest.split_once(" allocs").and_then(|(count, _)| count.replace(',', "").parse::<f64>().ok())
    });
    match count {
        Some(count) if output.status.success() => Ok(count / f64::from(TIMES)),
        _ => Err(format!("valgrind has counted nothing of {library}, {job}")),
    }
}

/// What runs under valgrind.
pub fn repeat(library: &str, job: &str) -> io::Result<()> {
    let library = LIBRARIES.iter().find(|found| found.name == library);
    let job = JOBS.iter().find(|found| found.0 == job);
    let run = library.zip(job).and_then(|(library, (_, job))| (library.prepare)(*job));
    let mut run = run.ok_or_else(|| io::Error::other("no such library, or no such job"))?;
    run(usize::from(TIMES));
    Ok(())
}
