//! What is measured in memory: the protocol alone, over a stream that always has more to read and takes
//! all that is written.
//!
//! Every library gets its bytes by reading them, so one copy of each is in every figure.

mod allocations;
#[path = "../../../inputs/browser_request.rs"]
mod browser_request;
mod feed;
mod own;
mod peers;

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::cells::size_name;
use crate::stats::Rounds;
use crate::wire::Kind;

pub use allocations::{JOBS as COUNTED, count as count_allocations, repeat};
use feed::Feed;

/// What is done again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Receiving a message as a server.
    Decode(Kind, usize),
    EncodeAsServer(usize),
    EncodeAsClient(usize),
    /// Receiving a Ping and a message of 8 bytes, and answering the Ping.
    Ping,
    /// Receiving a message of 16 KiB in 64 fragments.
    Fragments,
    /// Receiving the request of a browser and answering it.
    Handshake,
}

/// Does it this many times.
pub type Run = Box<dyn FnMut(usize)>;

/// A library, and how it does each job that it can do.
pub struct Library {
    pub name: &'static str,
    pub prepare: fn(Job) -> Option<Run>,
}

pub const LIBRARIES: &[Library] = &[
    Library { name: "sansocket", prepare: own::borrowed },
    Library { name: "sansocket, reads of 64 KiB", prepare: own::through_reads },
    Library { name: "sansocket, owned", prepare: own::owned },
    Library { name: "sansocket, lent", prepare: own::lent },
    Library { name: "tungstenite", prepare: peers::tungstenite },
    Library { name: "fastwebsockets", prepare: peers::fastwebsockets },
    Library { name: "tokio-websockets", prepare: peers::tokio_websockets },
    Library { name: "sockudo-ws", prepare: peers::sockudo },
    Library { name: "web-socket", prepare: peers::web_socket },
    Library { name: "yawc", prepare: peers::yawc },
    Library { name: "soketto", prepare: peers::soketto },
    Library { name: "memcpy", prepare: feed::copy },
];

/// How many messages leave with one write, where they are short.
const BATCH: usize = 32;

/// From this size on each leaves by itself.
const LONG: usize = 16 << 10;

/// Whether to write after this one.
const fn is_batch(index: usize, size: usize) -> bool {
    index.is_multiple_of(BATCH) || size >= LONG
}

pub const SIZES: [usize; 6] = [8, 125, 1 << 10, 16 << 10, 64 << 10, 1 << 20];

impl Job {
    /// The jobs, by the tables that show them.
    pub fn tables() -> Vec<(&'static str, Vec<Self>)> {
        let by_size = |job: fn(usize) -> Self| SIZES.map(job).to_vec();
        vec![
            ("decode as server, binary", by_size(|size| Self::Decode(Kind::Binary, size))),
            ("decode as server, ASCII text", by_size(|size| Self::Decode(Kind::Ascii, size))),
            ("decode as server, mixed text", by_size(|size| Self::Decode(Kind::Mixed, size))),
            ("encode as server", by_size(Self::EncodeAsServer)),
            ("encode as client", by_size(Self::EncodeAsClient)),
            ("the rest", vec![Self::Ping, Self::Fragments, Self::Handshake]),
        ]
    }

    pub fn name(self) -> String {
        match self {
            Self::Decode(_, size) | Self::EncodeAsServer(size) | Self::EncodeAsClient(size) => {
                size_name(size)
            }
            Self::Ping => "Ping and message".to_owned(),
            Self::Fragments => "64 fragments".to_owned(),
            Self::Handshake => "handshake".to_owned(),
        }
    }
}

/// The nanoseconds that each library takes for a job, in rounds in which each has its turn.
pub fn measure(job: Job, rounds: usize, turn: Duration) -> HashMap<&'static str, Rounds> {
    let mut found: Vec<_> =
        LIBRARIES.iter().map(|library| (library, 0, Rounds::default())).collect();
    for round in 0..rounds {
        // How fast a copy is depends on where in their pages its ends are: another place each time.
        let _elsewhere = black_box(vec![0_u8; 1040 * round]);
        for (library, times, found) in &mut found {
            let Some(mut run) = (library.prepare)(job) else { continue };
            if *times == 0 {
                *times = times_for(&mut run, turn);
            }
            run((*times / 16).max(1));
            let started = processor_time();
            run(*times);
            let took = processor_time().saturating_sub(started);
            found.push(took.as_nanos() as f64 / *times as f64);
        }
    }
    let found = found.into_iter().filter(|(.., found)| !found.is_empty());
    found.map(|(library, _, found)| (library.name, found)).collect()
}

/// How many times take about this long.
fn times_for(run: &mut Run, turn: Duration) -> usize {
    let mut times = 1;
    loop {
        let started = processor_time();
        run(times);
        let took = processor_time().saturating_sub(started);
        if took >= turn / 4 || times > 1 << 24 {
            let wanted = turn.as_nanos() * times as u128 / took.as_nanos().max(1);
            return usize::try_from(wanted).unwrap_or(usize::MAX).max(1);
        }
        times *= 2;
    }
}

/// Of this thread: what others do with the machine isn't counted.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
