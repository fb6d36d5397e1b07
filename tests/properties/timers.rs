//! Whatever happens at whatever time, the timers do what a plain model of them says.
//!
//! All times are milliseconds from the start.
#![allow(clippy::disallowed_types, reason = "times that the tests make up")]

use std::time::{Duration, Instant};

use bytes::Buf;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sansocket::{
    CloseCode, CloseSignal, Connection, ConnectionState, Keepalive, Role, TimeoutError, Timers,
};

use crate::laws::reference::{CLOSE, Frame, PING, PONG, Reader, TEXT};
use crate::laws::setup::Setup;
use crate::laws::transcript::write;
use crate::strategies::role;

/// How long a peer with something overdue is listened to once more.
const LAST_CALL: u64 = 10;

#[derive(Debug, Clone)]
enum Step {
    /// Time passes, and nobody looks at the clock.
    Pass(u64),
    /// The same with a message before it, and whatever comes next.
    ReceiveAndPass(u64),
    /// The connection is told what time it is.
    Tick,
    /// Time passes until the connection wants to be told, and it is.
    Wait,
    /// The Pong for the latest Ping that the peer has heard arrives.
    Answer,
    Receive(Frame),
    /// Some bytes arrive that aren't a whole frame, then the rest of it.
    ReceiveSlowly,
    Send(usize),
    Write(usize),
    WriteAll,
    Close,
    WriteError,
    Eof,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..30_u64).prop_map(Step::Pass),
        2 => (0..90_u64).prop_map(Step::ReceiveAndPass),
        4 => Just(Step::Tick),
        10 => Just(Step::Wait),
        8 => Just(Step::Answer),
        2 => Just(Step::Receive(Frame::whole(TEXT, "hello"))),
        2 => Just(Step::Receive(Frame::whole(PING, "hello"))),
        2 => Just(Step::Receive(Frame::whole(PONG, "hello"))),
        2 => Just(Step::ReceiveSlowly),
        3 => (0..5000_usize).prop_map(Step::Send),
        4 => (0..300_usize).prop_map(Step::Write),
        10 => Just(Step::WriteAll),
    ]
}

/// How it may end, except by the clock.
fn last_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Receive(Frame::whole(CLOSE, vec![]))),
        // A reserved opcode.
        Just(Step::Receive(Frame::whole(3, vec![]))),
        Just(Step::Close),
        Just(Step::WriteError),
        Just(Step::Eof),
    ]
}

#[derive(Debug, Clone, Copy)]
struct Settings {
    keepalive: Option<(u64, u64)>,
    idle: Option<u64>,
    close: Option<u64>,
}

fn settings() -> impl Strategy<Value = Settings> {
    let time = || prop_oneof![1 => 0..3_u64, 8 => 1..60_u64];
    (option::weighted(0.9, (time(), time())), option::of(20..200_u64), option::of(time()))
        .prop_map(|(keepalive, idle, close)| Settings { keepalive, idle, close })
}

impl Settings {
    fn timers(self) -> Timers {
        let ms = Duration::from_millis;
        Timers::default()
            .keepalive(self.keepalive.map(|(each, within)| Keepalive::new(ms(each), ms(within))))
            .idle(self.idle.map(ms))
            .close(self.close.map(ms))
    }
}

/// What is remembered of what happened, and when.
#[derive(Debug, Default)]
struct Memory {
    /// When bytes last arrived.
    heard: u64,
    /// What the next Ping's interval is counted from: the first tick, or the latest answer.
    answered: Option<u64>,
    /// The first tick after the latest message.
    message: Option<u64>,
    /// What is overdue, and until when the peer is listened to once more.
    last_call: Option<(Due, u64)>,
    /// The first tick of a connection that closes.
    closing: Option<u64>,
    ping: Option<PingUnderWay>,
}

/// A Ping that was queued and not answered.
#[derive(Debug)]
struct PingUnderWay {
    /// Its payload, once it is written.
    payload: Option<Vec<u8>>,
    has_left: bool,
    /// Whether anything was written since the last tick.
    was_written: bool,
    /// The tick at which it left; until then, the latest tick that found something newly written.
    since: u64,
}

struct Model {
    settings: Settings,
    now: u64,
    memory: Memory,
}

