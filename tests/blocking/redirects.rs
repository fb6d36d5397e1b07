//! Redirections over TCP: followed as far as asked for, within the deadlines of one connection.

use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sansocket::blocking::{ConnectError, Timeouts};
use sansocket::handshake::RedirectError;

use crate::bounded::bounded;
use crate::loopback::{client, listen};
use crate::raw_peer::{RawPeer, response_to};

/// From the head of a request to the answer.
type Answer = Box<dyn Fn(&str) -> String + Send>;

fn redirect(location: &str) -> Answer {
    answer(&format!("Location: {location}\r\nContent-Length: 4\r\n"))
}

/// A redirection with these fields.
fn answer(fields: &str) -> Answer {
    let answer = format!("HTTP/1.1 302 Found\r\n{fields}\r\naway");
    Box::new(move |_| answer.clone())
}

fn open() -> Answer {
    Box::new(response_to)
}

/// A thread that answers one connection after the other, and returns the heads of the requests.
/// It leaves it to the client to end them.
fn answering(listener: TcpListener, answers: Vec<Answer>) -> JoinHandle<Vec<String>> {
    thread::spawn(move || {
        let receive = |answer: Answer| {
            let mut peer = RawPeer::accept(&listener);
            let head = peer.receive_head();
            peer.send(answer(&head));
            (head, peer)
        };
        let (heads, _peers): (_, Vec<_>) = answers.into_iter().map(receive).unzip();
        heads
    })
}

fn first_line(head: &str) -> &str {
    head.lines().next().unwrap()
}

#[test]
fn by_default_a_redirection_is_a_rejection() {
    bounded(|| {
        let (listener, address) = listen();
        let serving = answering(listener, vec![redirect("/there")]);
        assert_matches!(client(address).connect(), Err(ConnectError::Rejected(response))
            if response.status() == 302 && response.headers()["location"] == "/there"
                && response.body() == b"away");
        serving.join().unwrap();
    });
}

#[test]
fn a_redirection_is_followed_to_the_server_it_names() {
    bounded(|| {
        let (listener, address) = listen();
        let (other, there) = listen();
        let serving =
            answering(listener, vec![redirect("hop?1"), redirect(&format!("//{there}/"))]);
        let leading_on = answering(other, vec![redirect("/end"), open()]);
        let client = client(address)
            .header("Authorization", "Bearer secret")
            .unwrap()
            .header("Cookie", "secret=1")
            .unwrap()
            .header("X-A", "1")
            .unwrap()
            .subprotocol("chat")
            .unwrap();
        let _socket = client.redirects(3).connect().unwrap();

        let [here, there_heads] = [serving, leading_on].map(|thread| thread.join().unwrap());
        let heads = [&here[0], &here[1], &there_heads[0], &there_heads[1]];
        let lines = heads.map(|head| first_line(head));
        let targets = ["/chat", "/hop?1", "/", "/end"];
        assert_eq!(lines, targets.map(|target| format!("GET {target} HTTP/1.1")));
        for (head, (host, is_trusted)) in heads.into_iter().zip([
            (address, true),
            (address, true),
            (there, false),
            (there, false),
        ]) {
            assert!(head.contains(&format!("\r\nHost: {host}\r\n")), "{head}");
            assert!(head.contains("\r\nx-a: 1\r\n"), "{head}");
            assert!(head.contains("\r\nSec-WebSocket-Protocol: chat\r\n"), "{head}");
            assert_eq!(head.contains("secret"), is_trusted, "{head}");
        }
        let keys = heads.map(|head| head.lines().find(|line| line.contains("-Key: ")).unwrap());
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "a key is used again");
        }
    });
}

#[test]
fn the_body_of_a_redirection_that_is_followed_is_not_waited_for() {
    bounded(|| {
        for fields in ["Location: /\r\n", "Location: /\r\nContent-Length: 1000000\r\n"] {
            let (listener, address) = listen();
            // Longer than the test may take.
            let timeouts = Timeouts::default().handshake(Duration::from_secs(3600));
            let serving = answering(listener, vec![answer(fields), open()]);
            client(address).timeouts(timeouts).redirects(1).connect().unwrap();
            serving.join().unwrap();
        }
    });
}

#[test]
fn a_redirection_too_many_is_an_error_with_the_last_one() {
    bounded(|| {
        for limit in [1, 2, 5] {
            let (listener, address) = listen();
            let answers = (0..=limit).map(|count| redirect(&format!("/{count}")));
            let serving = answering(listener, answers.collect());
            let error = client(address).redirects(limit).connect().unwrap_err();
            assert!(error.to_string().contains(&format!("more than {limit} times")), "{error}");
            assert_matches!(error, ConnectError::Redirect { error, response }
                if error == (RedirectError::TooMany { limit })
                    && response.headers()["location"] == format!("/{limit}")
                    && response.body() == b"away");
            serving.join().unwrap();
        }
    });
}

#[test]
fn a_redirection_to_nowhere_is_a_rejection() {
    bounded(|| {
        for fields in
            ["", "Location: ftp://a/\r\n", "Location: /a b\r\n", "Location: /\r\nLocation: /\r\n"]
        {
            let (listener, address) = listen();
            let serving =
                answering(listener, vec![answer(&format!("{fields}Content-Length: 4\r\n"))]);
            let outcome = client(address).redirects(5).connect();
            assert_matches!(outcome, Err(ConnectError::Rejected(response))
                if response.status() == 302 && response.body() == b"away");
            serving.join().unwrap();
        }
    });
}

#[test]
fn what_can_not_be_reached_behind_a_redirection_is_the_error_of_its_own_host() {
    bounded(|| {
        let (listener, address) = listen();
        // The port of tcpmux, which is never handed out as free.
        let serving = answering(listener, vec![redirect("http://127.0.0.1:1/")]);
        assert_matches!(client(address).redirects(1).connect(), Err(ConnectError::Connect { host, .. })
            if host == "127.0.0.1:1");
        serving.join().unwrap();
    });
}

#[test]
fn on_a_stream_that_was_given_no_redirection_is_followed() {
    bounded(|| {
        let (listener, address) = listen();
        let serving = answering(listener, vec![redirect("/"), redirect("/")]);
        let connect = || TcpStream::connect(address).unwrap();
        let client = client(address).redirects(5);
        for outcome in [client.connect_on(connect()), client.connect_over(connect())] {
            assert_matches!(outcome, Err(ConnectError::Rejected(response))
                if response.status() == 302);
        }
        serving.join().unwrap();
    });
}

#[test]
fn redirections_without_end_are_followed_no_longer_than_one_handshake_may_take() {
    bounded(|| {
        let (listener, address) = listen();
        let serving = thread::spawn(move || {
            let mut count = 0;
            // Until the client has given up, as the last connection shows.
            loop {
                let mut peer = RawPeer::accept(&listener);
                let Some(head) = peer.receive_head_or_end() else { return count };
                thread::sleep(Duration::from_millis(20));
                peer.send_slowly(redirect("/")(&head).into_bytes(), Duration::ZERO);
                count += 1;
            }
        });
        let timeouts = Timeouts::default().handshake(Duration::from_millis(150));
        let outcome = client(address).timeouts(timeouts).redirects(u32::MAX).connect();
        assert_matches!(outcome, Err(ConnectError::TimedOut));
        // Needed unless the client's last connection has already ended it.
        let _ = TcpStream::connect(address);
        assert!(serving.join().unwrap() > 0);
    });
}
