//! The opening handshake over TCP (RFC 6455, section 4): what it comes to, and by when.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use http::{Response, StatusCode};
use sansocket::blocking::{
    AcceptError, ClientStream, ConnectError, Server, Timeouts, accept, connect,
};
use sansocket::frame::Opcode;
use sansocket::handshake::{
    Acceptance, Decision, DecisionError, HeadError, RequestError, ResponseError, UriError,
};

use crate::bounded::bounded;
use crate::loopback::{Socket, accepting, client, echo, listen, serving};
use crate::raw_peer::{ACCEPT, REQUEST, RawPeer, from_client, from_server, response_to};

/// A deadline that is meant to pass.
const SHORT: Duration = Duration::from_millis(150);

/// Between two bytes of a peer that drips them: so many fit into the deadline that one that started
/// anew with each byte would never pass.
const DRIP: Duration = Duration::from_millis(5);

fn in_a_hurry() -> Timeouts {
    Timeouts::default().handshake(SHORT)
}

/// All that this server answers to these bytes, and how its `accept` ends.
fn answer_of(server: Server, request: &str) -> (String, AcceptError) {
    let (address, server) = accepting(server, Result::err);
    let mut peer = RawPeer::connect(address);
    peer.send(request);
    let answer = peer.receive_all();
    drop(peer);
    (String::from_utf8(answer).unwrap(), server.join().unwrap().expect("an error"))
}

/// How `connect` ends when this is the server's response, and then TCP ends.
fn outcome_of(response: impl FnOnce(&str) -> String) -> Result<Socket, ConnectError> {
    let (listener, address) = listen();
    let connecting = thread::spawn(move || client(address).connect());
    let mut peer = RawPeer::accept(&listener);
    let request = peer.receive_head();
    peer.send(response(&request));
    peer.shutdown_write();
    connecting.join().unwrap()
}

#[test]
fn the_functions_without_options_open_a_connection() {
    bounded(|| {
        let (listener, address) = listen();
        let serving = thread::spawn(move || {
            echo(accept(ClientStream::from(listener.accept().unwrap().0)).unwrap())
        });
        let mut socket = connect(&format!("ws://{address}/")).unwrap();
        assert_eq!(socket.subprotocol(), None);
        socket.send("Hello").unwrap();
        assert_eq!(socket.read().unwrap(), Some("Hello".into()));
        drop(socket);
        assert!(serving.join().unwrap().is_err());
    });
}

#[test]
fn a_socket_that_does_not_wait_is_made_to() {
    bounded(|| {
        let (listener, address) = listen();
        let serving = thread::spawn(move || {
            // As it would be on systems where it inherits that from its listener.
            let stream = listener.accept().unwrap().0;
            stream.set_nonblocking(true).unwrap();
            accept(stream).unwrap().read().unwrap()
        });
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut socket = client(address).connect_on(stream).unwrap();
        // By now, a read that doesn't wait has failed.
        thread::sleep(SHORT);
        socket.send("Hello").unwrap();
        assert_eq!(serving.join().unwrap(), Some("Hello".into()));
    });
}

#[test]
fn a_valid_request_is_answered_with_the_value_of_its_key() {
    bounded(|| {
        let (address, server) = serving(Server::new(), drop);
        let mut peer = RawPeer::connect(address);
        peer.send(REQUEST);
        let head = peer.receive_head();
        assert!(
            head.contains(&format!("\r\nsec-websocket-accept: {ACCEPT}\r\n"))
                || head.contains(&format!("\r\nSec-WebSocket-Accept: {ACCEPT}\r\n"))
        );
        server.join().unwrap();
    });
}

#[test]
fn a_request_is_refused_with_its_status_and_the_end_of_tcp() {
    bounded(|| {
        let long = format!("X: {}\r\n\r\n", "x".repeat(20_000));
        let target = format!("/{}", "x".repeat(20_000));
        for (from, to, status, error) in [
            ("GET", "POST", 405, RequestError::Method),
            ("HTTP/1.1", "HTTP/1.0", 505, RequestError::Version),
            ("Host: example.com\r\n", "", 400, RequestError::MissingHost),
            ("Version: 13", "Version: 12", 426, RequestError::WebSocketVersion),
            ("Upgrade: websocket", "Upgrade: h2c", 426, RequestError::Upgrade),
            ("Key: dGhl", "Key: dGh", 400, RequestError::InvalidKey),
            ("Host:", "Host :", 400, HeadError::HeaderName.into()),
            ("\r\n\r\n", &long, 431, HeadError::TooLarge { limit: 16 * 1024 }.into()),
            ("/chat", &target, 414, RequestError::TargetTooLong),
        ] {
            let request = REQUEST.replacen(from, to, 1);
            let (answer, refused) = answer_of(Server::new(), &request);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            let answer = answer.to_ascii_lowercase();
            assert!(answer.contains("\r\nconnection: ") && answer.contains("close\r\n"));
            assert!(answer.contains("\r\ncontent-length: "), "{answer}");
            assert_matches!(refused, AcceptError::Refused { status: given, error: Some(found) }
                if given == status && found == error);
        }
    });
}