impl Model {
    /// What there is to do, and when.
    fn plans(&self, state: ConnectionState) -> Vec<(Due, u64)> {
        let Memory { heard, answered, message, closing, ping, .. } = &self.memory;
        let plans = match state {
            ConnectionState::Open => [
                message.zip(self.settings.idle).map(|(since, idle)| (Due::Idle, since + idle)),
                self.settings.keepalive.and_then(|(each, within)| match ping {
                    None => Some((Due::Ping, (*answered)? + each)),
                    Some(ping) => Some((Due::Lost, ping.since.max(*heard) + within)),
                }),
            ],
            ConnectionState::Closing => [
                closing.zip(self.settings.close).map(|(since, close)| (Due::End, since + close)),
                None,
            ],
            ConnectionState::Closed => [None, None],
        };
        plans.into_iter().flatten().collect()
    }

    /// What is to be done now.
    fn due(&mut self, state: ConnectionState) -> Option<Due> {
        let due = self.first_due(state);
        match due {
            Some(overdue @ (Due::Lost | Due::Idle | Due::End)) => {
                let until = match self.memory.last_call {
                    Some((before, until)) if before == overdue || self.is_due(before, state) => {
                        until
                    }
                    _ => self.now + LAST_CALL,
                };
                self.memory.last_call = Some((overdue, until));
                due.filter(|_| until <= self.now)
            }
            Some(Due::Ping) | None => {
                self.memory.last_call = None;
                due
            }
        }
    }

    fn is_due(&self, what: Due, state: ConnectionState) -> bool {
        self.plans(state).into_iter().any(|(due, time)| due == what && time <= self.now)
    }

    fn first_due(&self, state: ConnectionState) -> Option<Due> {
        let due = self.plans(state).into_iter().filter(|(_, time)| *time <= self.now);
        due.map(|(due, _)| due).min()
    }

    /// Bytes have arrived.
    fn hear(&mut self, state: ConnectionState) {
        self.memory.heard = self.now;
        // Then nothing is overdue any more, except missing messages or the end.
        if matches!(self.first_due(state), Some(Due::Ping) | None) {
            self.memory.last_call = None;
        }
    }

    /// When the connection is to be told the time.
    fn next(&self, state: ConnectionState) -> Option<u64> {
        let next = self.plans(state).into_iter().map(|(_, time)| time).min();
        next.map(|next| self.memory.last_call.map_or(next, |(_, until)| until))
    }
}

/// Of those due together, the first is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Lost,
    Idle,
    Ping,
    End,
}

struct Run {
    start: Instant,
    role: Role,
    connection: Connection,
    written: Reader,
    /// How many of the written frames were looked at.
    seen: usize,
    model: Model,
}

impl Run {
    fn new(role: Role, settings: Settings) -> Self {
        let setup = Setup::new(role);
        Self {
            start: Instant::now(),
            role,
            connection: setup.connection().with_timers(settings.timers()),
            written: Reader::of_output(setup),
            seen: 0,
            model: Model { settings, now: 0, memory: Memory::default() },
        }
    }

    fn instant(&self, time: u64) -> Instant {
        self.start + Duration::from_millis(time)
    }

