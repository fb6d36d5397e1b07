//! The two parts of a soak: clients come and go until all have gone; and again, until the server goes.

use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::Verdict;
use crate::client::{Crowd, GLANCE};
use crate::options::Options;
use crate::process::Process;
use crate::random::Random;
use crate::server::EchoServer;
use crate::world::{Stage, World};

/// How long the last clients, or the server, may take. Only a hang takes so long.
const LEAVING: Duration = Duration::from_secs(120);

/// How long clients talk before they are dismissed.
const TALK: Duration = Duration::from_secs(1);

/// How often progress is printed.
const PROGRESS: Duration = Duration::from_secs(10);

pub(crate) fn run(options: &Options) -> Result<Verdict, Box<dyn Error>> {
    let watching = Process::can_be_watched();
    if !watching {
        println!("NOT CHECKED: memory, threads and descriptors, because there is no /proc here");
    }
    let before = watching.then(Process::own).transpose()?;
    if let Some(own) = &before {
        check_descriptor_limit(own, options.clients)?;
    }
    let server = EchoServer::start(&options.server)?;
    let processes =
        if watching { vec![Process::of_server(server.id())?, Process::own()?] } else { Vec::new() };
    let mut course = Course {
        world: Arc::new(World::new(server.url().to_owned())),
        processes,
        server,
        random: Random::new(options.seed),
        verdict: Verdict::default(),
        clients: options.clients,
        said: Instant::now(),
    };
    course.come_and_go(options.duration * 2 / 3);
    course.be_dismissed(options.duration / 3);
    Ok(course.end(before.as_ref()))
}

struct Course {
    server: EchoServer,
    world: Arc<World>,
    /// The server's and the clients', or none where nothing can be seen.
    processes: Vec<Process>,
    random: Random,
    verdict: Verdict,
    clients: usize,
    /// When progress was last printed.
    said: Instant,
}

impl Course {
    /// Clients come and go, and leave nothing behind.
    fn come_and_go(&mut self, duration: Duration) {
        let mut crowd = self.gather();
        // What is reserved once and kept isn't a leak.
        self.watch_over(&mut crowd, duration / 4, |_| {});
        self.watch_over(&mut crowd, duration * 3 / 4, Process::sample_memory);
        self.world.enter(Stage::Leaving);
        crowd.disperse(LEAVING, &mut self.verdict);
        for process in &self.processes {
            self.verdict.check(process.is_flat());
            self.verdict.check(process.settles());
        }
    }

    /// Clients come and go until all of them have to stay, and then the server goes.
    fn be_dismissed(&mut self, duration: Duration) {
        let mut crowd = self.gather();
        self.watch_over(&mut crowd, duration, |_| {});
        self.world.enter(Stage::Staying);
        let started = Instant::now();
        while self.world.staying() < crowd.len() && started.elapsed() < LEAVING {
            self.watch_over(&mut crowd, GLANCE, |_| {});
        }
        self.watch_over(&mut crowd, TALK, |_| {});
        self.world.enter(Stage::Dismissed);
        let ended = self.server.interrupt().and_then(|()| self.server.wait(LEAVING));
        self.verdict.check(match ended {
            Ok(Some(status)) if status.success() => Ok("the server has ended with status 0"),
            Ok(Some(status)) => Err(format!("the server has ended with {status}")),
            Ok(None) => Err("the server does not end".to_owned()),
            Err(error) => Err(error.to_string()),
        });
        crowd.disperse(LEAVING, &mut self.verdict);
        let (dismissed, clients) = (self.world.tally.dismissed.get(), self.clients);
        let told = format!("{dismissed} clients of {clients} were told 1001");
        self.verdict.check(if dismissed == clients as u64 { Ok(told) } else { Err(told) });
    }

    /// Reports everything that is left.
    fn end(mut self, before: Option<&Process>) -> Verdict {
        let tally = &self.world.tally;
        println!("{tally}");
        println!("{} messages were under way when a connection ended", tally.given_up);
        for (name, count) in [
            ("messages", &tally.messages),
            ("split connections", &tally.split),
            ("dropped connections", &tally.dropped),
            ("answered keepalives", &tally.measured),
        ] {
            if count.get() == 0 {
                self.verdict.fail(format!("there were no {name}"));
            }
        }
        let dropped = tally.dropped.get();
        let mut complaints = 0;
        for (complaint, count) in self.server.complaints() {
            println!("the server has said {count} times: {complaint}");
            if !is_about_a_drop(&complaint) {
                self.verdict.fail("that is not what a client that drops its connection causes");
            }
            complaints += count;
        }
        if complaints > dropped {
            self.verdict.fail(format!("the server complains more often than {dropped} times"));
        }
        if let Some(own) = before {
            self.verdict.check(own.settles());
        }
        self.verdict
    }

    fn gather(&mut self) -> Crowd {
        self.world.enter(Stage::Roaming);
        Crowd::gather(&self.world, self.clients, &mut self.random)
    }

    /// Lets the clients do what they do, for this long, unless none are left.
    fn watch_over(&mut self, crowd: &mut Crowd, time: Duration, watch: fn(&mut Process)) {
        let started = Instant::now();
        while started.elapsed() < time && crowd.len() > 0 {
            thread::sleep(GLANCE);
            crowd.look(&mut self.verdict);
            if !self.server.is_running() {
                self.verdict.fail("the server has ended by itself");
                self.world.enter(Stage::Leaving);
                return;
            }
            self.processes.iter_mut().for_each(watch);
            if self.said.elapsed() >= PROGRESS {
                self.said = Instant::now();
                println!("{}", self.world.tally);
            }
        }
    }
}

/// A split client has three descriptors, and may have one more while it leaves.
fn check_descriptor_limit(own: &Process, clients: usize) -> Result<(), Box<dyn Error>> {
    let (needed, limit) = (clients as u64 * 4 + 50, own.descriptor_limit()?);
    if limit < needed {
        return Err(format!("{needed} descriptors are needed: raise {limit} by ulimit -n").into());
    }
    Ok(())
}

/// Whether clients are expected to cause this complaint.
fn is_about_a_drop(complaint: &str) -> bool {
    complaint.starts_with("the connection was lost")
        || complaint.starts_with("the transport failed")
}