#[test]
fn a_refusal_says_with_which_status_and_what_was_wrong() {
    bounded(|| {
        let (_, refused) = answer_of(Server::new(), &REQUEST.replacen("GET", "POST", 1));
        let words = refused.to_string();
        assert!(words.ends_with(&format!(" 405 Method Not Allowed: {}", RequestError::Method)));
        let declining =
            Server::new().on_request(|_, _| Decision::Respond(Response::new("welcome".into())));
        let (_, refused) = answer_of(declining, REQUEST);
        assert!(refused.to_string().ends_with(" 200 OK"), "{refused}");
    });
}

#[test]
fn a_page_that_would_open_a_tunnel_is_refused_with_what_is_wrong() {
    bounded(|| {
        let server =
            Server::new().on_request(|_, _| Decision::Respond(Response::new("welcome".into())));
        let connect = REQUEST.replacen("GET /chat", "CONNECT example.com:80", 1);
        let (answer, refused) = answer_of(server, &connect);
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        assert_matches!(refused, AcceptError::Refused { status, error: Some(RequestError::Method) }
            if status == 405);
    });
}

#[test]
fn what_follows_a_refused_request_does_not_turn_the_answer_into_a_reset() {
    bounded(|| {
        // More than the buffers of TCP hold.
        let request = REQUEST.replacen("GET", "POST", 1) + &"body".repeat(4 << 20);
        let (answer, _) = answer_of(Server::new(), &request);
        assert!(answer.starts_with("HTTP/1.1 405 "));
    });
}

#[test]
fn a_refused_client_that_stays_does_not_keep_the_server() {
    bounded(|| {
        let (address, server) = accepting(Server::new().timeouts(in_a_hurry()), Result::err);
        let mut peer = RawPeer::connect(address);
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(peer.receive_head().starts_with("HTTP/1.1 426 "));
        assert_matches!(
            server.join().unwrap(),
            Some(AcceptError::Refused { status: StatusCode::UPGRADE_REQUIRED, .. })
        );
        drop(peer);
    });
}

#[test]
fn a_plain_request_gets_the_page_of_the_application() {
    bounded(|| {
        let server = Server::new().on_request(|request, upgrade| {
            assert_eq!(upgrade.err(), Some(&RequestError::Upgrade));
            assert_eq!(request.headers()["user-agent"], "a browser");
            Decision::Respond(Response::new(format!("page {}", request.uri().path()).into()))
        });
        let request = "GET /index HTTP/1.1\r\nHost: a\r\nUser-Agent: a browser\r\n\r\n";
        let (answer, refused) = answer_of(server, request);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\npage /index"));
        assert_matches!(refused, AcceptError::Refused { status: StatusCode::OK, error: None });
    });
}

#[test]
fn a_valid_handshake_can_be_declined() {
    bounded(|| {
        let server = Server::new().on_request(|_, upgrade| {
            assert!(upgrade.is_ok());
            let mut response = Response::new("who are you?".into());
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            Decision::Respond(response)
        });
        let (address, server) = accepting(server, Result::err);
        let rejected = client(address).connect().unwrap_err();
        let ConnectError::Rejected(response) = rejected else { panic!("{rejected}") };
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.body(), b"who are you?");
        assert_matches!(
            server.join().unwrap(),
            Some(AcceptError::Refused { status: StatusCode::UNAUTHORIZED, error: None })
        );
    });
}

#[test]
fn a_decision_that_cannot_be_carried_out_is_a_500_and_an_error() {
    bounded(|| {
        let server =
            Server::new().on_request(|_, _| Acceptance::new().subprotocol(Some("chat")).into());
        let (answer, refused) = answer_of(server, REQUEST);
        assert!(answer.starts_with("HTTP/1.1 500 "));
        assert_matches!(refused, AcceptError::Decision(DecisionError::UnofferedSubprotocol(name))
            if name == "chat");
    });
}