    fn perform(&mut self, step: &Step) {
        match step {
            Step::Pass(time) => self.model.now += time,
            Step::ReceiveAndPass(time) => {
                self.perform(&Step::Receive(Frame::whole(TEXT, "hello")));
                self.model.now += time;
            }
            Step::Tick => self.tick(),
            Step::Wait => {
                if let Some(next) = self.connection.poll_timeout() {
                    let next = next.duration_since(self.start).as_millis();
                    self.model.now = self.model.now.max(u64::try_from(next).unwrap());
                    self.tick();
                }
            }
            Step::Answer => {
                let ping = self.model.memory.ping.as_ref();
                if let Some(payload) = ping.and_then(|ping| ping.payload.clone()) {
                    self.receive(&Frame::whole(PONG, payload).encode(self.role.peer()));
                    if self.connection.state() == ConnectionState::Open {
                        self.model.memory.ping = None;
                        self.model.memory.answered = Some(self.model.now);
                    }
                }
            }
            Step::Receive(frame) => {
                self.receive(&frame.encode(self.role.peer()));
                if frame.opcode == TEXT {
                    self.model.memory.message = None;
                }
            }
            Step::ReceiveSlowly => {
                let bytes = Frame::whole(PONG, "slow").encode(self.role.peer());
                for byte in bytes {
                    self.receive(&[byte]);
                    self.model.now += 1;
                }
            }
            Step::Send(size) => {
                if self.connection.send(vec![7; *size]).is_ok() {
                    self.model.memory.message = None;
                }
            }
            Step::Write(count) => self.write(*count),
            Step::WriteAll => self.write(usize::MAX),
            Step::Close => self.connection.close(Some(CloseCode::NORMAL.into())),
            Step::WriteError => self.connection.receive_write_error(),
            Step::Eof => self.connection.receive_eof(),
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        self.connection.handle_read(self.instant(self.model.now));
        self.model.hear(self.connection.state());
        while let Ok(Some(_)) = self.connection.next_event(&mut input) {}
    }

    fn write(&mut self, count: usize) {
        let bytes = write(&mut self.connection, count);
        if let Some(ping) = &mut self.model.memory.ping {
            ping.was_written |= !bytes.is_empty();
        }
        self.written.read(&bytes).unwrap();
        for frame in &self.written.frames[self.seen..] {
            if frame.opcode == PING {
                let ping = self.model.memory.ping.as_mut().expect("a Ping that is due");
                assert_eq!(ping.payload, None, "one at a time");
                ping.payload = Some(frame.payload.clone());
            }
        }
        self.seen = self.written.frames.len();
    }

    /// Tells the time, and compares what happens with the model.
    fn tick(&mut self) {
        let (now, state) = (self.model.now, self.connection.state());
        let memory = &mut self.model.memory;
        memory.message.get_or_insert(now);
        memory.answered.get_or_insert(now);
        if let Some(ping) = &mut memory.ping {
            let leaves = ping.payload.is_some() && !ping.has_left;
            if leaves || !ping.has_left && ping.was_written {
                ping.since = now;
            }
            ping.has_left |= leaves;
            ping.was_written = false;
        }
        if state == ConnectionState::Closing && memory.closing.is_none() {
            memory.closing = Some(now);
            memory.last_call = None;
        }
        let waiting = self.connection.outgoing().remaining();
        let due = self.model.due(state);

        let outcome = self.connection.handle_timeout(self.instant(now));
        let more = self.connection.outgoing().remaining() - waiting;
        match due {
            None => assert_eq!((outcome, more), (Ok(()), 0)),
            Some(Due::Ping) => {
                assert_eq!(outcome, Ok(()));
                assert!((6..=10).contains(&more), "a Ping of four bytes, not {more}");
                let ping =
                    PingUnderWay { payload: None, has_left: false, was_written: false, since: now };
                self.model.memory.ping = Some(ping);
                assert_eq!(self.model.due(state), None, "the peer is listened to once more");
            }
            Some(Due::Lost) => assert_eq!((outcome, more), (Err(TimeoutError::Pong), 0)),
            Some(Due::Idle) => {
                assert_eq!(outcome, Err(TimeoutError::Idle));
                assert!((4..=8).contains(&more), "a Close frame, not {more} bytes");
                self.model.memory.closing = Some(now);
                let is_over = self.model.settings.close == Some(0);
                self.model.memory.last_call = is_over.then_some((Due::End, now + LAST_CALL));
            }
            Some(Due::End) => {
                let status = self.connection.close_status().unwrap();
                let peer_has_closed = status.remote != CloseSignal::Missing;
                let is_over = (peer_has_closed || self.has_failed()) && waiting == 0;
                let expected = if is_over { Ok(()) } else { Err(TimeoutError::Close) };
                assert_eq!((outcome, more), (expected, 0));
            }
        }
        let state = match due {
            Some(Due::Lost | Due::End) => ConnectionState::Closed,
            Some(Due::Idle) => ConnectionState::Closing,
            Some(Due::Ping) | None => state,
        };
        assert_eq!(self.connection.state(), state);
    }

    /// Whether the peer has broken the protocol.
    fn has_failed(&mut self) -> bool {
        self.connection.next_event(&mut &mut [][..]).is_err()
    }

    /// What the connection waits for, once everything due now is done.
    fn check(&mut self) {
        let next = self.model.next(self.connection.state());
        assert_eq!(self.connection.poll_timeout(), next.map(|time| self.instant(time)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_timers_do_what_the_model_says(
        role in role(), settings in settings(),
        steps in vec(step(), 0..80), last in last_step(), behind in vec(step(), 0..20),
    ) {
        let mut run = Run::new(role, settings);
        for step in steps.iter().chain([&last]).chain(&behind) {
            run.perform(step);
            // What follows may come too late, or be in time though nobody has looked.
            if let Step::Pass(_) | Step::ReceiveAndPass(_) = step {
                continue;
            }
            run.tick();
            run.check();
            let now = run.instant(run.model.now);
            prop_assert!(run.connection.poll_timeout().is_none_or(|next| next > now), "it spins");
        }
    }
}
