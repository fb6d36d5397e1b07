//! Servers as processes, all on the same processor, and the processor time that they have used.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// The processors of the servers and of the load generator.
#[derive(Debug, Clone, Copy)]
pub struct Processors {
    pub server: usize,
    pub generator: usize,
}

impl Processors {
    /// Chooses two of the available processors, or the same one twice if there is only one.
    pub fn choose() -> io::Result<Self> {
        let allowed = sched_getaffinity(Pid::from_raw(0))?;
        let mut processors =
            (0..CpuSet::count()).filter(|&index| allowed.is_set(index).unwrap_or(false));
        let server = processors.next().ok_or(io::ErrorKind::Unsupported)?;
        Ok(Self { server, generator: processors.next().unwrap_or(server) })
    }

    /// Returns whether servers and load share a processor, so that no time is worth much.
    pub const fn are_crowded(self) -> bool {
        self.server == self.generator
    }

    pub fn pin_generator(self) -> io::Result<()> {
        pin(Pid::from_raw(0), self.generator)
    }
}

fn pin(process: Pid, processor: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(processor)?;
    Ok(sched_setaffinity(process, &set)?)
}

/// Makes this process end with the one that started it, however that ends.
pub fn end_with_parent() -> io::Result<()> {
    Ok(prctl::set_pdeathsig(Signal::SIGKILL)?)
}

/// A running server. It ends when this is dropped.
pub struct Process {
    child: Child,
    pub port: u16,
    clock: ClockId,
}

impl Process {
    pub fn start(name: &str, processors: Processors) -> io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", name])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let process = Pid::from_raw(child.id().cast_signed());
        // Done before it has threads, which inherit this.
        pin(process, processors.server)?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if let Ok(port) = line.trim().parse() {
            return Ok(Self { child, port, clock: clock_getcpuclockid(process)? });
        }
        let _ = child.kill();
        child.wait()?;
        Err(io::Error::other(format!("{name} has not told its port")))
    }

    /// Returns the processor time that all its threads have used, in user space and in the kernel.
    pub fn processor_time(&self) -> io::Result<Duration> {
        Ok(clock_gettime(self.clock)?.into())
    }

    /// Returns how many bytes of its own are in memory, without what the kernel keeps for its sockets.
    pub fn memory(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kibibytes.map(|kibibytes| kibibytes << 10).ok_or_else(|| io::ErrorKind::Unsupported.into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
