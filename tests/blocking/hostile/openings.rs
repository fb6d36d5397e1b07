//! Peers that fail in the opening handshake.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sansocket::blocking::{AcceptError, Client, ConnectError, Server, ShutdownHandle, Timeouts};
use sansocket::handshake::ResponseError;

use super::{AMPLE, patient, reset, run_loop, unhurried};
use crate::bounded::bounded;
use crate::loopback::{client, listen};
use crate::raw_peer::{REQUEST, RawPeer, response_to};

/// A server's loop, and what became of the opening handshakes.
struct Openings {
    address: SocketAddr,
    outcomes: Receiver<Option<AcceptError>>,
    shutdown: ShutdownHandle,
    thread: JoinHandle<usize>,
}

impl Openings {
    fn start(timeouts: Timeouts) -> Self {
        let (listener, address) = listen();
        let (sender, outcomes) = channel();
        let server = Server::new().timeouts(timeouts);
        let (shutdown, thread) = run_loop(server, listener, move |pending| {
            sender.send(pending.accept().map(drop).err()).unwrap();
        });
        Self { address, outcomes, shutdown, thread }
    }

    fn next(&self) -> Option<AcceptError> {
        self.outcomes.recv().unwrap()
    }

    fn end(self) {
        while self.shutdown.connections() > 0 {
            thread::sleep(Duration::from_millis(1));
        }
        self.shutdown.shut_down();
        assert_eq!(self.thread.join().unwrap(), 0);
    }
}

/// What becomes of a client whose server is this peer.
fn connecting(timeouts: Timeouts, server: impl FnOnce(RawPeer)) -> Result<(), ConnectError> {
    let (listener, address) = listen();
    let connecting = thread::spawn(move || client(address).timeouts(timeouts).connect().map(drop));
    server(unhurried(RawPeer::accept(&listener)));
    connecting.join().unwrap()
}

#[test]
fn a_client_that_resets_at_any_byte_of_its_request_is_an_error_of_the_transport() {
    bounded(|| {
        let openings = Openings::start(patient());
        for cut in 0..REQUEST.len() {
            let mut peer = unhurried(RawPeer::connect(openings.address));
            peer.send(&REQUEST[..cut]);
            reset(peer);
            assert_matches!(openings.next(), Some(AcceptError::Io(_)), "{cut}");
        }
        openings.end();
    });
}

#[test]
fn a_client_that_ends_at_any_byte_of_its_request_is_told_from_that() {
    bounded(|| {
        let openings = Openings::start(patient());
        for cut in 0..REQUEST.len() {
            let mut peer = unhurried(RawPeer::connect(openings.address));
            peer.send(&REQUEST[..cut]);
            peer.shutdown_write();
            assert_matches!(openings.next(), Some(AcceptError::Truncated), "{cut}");
            peer.expect_eof();
        }
        openings.end();
    });
}

#[test]
fn a_server_that_resets_at_any_byte_of_its_response_is_an_error_of_the_transport() {
    bounded(|| {
        for cut in (0..100).step_by(7) {
            let outcome = connecting(patient(), |mut peer| {
                let response = response_to(&peer.receive_head());
                peer.send(&response[..cut]);
                reset(peer);
            });
            assert_matches!(outcome, Err(ConnectError::Io(_)), "{cut}");
        }
    });
}

#[test]
fn a_server_that_resets_before_it_has_read_anything_is_an_error_of_the_transport() {
    bounded(|| {
        // The reset may come before the system has told the client that it is connected.
        assert_matches!(
            connecting(patient(), reset),
            Err(ConnectError::Io(_) | ConnectError::Connect { .. })
        );
    });
}

#[test]
fn a_server_that_ends_within_its_response_is_told_from_that() {
    bounded(|| {
        for cut in (0..100).step_by(7) {
            let outcome = connecting(patient(), |mut peer| {
                let response = response_to(&peer.receive_head());
                peer.send(&response[..cut]);
            });
            assert_matches!(
                outcome,
                Err(ConnectError::Response(ResponseError::Truncated)),
                "{cut}"
            );
        }
    });
}

