use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sansocket::blocking::{Client, ConnectError, Timeouts};
use sansocket::{CloseCode, Config, Delivery, Keepalive};

use crate::Verdict;
use crate::conversation::{Conversation, Fault, Manner, Pace, Reading, Style};
use crate::halves::Halves;
use crate::operations;
use crate::random::Random;
use crate::whole::{Whole, expect};
use crate::world::{Stage, World};

/// Longer than anything takes, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look whether something has happened.
pub(crate) const GLANCE: Duration = Duration::from_millis(100);

/// The clients of one part, each in a thread of its own.
pub(crate) struct Crowd(Vec<Member>);

struct Member {
    number: usize,
    thread: JoinHandle<Result<(), Fault>>,
}

impl Crowd {
    pub(crate) fn gather(world: &Arc<World>, count: usize, random: &mut Random) -> Self {
        let member = |number| {
            let (world, random) = (Arc::clone(world), random.fork());
            Member { number, thread: thread::spawn(move || run(&world, random)) }
        };
        Self((0..count).map(member).collect())
    }

    /// How many have not ended.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes note of those that have ended.
    pub(crate) fn look(&mut self, verdict: &mut Verdict) {
        let (ended, rest) = self.0.drain(..).partition(|member| member.thread.is_finished());
        self.0 = rest;
        for Member { number, thread } in ended {
            if let Err(fault) = thread.join().unwrap_or(Err(Fault::Panicked)) {
                verdict.fail(format!("client {number}: {fault}"));
            }
        }
    }

    /// Waits until all have ended.
    pub(crate) fn disperse(mut self, limit: Duration, verdict: &mut Verdict) {
        let started = Instant::now();
        while self.len() > 0 && started.elapsed() < limit {
            self.look(verdict);
            thread::sleep(GLANCE);
        }
        for Member { number, .. } in self.0 {
            verdict.fail(format!("client {number} hangs"));
        }
    }
}

/// One client, connection after connection, until it is to leave or is dismissed.
fn run(world: &Arc<World>, mut random: Random) -> Result<(), Fault> {
    while let Stage::Roaming | Stage::Staying = world.stage() {
        let tally = &world.tally;
        let (client, reading) = choose(world, &mut random)?;
        let socket = client.connect()?;
        tally.connections.add(1);
        if random.one_in(3) {
            tally.split.add(1);
            hold(Halves::new(socket, reading, world)?, world, &mut random)?;
        } else {
            hold(Whole::new(socket, reading, tally), world, &mut random)?;
        }
    }
    Ok(())
}

/// What kind of client this one is for the next connection.
fn choose(world: &World, random: &mut Random) -> Result<(Client, Reading), Fault> {
    let mut timeouts = Timeouts::default()
        .connect(PATIENCE)
        .handshake(PATIENCE)
        .read(Some(PATIENCE))
        .write(Some(PATIENCE))
        .close(PATIENCE);
    if random.one_in(3) {
        let often = Keepalive::new(Duration::from_millis(50), PATIENCE);
        timeouts = timeouts.keepalive(Some(often));
    }
    let (style, delivery) = match random.below(3) {
        0 => (Style::Whole, Delivery::Messages),
        1 => (Style::Streamed, Delivery::Messages),
        _ => (Style::Streamed, Delivery::Chunks),
    };
    let mut client = Client::new(&world.url)
        .map_err(ConnectError::from)?
        .config(Config::default().delivery(delivery))
        .timeouts(timeouts);
    if let Some(deflate) = world.deflate.get(random.below(4)) {
        world.tally.compressing.add(1);
        client = client.deflate(deflate);
    }
    let pace = if random.one_in(5) { Pace::Slow } else { Pace::Quick };
    Ok((client, Reading { style, pace, random: random.fork() }))
}

/// Talks, and ends as the stage demands.
fn hold(
    mut conversation: impl Conversation,
    world: &World,
    random: &mut Random,
) -> Result<(), Fault> {
    let mut left = 1 + random.below(16);
    let mut stay = None;
    loop {
        let done = match world.stage() {
            Stage::Roaming if left == 0 => return end(conversation, world, random),
            Stage::Roaming => {
                left -= 1;
                operations::perform(&mut conversation, random, &world.tally)
            }
            Stage::Staying if stay.is_none() => {
                let settled = conversation.settle();
                stay = Some(world.stay());
                settled
            }
            Stage::Staying => operations::small_talk(&mut conversation, random),
            Stage::Leaving => return conversation.close(),
            Stage::Dismissed => {
                expect(conversation.farewell()?, CloseCode::GOING_AWAY)?;
                world.tally.dismissed.add(1);
                return Ok(());
            }
        };
        match done {
            Ok(()) => {}
            // The dismissal came after the last look at the stage, and may be why.
            Err(fault) if fault.may_be_the_end() && world.stage() == Stage::Dismissed => {}
            Err(fault @ Fault::ReaderEnded) => {
                return Err(conversation.farewell().err().unwrap_or(fault));
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// Ends the connection in one of the ways in which a client may.
fn end(conversation: impl Conversation, world: &World, random: &mut Random) -> Result<(), Fault> {
    match random.below(10) {
        0..6 => conversation.close(),
        6 => conversation.break_off(),
        _ => {
            world.tally.dropped.add(1);
            conversation.abandon(Manner::any(random))
        }
    }
}
