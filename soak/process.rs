//! What a process holds of the system, as Linux shows it in `/proc`.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::GLANCE;

/// How long threads with nothing more to do may take to end.
const SETTLING: Duration = Duration::from_secs(60);

/// How much the memory may rise: by a quarter, because what happens at the same time is chance, and an
/// allocator takes its time until it has all that it is going to keep; and by this, because a small process
/// has small numbers. In KiB.
const SLACK: u64 = 8 * 1024;

/// A process that has to give everything back.
pub(crate) struct Process {
    whose: &'static str,
    folder: PathBuf,
    /// What it has while there is no client.
    idle: Held,
    /// Samples, in KiB.
    memory: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    threads: usize,
    descriptors: usize,
}

impl Process {
    /// Whether anything can be found out here.
    pub(crate) fn can_be_watched() -> bool {
        Path::new("/proc/self/task").is_dir()
    }

    /// This process; what it has now is what it must get back to.
    pub(crate) fn own() -> io::Result<Self> {
        Self::new("the clients'", PathBuf::from("/proc/self"))
    }

    /// The server's; what it has now is what it must get back to.
    pub(crate) fn of_server(id: u32) -> io::Result<Self> {
        Self::new("the server's", Path::new("/proc").join(id.to_string()))
    }

    fn new(whose: &'static str, folder: PathBuf) -> io::Result<Self> {
        let idle = Held::by(&folder)?;
        Ok(Self { whose, folder, idle, memory: Vec::new() })
    }

    pub(crate) fn sample_memory(&mut self) {
        // A process that has ended is noticed elsewhere.
        self.memory.extend(self.number("status", "VmRSS:").ok());
    }

    /// Checks that its memory has not risen while it was sampled: its minimum in the last third is hardly
    /// more than its maximum in the first. Two moments are chance, and what grows forever passes both.
    pub(crate) fn is_flat(&self) -> Result<String, String> {
        let Self { whose, memory, .. } = self;
        let third = memory.len() / 3;
        let first = memory.iter().take(third).max();
        let last = memory.iter().rev().take(third).min();
        let (Some(&first), Some(&last)) = (first, last) else {
            return Err(format!("there are too few samples of {whose} memory"));
        };
        let peak = self.number("status", "VmHWM:").unwrap_or_default();
        let shown = format!(
            "{whose} memory is {first} KiB at most in the first third, and {last} KiB at least in the last, \
             of {} samples; {peak} KiB was its peak",
            memory.len(),
        );
        let limit = first + first / 4 + SLACK;
        if last <= limit { Ok(shown) } else { Err(format!("{shown}; {limit} KiB is the limit")) }
    }

    /// Waits until it gets back to what it had.
    pub(crate) fn settles(&self) -> Result<String, String> {
        let Self { whose, folder, idle, .. } = self;
        let started = Instant::now();
        loop {
            match Held::by(folder) {
                Ok(held) if held == *idle => {
                    return Ok(format!("{whose} process is back at {idle}"));
                }
                Ok(_) if started.elapsed() < SETTLING => thread::sleep(GLANCE),
                Ok(held) => return Err(format!("{whose} process has {held}, not {idle}")),
                Err(error) => return Err(format!("{whose} process: {error}")),
            }
        }
    }

    /// How many descriptors it may have.
    pub(crate) fn descriptor_limit(&self) -> io::Result<u64> {
        self.number("limits", "Max open files")
    }

    /// The number after this name, at the beginning of a line of this file.
    fn number(&self, file: &str, name: &str) -> io::Result<u64> {
        let lines = fs::read_to_string(self.folder.join(file))?;
        let line = lines.lines().find_map(|line| line.strip_prefix(name));
        match line.and_then(|line| line.split_whitespace().next()) {
            Some("unlimited") => Ok(u64::MAX),
            Some(word) => word.parse().map_err(io::Error::other),
            None => Err(io::Error::other(format!("there is no {name}"))),
        }
    }
}

impl Held {
    fn by(folder: &Path) -> io::Result<Self> {
        let count = |what| fs::read_dir(folder.join(what)).map(Iterator::count);
        Ok(Self { threads: count("task")?, descriptors: count("fd")? })
    }
}

impl fmt::Display for Held {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} threads and {} descriptors", self.threads, self.descriptors)
    }
}