#[test]
fn clients_that_drip_their_requests_are_given_up_and_keep_nobody_else_waiting() {
    bounded(|| {
        let openings = Openings::start(patient().handshake(AMPLE));
        let address = openings.address;
        let dripping: Vec<_> = (0..20)
            .map(|_| {
                let mut peer = unhurried(RawPeer::connect(address));
                thread::spawn(move || {
                    peer.send_slowly(REQUEST.bytes(), AMPLE / 50);
                })
            })
            .collect();
        let mut timed_out = 0;
        let mut accepted = 0;
        client(address).connect().unwrap();
        for _ in 0..21 {
            match openings.next() {
                Some(AcceptError::TimedOut) => timed_out += 1,
                None => accepted += 1,
                Some(other) => panic!("{other:?}"),
            }
        }
        assert_eq!((timed_out, accepted), (20, 1));
        for thread in dripping {
            thread.join().unwrap();
        }
        openings.end();
    });
}

#[test]
fn a_server_that_drips_its_response_is_given_up() {
    bounded(|| {
        let outcome = connecting(patient().handshake(AMPLE), |mut peer| {
            let response = response_to(&peer.receive_head());
            peer.send_slowly(response.into_bytes(), AMPLE / 50);
        });
        assert_matches!(outcome, Err(ConnectError::TimedOut));
    });
}

#[test]
fn a_server_that_stops_before_its_response_is_given_up() {
    bounded(|| {
        let outcome = connecting(patient().handshake(AMPLE), |mut peer| {
            peer.receive_head();
            peer.expect_eof();
        });
        assert_matches!(outcome, Err(ConnectError::TimedOut));
    });
}

/// What the peer does after this many bytes of what it has to say.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// Says the rest a moment later, so that it comes separately.
    Pause,
    Reset,
    End,
}

/// What becomes of a client that goes through a proxy and a redirection, with a peer that is all of them.
fn through_a_proxy_and_a_redirection(cut: Cut, at: usize) -> Result<(), ConnectError> {
    let (listener, address) = listen();
    let connecting = thread::spawn(move || {
        let proxy = format!("http://{address}").parse().unwrap();
        let client = Client::new("ws://first.invalid/").unwrap().timeouts(patient());
        client.proxy(proxy).redirects(1).connect().map(drop)
    });
    let peer = thread::spawn(move || {
        let mut said = 0;
        for redirected in [false, true] {
            let mut peer = unhurried(RawPeer::accept(&listener));
            for tunnelled in [false, true] {
                let Some(request) = peer.receive_head_or_end() else { return };
                let answer = match (tunnelled, redirected) {
                    (false, _) => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
                    (true, false) => REDIRECTION.to_owned(),
                    (true, true) => response_to(&request),
                };
                let here = at.checked_sub(said).filter(|here| *here < answer.len());
                said += answer.len();
                let Some(here) = here else {
                    peer.send(answer);
                    continue;
                };
                peer.send(&answer[..here]);
                match cut {
                    Cut::Pause => {
                        thread::sleep(Duration::from_millis(1));
                        peer.send(&answer[here..]);
                    }
                    Cut::Reset => return reset(peer),
                    Cut::End => return,
                }
            }
        }
    });
    let outcome = connecting.join().unwrap();
    // A client that has failed may not come a second time.
    if outcome.is_ok() {
        peer.join().unwrap();
    }
    outcome
}

const REDIRECTION: &str =
    "HTTP/1.1 302 Found\r\nLocation: ws://second.invalid/\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_proxy_and_a_redirection_that_fail_at_any_byte_are_errors_of_the_opening() {
    bounded(|| {
        // Two tunnels, a redirection, and a response of more than a hundred bytes.
        let bytes = 2 * 19 + REDIRECTION.len() + 100;
        for at in (0..bytes).step_by(3) {
            assert_matches!(through_a_proxy_and_a_redirection(Cut::Pause, at), Ok(()), "{at}");
            for cut in [Cut::Reset, Cut::End] {
                assert_matches!(
                    through_a_proxy_and_a_redirection(cut, at),
                    Err(ConnectError::Io(_)
                        | ConnectError::ProxyConnect { .. }
                        | ConnectError::ProxyResponse(_)
                        | ConnectError::Response(ResponseError::Truncated)),
                    "{cut:?} at {at}"
                );
            }
        }
    });
}
