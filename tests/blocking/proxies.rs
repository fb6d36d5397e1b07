//! Connections through an HTTP proxy.

use std::env;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::Duration;

use sansocket::CloseCode;
use sansocket::blocking::{Client, ConnectError, Server, Timeouts};
use sansocket::handshake::{Decision, HeadError, Proxy, ProxyResponseError};

use crate::bounded::bounded;
use crate::loopback::{Socket, echo, listen, serving};
use crate::proxy_peer::relaying;
use crate::raw_peer::{RawPeer, response_to};

/// A deadline that is meant to pass.
const SHORT: Duration = Duration::from_millis(150);

/// Where only a proxy gets to.
const URL: &str = "ws://server.invalid:9001/chat";

fn proxy(address: SocketAddr) -> Proxy {
    format!("http://{address}").parse().unwrap()
}

fn client(proxy: Proxy) -> Client {
    Client::new(URL).unwrap().proxy(proxy)
}

/// How `connect` ends with a proxy that does this once asked.
fn outcome_of(
    configure: impl FnOnce(Client) -> Client,
    answer: impl FnOnce(RawPeer),
) -> Result<Socket, ConnectError> {
    let (listener, address) = listen();
    let client = configure(client(proxy(address)));
    let connecting = thread::spawn(move || client.connect());
    let mut peer = RawPeer::accept(&listener);
    peer.receive_head();
    answer(peer);
    connecting.join().unwrap()
}

/// How `connect` ends when this is all that the proxy says.
fn error_of(answer: &str) -> ConnectError {
    outcome_of(|client| client, |mut peer| peer.send(answer)).expect_err("no tunnel")
}

#[test]
fn a_connection_through_a_proxy_is_one_with_the_server() {
    bounded(|| {
        let (address, server) = serving(
            Server::new().on_request(|request, _| {
                assert_eq!(request.headers()["host"], "server.invalid:9001");
                assert_eq!(request.uri(), "/chat");
                Decision::accept()
            }),
            |socket| echo(socket).unwrap(),
        );
        let (address, relay) = relaying(address, 1);
        let mut socket = client(proxy(address)).connect().unwrap();
        for size in [0, 1, 70_000, 1 << 20] {
            socket.send(vec![7; size]).unwrap();
            assert_eq!(socket.read().unwrap(), Some(vec![7; size].into()));
        }
        assert!(socket.close(CloseCode::NORMAL, "").unwrap().is_clean());
        server.join().unwrap();
        drop(socket);
        let expected = "CONNECT server.invalid:9001 HTTP/1.1\r\nHost: server.invalid:9001\r\n\r\n";
        assert_eq!(relay.join().unwrap(), [expected]);
    });
}