#[test]
fn frames_in_the_segment_of_the_request_are_not_lost() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |socket| echo(socket).map(drop));
        let mut peer = RawPeer::connect(address);
        let mut segment = REQUEST.as_bytes().to_vec();
        segment.extend(from_client(Opcode::Text, b"one"));
        segment.extend(from_client(Opcode::Close, b"\x03\xE8"));
        peer.send(segment);
        assert!(peer.receive_head().starts_with("HTTP/1.1 101 "));
        peer.expect_frame(Opcode::Text, b"one");
        peer.expect_close(1000);
        peer.expect_eof();
        drop(peer);
        server.join().unwrap().unwrap();
    });
}

#[test]
fn frames_in_the_segment_of_the_response_are_not_lost() {
    bounded(|| {
        let (listener, address) = listen();
        let reading = thread::spawn(move || {
            let mut socket = client(address).connect().unwrap();
            (socket.read().unwrap(), socket.read().unwrap())
        });
        let mut peer = RawPeer::accept(&listener);
        let mut segment = response_to(&peer.receive_head()).into_bytes();
        segment.extend(from_server(Opcode::Text, b"one"));
        segment.extend(from_server(Opcode::Close, b"\x03\xE8"));
        peer.send(segment);
        peer.expect_close(1000);
        drop(peer);
        assert_eq!(reading.join().unwrap(), (Some("one".into()), None));
    });
}

#[test]
fn interim_responses_are_passed_over() {
    bounded(|| {
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        assert!(outcome_of(|request| interim.repeat(2) + &response_to(request)).is_ok());
    });
}

#[test]
fn a_response_that_does_not_answer_the_request_is_an_error_of_its_own() {
    bounded(|| {
        for (from, to, error) in [
            ("HTTP/1.1", "HTTP/1.0", ResponseError::Version),
            ("Upgrade: websocket", "Upgrade: h2c", ResponseError::Upgrade),
            ("Connection: Upgrade", "Connection: close", ResponseError::Connection),
            ("Sec-WebSocket-Accept", "X", ResponseError::MissingAccept),
            ("Accept: ", "Accept: x", ResponseError::WrongAccept),
            (
                "\r\n\r\n",
                "\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
                ResponseError::UnrequestedSubprotocol("chat".into()),
            ),
            (
                "\r\n\r\n",
                "\r\nSec-WebSocket-Extensions: x\r\n\r\n",
                ResponseError::UnrequestedExtension("x".into()),
            ),
            ("HTTP/1.1 101", "SSH-2.0 1", ResponseError::Head(HeadError::StartLine)),
        ] {
            let outcome = outcome_of(|request| response_to(request).replacen(from, to, 1));
            assert_matches!(outcome.err(), Some(ConnectError::Response(found)) if found == error);
        }
    });
}

#[test]
fn a_rejection_is_handed_out_with_headers_and_body() {
    bounded(|| {
        for framing in [
            "Content-Length: 9\r\n\r\nelsewhere and more",
            "Transfer-Encoding: chunked\r\n\r\n4\r\nelse\r\n5\r\nwhere\r\n0\r\n\r\n",
            // Until the end of TCP.
            "X: y\r\n\r\nelsewhere",
        ] {
            let response = format!("HTTP/1.1 302 Found\r\nLocation: ws://other/\r\n{framing}");
            let rejected = outcome_of(|_| response).unwrap_err();
            let ConnectError::Rejected(response) = rejected else { panic!("{rejected}") };
            assert_eq!(response.status(), StatusCode::FOUND);
            assert_eq!(response.headers()["location"], "ws://other/");
            assert_eq!(response.body(), b"elsewhere");
        }
    });
}

#[test]
fn the_end_of_tcp_within_a_head_is_an_error_at_both_ends() {
    bounded(|| {
        for end in [0, 1, 40] {
            let outcome = outcome_of(|request| response_to(request)[..end].to_owned());
            let error = ResponseError::Truncated;
            assert_matches!(outcome.err(), Some(ConnectError::Response(found)) if found == error);

            let (address, server) = accepting(Server::new(), Result::err);
            let mut peer = RawPeer::connect(address);
            peer.send(&REQUEST[..end]);
            drop(peer);
            assert_matches!(server.join().unwrap(), Some(AcceptError::Truncated));
        }
    });
}

