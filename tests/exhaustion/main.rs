//! What still works when the process has no file descriptor left.
//!
//! This is a program of its own with one test: whatever else ran here would have none either. Nothing leaves
//! this machine, and whatever waits has a deadline.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]
#![allow(clippy::disallowed_types, reason = "the adapters are where I/O and the clock are")]

use std::fs::File;
use std::iter;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{env, fs, process, thread};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sansocket::blocking::{AcceptLoop, Listener, Server, ShutdownHandle};

/// Far more than anything quick takes; what hangs ends then.
const PATIENCE: Duration = Duration::from_secs(20);

/// Enough for everything below but the wake-up calls.
const DESCRIPTORS: u64 = 40;

#[test]
fn a_shutdown_ends_loops_that_wait_for_a_connection() {
    let path = env::temp_dir().join(format!("sansocket-exhaustion-{}", process::id()));
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS, most).unwrap();
    let tcp = Arc::new(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let unix = Arc::new(UnixListener::bind(&path).unwrap());
    let loops = [run(Arc::clone(&tcp)), run(Arc::clone(&unix))];
    // For both to be waiting.
    thread::sleep(Duration::from_millis(100));

    let mut all: Vec<File> = Vec::new();
    for (shutdown, ended) in loops {
        all.extend(iter::from_fn(|| File::open("/dev/null").ok()));
        shutdown.shut_down();
        assert_eq!(ended.recv_timeout(PATIENCE), Ok(0));
    }
    drop(all);
    fs::remove_file(path).unwrap();
}

/// Runs a loop in a thread of its own, which tells how many connections were left.
fn run(listener: Arc<impl Listener + Send + Sync>) -> (ShutdownHandle, Receiver<usize>) {
    let (tell, ended) = channel();
    let accept_loop = AcceptLoop::new(Server::new());
    let shutdown = accept_loop.shutdown_handle();
    thread::spawn(move || tell.send(accept_loop.run(&*listener, drop).unwrap()));
    (shutdown, ended)
}
