//! Ten thousand connections that fail, each in one of the ways in which connections do, leave behind no
//! thread and no descriptor.
//!
//! This is a program of its own with one test: what others hold at the same time would be counted too.
//! Nothing leaves this machine, and whatever waits has a deadline.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]
#![allow(clippy::disallowed_types, reason = "the adapters are where I/O and the clock are")]

/// Asserts that a value has this shape, and shows it if it doesn't.
macro_rules! assert_matches {
    ($value:expr, $pattern:pat $(if $guard:expr)?) => {
        match $value {
            $pattern $(if $guard)? => {}
            other => panic!("{other:?} is not {}", stringify!($pattern $(if $guard)?)),
        }
    };
}

mod clients;
mod servers;

use std::fs;
use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use sansocket::blocking::Timeouts;

/// How often connections fail, altogether.
const CYCLES: usize = 10_000;

/// Far more than anything quick takes; what hangs ends then.
const PATIENCE: Duration = Duration::from_secs(100);

/// A deadline that is meant to pass.
const INSTANT: Duration = Duration::from_millis(1);

/// A way to fail, this many times.
type Way = fn(usize);

#[test]
fn ten_thousand_connections_that_fail_leave_no_thread_and_no_descriptor() {
    let ways: Vec<Way> = clients::WAYS.into_iter().chain(servers::WAYS).collect();
    // What is opened once and kept is not a leak.
    fail(&ways, 1);
    let before = Held::at_rest();
    fail(&ways, CYCLES.div_ceil(ways.len()));
    let started = Instant::now();
    // A thread that is over may still be seen for a moment.
    while Held::now() != before && started.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(Held::now(), before);
}

/// Fails in all these ways at the same time, this many times in each.
fn fail(ways: &[Way], cycles: usize) {
    thread::scope(|scope| {
        for way in ways {
            scope.spawn(move || way(cycles));
        }
    });
}

/// What this process has to give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    threads: usize,
    descriptors: usize,
}

impl Held {
    fn now() -> Self {
        let count = |folder| fs::read_dir(folder).unwrap().count();
        Self { threads: count("/proc/self/task"), descriptors: count("/proc/self/fd") }
    }

    /// What there is when only this thread and the harness's are left.
    fn at_rest() -> Self {
        let started = Instant::now();
        loop {
            let held = Self::now();
            if held.threads <= 2 || started.elapsed() > PATIENCE {
                return held;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Deadlines that never pass, unless a test sets them.
fn patient() -> Timeouts {
    Timeouts::default()
        .connect(PATIENCE)
        .handshake(PATIENCE)
        .read(Some(PATIENCE))
        .write(Some(PATIENCE))
        .close(PATIENCE)
}

/// Takes one HTTP head, and nothing after it.
fn take_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

/// Takes whatever comes, until the other end is gone.
fn drain(stream: &mut impl Read) {
    let mut room = [0; 1024];
    while matches!(stream.read(&mut room), Ok(count) if count > 0) {}
}