#[test]
fn a_peer_that_says_nothing_is_waited_for_until_the_deadline() {
    bounded(|| {
        let (address, server) = accepting(Server::new().timeouts(in_a_hurry()), Result::err);
        let peer = RawPeer::connect(address);
        assert_matches!(server.join().unwrap(), Some(AcceptError::TimedOut));
        drop(peer);

        // The listener's backlog takes the connection, and nobody answers.
        let (_listener, address) = listen();
        let outcome = client(address).timeouts(in_a_hurry()).connect();
        assert_matches!(outcome.err(), Some(ConnectError::TimedOut));
    });
}

#[test]
fn a_client_that_drips_its_request_does_not_stretch_the_deadline() {
    bounded(|| {
        let (address, server) = accepting(Server::new().timeouts(in_a_hurry()), Result::err);
        let mut peer = RawPeer::connect(address);
        let endless = REQUEST.trim_end().bytes().chain(std::iter::repeat(b'x'));
        peer.send_slowly(endless, DRIP);
        assert_matches!(server.join().unwrap(), Some(AcceptError::TimedOut));
    });
}

#[test]
fn a_server_that_drips_its_response_does_not_stretch_the_deadline() {
    bounded(|| {
        let (listener, address) = listen();
        let connecting = thread::spawn(move || client(address).timeouts(in_a_hurry()).connect());
        let mut peer = RawPeer::accept(&listener);
        let response = response_to(&peer.receive_head());
        let endless = response.trim_end().bytes().chain(std::iter::repeat(b'x'));
        peer.send_slowly(endless, DRIP);
        assert_matches!(connecting.join().unwrap().err(), Some(ConnectError::TimedOut));
    });
}

#[test]
fn a_server_that_drips_the_body_of_its_rejection_does_not_stretch_the_deadline() {
    bounded(|| {
        let (listener, address) = listen();
        let connecting = thread::spawn(move || client(address).timeouts(in_a_hurry()).connect());
        let mut peer = RawPeer::accept(&listener);
        peer.receive_head();
        peer.send("HTTP/1.1 403 Forbidden\r\n\r\n");
        peer.send_slowly(std::iter::repeat(b'x'), DRIP);
        let rejected = connecting.join().unwrap().unwrap_err();
        let ConnectError::Rejected(response) = rejected else { panic!("{rejected}") };
        // As much of the body as arrived.
        assert!(response.body().iter().all(|byte| *byte == b'x'));
        assert!(!response.body().is_empty());
    });
}

#[test]
fn no_byte_follows_the_request_before_the_response() {
    bounded(|| {
        let (listener, address) = listen();
        let connecting = thread::spawn(move || {
            let mut socket = client(address).connect().unwrap();
            socket.send("Hello").unwrap();
            socket
        });
        let mut peer = RawPeer::accept(&listener);
        let request = peer.receive_head();
        peer.expect_silence(SHORT);
        peer.send(response_to(&request));
        peer.expect_frame(Opcode::Text, b"Hello");
        connecting.join().unwrap();
    });
}

#[test]
fn a_port_where_nobody_listens_refuses_the_connection() {
    bounded(|| {
        // The port of tcpmux, which is never handed out as free.
        let outcome = connect("ws://127.0.0.1:1/");
        assert_matches!(outcome.err(), Some(ConnectError::Connect { host, source })
            if host == "127.0.0.1:1" && source.kind() == ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_name_that_nothing_can_have_is_not_resolved() {
    bounded(|| {
        // No label of more than 63 bytes fits into a query to a name server.
        let outcome = connect(&format!("ws://{}.invalid/", "a".repeat(64)));
        assert_matches!(outcome.err(), Some(ConnectError::Resolve(_)));
    });
}

#[test]
fn an_invalid_url_is_refused_before_anything_is_done() {
    bounded(|| {
        for (url, error) in [
            ("http://127.0.0.1/", UriError::Scheme),
            ("ws://127.0.0.1:99999/", UriError::Port),
            ("ws://127.0.0.1:0/", UriError::Port),
            ("ws:///chat", UriError::Malformed),
            ("ws://user@127.0.0.1/", UriError::Userinfo),
            ("ws://127.0.0.1/#top", UriError::Fragment),
            ("ws://127.0.0.1/a b", UriError::IllegalCharacter),
        ] {
            let outcome = connect(url);
            assert_matches!(outcome.err(), Some(ConnectError::Uri(found)) if found == error);
        }
    });
}

#[cfg(not(feature = "rustls"))]
#[test]
fn wss_is_not_connected_to_without_tls() {
    bounded(|| {
        let (listener, address) = listen();
        let outcome = connect(&format!("wss://{address}/"));
        assert_matches!(outcome.err(), Some(ConnectError::TlsUnsupported));
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}