#[test]
fn the_proxy_gets_its_credentials_and_the_server_its_own() {
    bounded(|| {
        let (listener, address) = listen();
        let proxy = proxy(address).credentials("Aladdin", "open sesame").unwrap();
        let client = client(proxy).header("Authorization", "Bearer abc").unwrap();
        let connecting = thread::spawn(move || client.connect());
        let mut peer = RawPeer::accept(&listener);
        let asked = peer.receive_head();
        assert!(asked.contains("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
        assert!(!asked.contains("Bearer"));
        peer.send("HTTP/1.1 200 OK\r\n\r\n");
        let request = peer.receive_head();
        assert!(request.contains("\r\nauthorization: Bearer abc\r\n"));
        assert!(!request.to_ascii_lowercase().contains("proxy-"));
        peer.send(response_to(&request));
        connecting.join().unwrap().unwrap();
    });
}

#[test]
fn a_refusal_is_handed_out_with_headers_and_body() {
    bounded(|| {
        let answer = "HTTP/1.1 407 Proxy Authentication Required\r\n\
            Proxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 3\r\n\r\nwho";
        // Whether or not the proxy ends the connection after it.
        for and_then in [drop, |mut peer: RawPeer| drop(peer.receive_all())] {
            let outcome = outcome_of(
                |client| client,
                |mut peer| {
                    peer.send(answer);
                    and_then(peer);
                },
            );
            let error = outcome.unwrap_err();
            assert_eq!(
                error.to_string(),
                "the proxy answered with the status 407 Proxy Authentication Required"
            );
            let ConnectError::ProxyRefused(response) = error else { panic!("{error:?}") };
            assert_eq!(response.status(), 407);
            assert_eq!(response.headers()["proxy-authenticate"], "Basic realm=\"proxy\"");
            assert_eq!(response.body(), b"who");
        }
    });
}

#[test]
fn a_refusal_without_an_end_is_handed_out_at_the_deadline() {
    bounded(|| {
        let timeouts = Timeouts::default().connect(SHORT);
        let outcome = outcome_of(
            |client| client.timeouts(timeouts),
            |mut peer| {
                peer.send("HTTP/1.1 502 Bad Gateway\r\n\r\nlater");
                peer.receive_all();
            },
        );
        assert_matches!(outcome, Err(ConnectError::ProxyRefused(response))
            if response.status() == 502 && response.body() == b"later");
    });
}

#[test]
fn a_proxy_that_redirects_is_not_followed() {
    bounded(|| {
        let outcome = outcome_of(
            |client| client.redirects(5),
            |mut peer| peer.send("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        );
        assert_matches!(outcome, Err(ConnectError::ProxyRefused(response))
            if response.status() == 302);
    });
}

#[test]
fn an_answer_that_is_none_is_an_error_of_its_own() {
    bounded(|| {
        for (answer, error) in [
            ("", ProxyResponseError::Truncated),
            ("HTTP/1.1 200 OK\r\n", ProxyResponseError::Truncated),
            ("\x05\0", HeadError::StartLine.into()),
            ("220 mail.example.com ESMTP\r\n\r\n", HeadError::StartLine.into()),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", ProxyResponseError::Switched),
        ] {
            assert_matches!(error_of(answer), ConnectError::ProxyResponse(found) if found == error);
        }
        let endless = format!("HTTP/1.1 200 {}", "x".repeat(16 * 1024));
        assert_matches!(
            error_of(&endless),
            ConnectError::ProxyResponse(ProxyResponseError::Head(HeadError::TooLarge { .. }))
        );
    });
}

#[test]
fn a_proxy_that_says_nothing_is_waited_for_until_the_deadline() {
    bounded(|| {
        let timeouts = Timeouts::default().connect(SHORT);
        let outcome =
            outcome_of(|client| client.timeouts(timeouts), |mut peer| drop(peer.receive_all()));
        assert_matches!(outcome.err(), Some(ConnectError::ProxyTimedOut));
    });
}

#[test]
fn a_proxy_that_drips_its_answer_does_not_stretch_the_deadline() {
    bounded(|| {
        let timeouts = Timeouts::default().connect(SHORT);
        let outcome = outcome_of(
            |client| client.timeouts(timeouts),
            |mut peer| {
                let line = b"HTTP/1.1 100 Continue\r\n\r\n".iter().copied().cycle();
                peer.send_slowly(line, Duration::from_millis(5));
            },
        );
        assert_matches!(outcome.err(), Some(ConnectError::ProxyTimedOut));
    });
}

#[test]
fn a_server_that_is_silent_in_the_tunnel_is_given_the_time_of_the_handshake() {
    bounded(|| {
        let timeouts = Timeouts::default().handshake(SHORT);
        let outcome = outcome_of(
            |client| client.timeouts(timeouts),
            |mut peer| {
                peer.send("HTTP/1.1 200 OK\r\n\r\n");
                peer.receive_all();
            },
        );
        assert_matches!(outcome.err(), Some(ConnectError::TimedOut));
    });
}

#[test]
fn what_arrived_with_the_answer_of_the_proxy_is_the_servers() {
    bounded(|| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        let refusal = "HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy";
        let both = format!("{head}{refusal}");
        for cut in [head.len() - 1, head.len(), head.len() + 1, both.len() - 1, both.len()] {
            let (first, second) = both.split_at(cut);
            let outcome = outcome_of(
                |client| client,
                |mut peer| {
                    peer.send(first);
                    thread::sleep(Duration::from_millis(10));
                    peer.send(second);
                    peer.receive_head();
                },
            );
            assert_matches!(outcome, Err(ConnectError::Rejected(response))
                if response.status() == 503 && response.body() == b"busy");
        }
    });
}

#[test]
fn a_proxy_that_can_not_be_reached_is_named_without_its_password() {
    bounded(|| {
        // The port of tcpmux, which is never handed out as free.
        let proxy: Proxy = "http://user:secret@127.0.0.1:1".parse().unwrap();
        let error = client(proxy).connect().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
        assert_matches!(error, ConnectError::ProxyConnect { proxy, source }
            if proxy == "http://127.0.0.1:1" && source.kind() == ErrorKind::ConnectionRefused);

        // No label of more than 63 bytes fits into a query to a name server.
        let proxy = format!("{}.invalid", "a".repeat(64)).parse().unwrap();
        assert_matches!(client(proxy).connect(), Err(ConnectError::ProxyConnect { .. }));
    });
}

#[test]
fn a_proxy_that_resets_the_connection_is_an_error_of_its_own() {
    bounded(|| {
        // Closing with bytes that nobody has read resets the connection.
        let (listener, address) = listen();
        let connecting = thread::spawn(move || client(proxy(address)).connect());
        let (stream, _) = listener.accept().unwrap();
        while stream.peek(&mut [0]).unwrap() == 0 {}
        drop(stream);
        assert_matches!(connecting.join().unwrap(), Err(ConnectError::ProxyConnect { source, .. })
            if source.kind() == ErrorKind::ConnectionReset);
    });
}

#[test]
fn each_redirection_is_a_tunnel_of_its_own() {
    bounded(|| {
        let (listener, address) = listen();
        let serving = thread::spawn(move || {
            let mut peer = RawPeer::accept(&listener);
            assert!(peer.receive_head().contains("\r\nHost: server.invalid:9001\r\n"));
            peer.send("HTTP/1.1 307 X\r\nLocation: ws://other.invalid/there\r\n\r\n");
            peer.receive_all();
            let mut peer = RawPeer::accept(&listener);
            let head = peer.receive_head();
            assert!(head.starts_with("GET /there HTTP/1.1\r\nHost: other.invalid\r\n"));
            peer.send(response_to(&head));
            peer.receive_all();
        });
        let (address, relay) = relaying(address, 2);
        let socket = client(proxy(address)).redirects(1).connect().unwrap();
        drop(socket);
        serving.join().unwrap();
        let heads = relay.join().unwrap();
        let targets: Vec<_> = heads.iter().filter_map(|head| head.lines().next()).collect();
        assert_eq!(
            targets,
            ["CONNECT server.invalid:9001 HTTP/1.1", "CONNECT other.invalid:80 HTTP/1.1"]
        );
    });
}

/// What [`the_environment_of_this_process`] is told to connect to.
const TARGET: &str = "SANSOCKET_TEST_TARGET";

/// Runs [`the_environment_of_this_process`] in a process with these variables and no others for
/// proxies; returns how it failed, if it did.
fn connect_with(target: &str, variables: &[(&str, &str)]) -> Result<(), String> {
    let mut test = Command::new(env::current_exe().unwrap());
    test.args(["--exact", "proxies::the_environment_of_this_process", "--ignored", "--nocapture"]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method"] {
        test.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = test.envs(variables.iter().copied()).env(TARGET, target).output().unwrap();
    let [report, panic] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    let outcome = if output.status.success() { "1 passed" } else { "1 failed" };
    assert!(report.contains(outcome), "{report}{panic}");
    if output.status.success() { Ok(()) } else { Err(panic) }
}

#[test]
#[ignore = "run by another test, in a process with an environment of its own"]
fn the_environment_of_this_process() {
    bounded(|| {
        let url = env::var(TARGET).unwrap();
        let mut socket = Client::new(&url).unwrap().proxy_from_env().connect().unwrap();
        socket.send("Hello").unwrap();
        assert_eq!(socket.read().unwrap(), Some("Hello".into()));
    });
}

#[test]
fn the_environment_names_the_proxy_when_it_is_asked() {
    bounded(|| {
        let (server, serving) = serving(Server::new(), |socket| drop(echo(socket)));
        let (proxy, relay) = relaying(server, 1);
        let proxy = format!("http://user:pass@{proxy}");
        connect_with(URL, &[("http_proxy", &proxy)]).unwrap();
        serving.join().unwrap();
        let heads = relay.join().unwrap();
        assert!(heads[0].contains("\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n"), "{heads:?}");
    });
    bounded(|| {
        let (server, serving) = serving(Server::new(), |socket| drop(echo(socket)));
        let variables = [("ALL_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "127.0.0.0/8")];
        connect_with(&format!("ws://{server}/"), &variables).unwrap();
        serving.join().unwrap();
    });
    bounded(|| {
        let (_listener, server) = listen();
        let variables = [("all_proxy", "socks5://proxy")];
        let panic = connect_with(&format!("ws://{server}/"), &variables).unwrap_err();
        assert!(
            panic.contains("ProxyEnvironment") && panic.contains("SocksUnsupported"),
            "{panic}"
        );
    });
}
