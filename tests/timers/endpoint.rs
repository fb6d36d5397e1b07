//! A connection, its peer, and a clock that moves when it is told to.

use std::time::{Duration, Instant};

use bytes::Buf;
use sansocket::{
    CloseCode, CloseFrame, Config, Connection, ConnectionState, Event, Keepalive, Role,
    TimeoutError, Timers,
};

pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// How long a peer that is overdue is listened to once more, because what it said may have been there
/// for a while.
pub(crate) const LAST_CALL: u64 = 10;

/// All times of these tests are in milliseconds.
pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) const fn keepalive(interval: u64, timeout: u64) -> Keepalive {
    Keepalive::new(ms(interval), ms(timeout))
}

/// One end of a connection, driven as its documentation asks, and the other end, which does
/// nothing by itself: what it has to say is heard when the test says so.
pub(crate) struct Endpoint {
    pub(crate) connection: Connection,
    pub(crate) peer: Connection,
    start: Instant,
    now: u64,
}

impl Endpoint {
    pub(crate) fn new(role: Role, timers: Timers) -> Self {
        Self::with_config(role, timers, Config::default())
    }

    pub(crate) fn with_config(role: Role, timers: Timers, config: Config) -> Self {
        Self {
            connection: Connection::new(role, config).with_timers(timers),
            peer: Connection::new(role.peer(), Config::default()),
            start: Instant::now(),
            now: 0,
        }
    }

    /// An end whose clock has begun to run, at 0.
    pub(crate) fn started(role: Role, timers: Timers) -> Self {
        let mut endpoint = Self::new(role, timers);
        assert_eq!(endpoint.tick(0), Ok(()));
        endpoint
    }

    /// It is this time now. What is due is not done yet.
    pub(crate) fn at(&mut self, now: u64) -> &mut Self {
        assert!(now >= self.now, "time doesn't run backwards");
        self.now = now;
        self
    }

    fn instant(&self) -> Instant {
        self.start + ms(self.now)
    }

    /// It is this time now, and the connection is told.
    pub(crate) fn tick(&mut self, now: u64) -> Result<(), TimeoutError> {
        self.at(now);
        self.connection.handle_timeout(self.instant())
    }

    /// The same with all that is outgoing written before and after; returns what the peer hears of it.
    pub(crate) fn run(&mut self, now: u64) -> Vec<Event<'static>> {
        let mut heard = self.write();
        assert_eq!(self.tick(now), Ok(()));
        heard.extend(self.write());
        assert_eq!(self.tick(now), Ok(()), "nothing is due twice at one time");
        heard
    }

    /// When the connection wants to be told the time.
    pub(crate) fn next(&self) -> Option<u64> {
        let next = self.connection.poll_timeout()?;
        let next = next.checked_duration_since(self.start).expect("no time before the start");
        Some(u64::try_from(next.as_millis()).unwrap())
    }

    /// Writes all that is outgoing; returns what the peer hears of it.
    pub(crate) fn write(&mut self) -> Vec<Event<'static>> {
        self.write_up_to(usize::MAX)
    }

    pub(crate) fn write_up_to(&mut self, most: usize) -> Vec<Event<'static>> {
        let outgoing = self.connection.outgoing();
        let mut bytes = outgoing.copy_to_bytes(outgoing.remaining().min(most)).to_vec();
        take_events(&mut self.peer, &mut bytes)
    }

    /// Hears all that the peer has to say.
    pub(crate) fn hear(&mut self) -> Vec<Event<'static>> {
        self.hear_up_to(usize::MAX)
    }

    pub(crate) fn hear_up_to(&mut self, most: usize) -> Vec<Event<'static>> {
        let outgoing = self.peer.outgoing();
        let mut bytes = outgoing.copy_to_bytes(outgoing.remaining().min(most)).to_vec();
        assert!(!bytes.is_empty(), "the peer has nothing to say");
        self.connection.handle_read(self.instant());
        take_events(&mut self.connection, &mut bytes)
    }

    /// The peer forgets what it wanted to say.
    pub(crate) fn silence(&mut self) {
        let outgoing = self.peer.outgoing();
        outgoing.advance(outgoing.remaining());
    }

    /// Hears a Ping, which asks for an answer and means nothing else.
    pub(crate) fn hear_ping(&mut self) {
        self.peer.ping(b"hello").unwrap();
        assert!(matches!(self.hear()[..], [Event::Ping(_)]));
    }

    /// Hears a message.
    pub(crate) fn hear_message(&mut self) {
        self.peer.send("hello").unwrap();
        assert!(matches!(self.hear()[..], [Event::Message(_)]));
    }

    pub(crate) fn state(&self) -> ConnectionState {
        self.connection.state()
    }

    /// How long the latest answer to a Ping took.
    pub(crate) fn round_trip_time(&self) -> Option<u64> {
        let time = self.connection.round_trip_time()?;
        Some(u64::try_from(time.as_millis()).unwrap())
    }

    /// Asserts that nothing happens up to and at this time, however often the time is told.
    #[track_caller]
    pub(crate) fn assert_nothing_until(&mut self, time: u64) {
        while self.now < time {
            assert_eq!(self.tick(self.now + 1), Ok(()), "at {}", self.now);
            assert!(!self.connection.outgoing().has_remaining(), "at {}", self.now);
        }
    }

    /// Asserts that what is due at this time ends the connection, after the peer's last call.
    #[track_caller]
    pub(crate) fn assert_ends_at(&mut self, time: u64, error: TimeoutError) {
        let outgoing = self.connection.outgoing().remaining();
        assert_eq!(self.tick(time - 1), Ok(()));
        assert_eq!(self.next(), Some(time));
        assert_eq!(self.tick(time), Ok(()));
        assert_eq!(self.next(), Some(time + LAST_CALL));
        assert_eq!(self.tick(time + LAST_CALL - 1), Ok(()));
        assert_eq!(self.connection.outgoing().remaining(), outgoing, "nothing is done by then");
        assert_eq!(self.next(), Some(time + LAST_CALL));
        assert_eq!(self.tick(time + LAST_CALL), Err(error));
    }

    /// Asserts that the connection is over, and has nothing more to do with the clock.
    #[track_caller]
    pub(crate) fn assert_over(&mut self) {
        assert_eq!(self.state(), ConnectionState::Closed);
        assert_eq!(self.next(), None);
        assert_eq!(self.tick(self.now + 1_000_000), Ok(()), "it is reported once");
        assert_eq!(self.next(), None);
    }
}

fn take_events(connection: &mut Connection, bytes: &mut [u8]) -> Vec<Event<'static>> {
    let mut input = bytes;
    let mut events = Vec::new();
    while let Some(event) = connection.next_event(&mut input).unwrap() {
        events.push(event.into_owned());
    }
    events
}

/// How many of these are Pings.
pub(crate) fn pings(events: &[Event<'_>]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Ping(_))).count()
}

/// The code of the Close frame that ends these.
pub(crate) fn close_code(events: &[Event<'_>]) -> Option<u16> {
    match events.last() {
        Some(Event::Close(frame)) => Some(frame.as_ref().map_or(1005, |frame| frame.code().get())),
        _ => None,
    }
}

pub(crate) fn close_frame(code: u16) -> CloseFrame<'static> {
    CloseCode::new(code).unwrap().into()
}
