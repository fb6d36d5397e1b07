//! Every option of a client and of a server has its effect.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use http::header::{HeaderValue, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use sansocket::blocking::{AcceptError, Client, ConnectError, Error, Server, Timeouts};
use sansocket::handshake::{
    Acceptance, ClientRequest, Decision, HeadError, HeadLimits, OptionError, Origin, OriginPolicy,
    RequestError, ResponseError,
};
use sansocket::{CloseCode, Config, Entropy, ProtocolError};

use crate::bounded::bounded;
use crate::loopback::{Socket, accepting, client, listen, pair, serving};
use crate::raw_peer::{RawPeer, response_to};

/// The headers of the request that a server sees.
fn headers_of(configure: impl FnOnce(Client) -> Client) -> HeaderMap {
    let (seen, headers) = channel();
    let server = Server::new().on_request(move |request, _| {
        seen.send(request.headers().clone()).unwrap();
        Decision::accept()
    });
    drop(pair(server, configure));
    headers.recv().unwrap()
}

/// How both ends come out of their handshakes.
fn open(server: Server, client_of: impl FnOnce(Client) -> Client) -> (Opened, Accepted) {
    let (address, server) = accepting(server, |outcome| outcome);
    let client = client_of(client(address)).connect();
    (client, server.join().unwrap())
}

type Opened = Result<Socket, ConnectError>;
type Accepted = Result<Socket, AcceptError>;

#[test]
fn a_client_without_options_sends_the_handshake_alone() {
    bounded(|| {
        let headers = headers_of(|client| client);
        let mut names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        let expected =
            ["connection", "host", "sec-websocket-key", "sec-websocket-version", "upgrade"];
        assert_eq!(names, expected);
    });
}

#[test]
fn headers_are_sent() {
    bounded(|| {
        let headers = headers_of(|client| {
            client.header("Authorization", "Bearer abc").unwrap().header("X-A", "1").unwrap()
        });
        assert_eq!(headers["authorization"], "Bearer abc");
        assert_eq!(headers["x-a"], "1");
    });
}

#[test]
fn headers_of_the_handshake_and_broken_ones_are_refused() {
    bounded(|| {
        for (name, value) in
            [("Host", "a"), ("Sec-WebSocket-Key", "a"), ("X", "a\r\nY: b"), ("X Y", "a")]
        {
            let client = Client::new("ws://127.0.0.1/").unwrap();
            assert!(client.header(name, value).is_err(), "{name}");
        }
    });
}

#[test]
fn the_origin_is_sent_and_judged() {
    bounded(|| {
        let here: Origin = "https://example.com".parse().unwrap();
        let server = Server::new().origins(OriginPolicy::list([here.clone()]));
        let (client, server_end) = open(server.clone(), |client| client.origin(here));
        assert!(client.is_ok() && server_end.is_ok());

        let (client, server_end) =
            open(server, |client| client.origin("https://evil.example".parse().unwrap()));
        assert_matches!(client.err(), Some(ConnectError::Rejected(response))
            if response.status() == StatusCode::FORBIDDEN);
        // The library's own reason.
        assert_matches!(
            server_end.err(),
            Some(AcceptError::Refused { status: StatusCode::FORBIDDEN, .. })
        );
    });
}

#[test]
fn the_origin_policy_is_asked_before_the_application() {
    bounded(|| {
        let server = Server::new()
            .origins(OriginPolicy::same_origin().required())
            .on_request(|_, _| panic!("not asked"));
        let (_, server_end) = open(server, |client| client);
        assert_matches!(server_end.err(), Some(AcceptError::Refused { .. }));
    });
}

#[test]
fn a_refusal_for_its_origin_says_so() {
    bounded(|| {
        let server = Server::new().origins(OriginPolicy::any().required());
        let (_, server_end) = open(server, |client| client);
        assert_matches!(
            server_end.err(),
            Some(AcceptError::Refused { error: Some(RequestError::Origin), .. })
        );
    });
}

#[test]
fn the_server_chooses_the_subprotocol_it_likes_best() {
    bounded(|| {
        let server = Server::new().subprotocols(["v2", "v1"]);
        let (client, server_end) =
            pair(server, |client| client.subprotocol("v1").unwrap().subprotocol("v2").unwrap());
        assert_eq!((client.subprotocol(), server_end.subprotocol()), (Some("v2"), Some("v2")));
    });
}

#[test]
fn a_client_whose_subprotocols_are_unknown_is_accepted_without() {
    bounded(|| {
        let (client, server) =
            pair(Server::new().subprotocols(["v1"]), |client| client.subprotocol("other").unwrap());
        assert_eq!((client.subprotocol(), server.subprotocol()), (None, None));
    });
}

#[test]
fn a_subprotocol_is_a_token_and_offered_once() {
    bounded(|| {
        let client = || Client::new("ws://127.0.0.1/").unwrap().subprotocol("chat").unwrap();
        let error = OptionError::RepeatedSubprotocol("chat".into());
        assert_eq!(client().subprotocol("chat").unwrap_err(), error);
        let error = OptionError::InvalidSubprotocol("a b".into());
        assert_eq!(client().subprotocol("a b").unwrap_err(), error);
    });
}

#[test]
fn the_application_can_choose_the_subprotocol_itself_or_leave_it() {
    bounded(|| {
        let offer = |client: Client| client.subprotocol("v1").unwrap().subprotocol("v2").unwrap();
        let server = Server::new().subprotocols(["v1"]);
        let (client, _server) = pair(
            server.clone().on_request(|_, _| Acceptance::new().subprotocol(Some("v2")).into()),
            offer,
        );
        assert_eq!(client.subprotocol(), Some("v2"));
        let (client, _server) = pair(server.on_request(|_, _| Decision::accept()), offer);
        assert_eq!(client.subprotocol(), Some("v1"));
    });
}

#[test]
fn the_application_can_add_headers_to_the_response() {
    bounded(|| {
        let server = Server::new().on_request(|_, _| {
            Acceptance::new().header(SET_COOKIE, HeaderValue::from_static("seen=1")).into()
        });
        let (address, server) = serving(server, drop);
        let mut peer = RawPeer::connect(address);
        peer.send(crate::raw_peer::REQUEST);
        assert!(peer.receive_head().to_ascii_lowercase().contains("\r\nset-cookie: seen=1\r\n"));
        server.join().unwrap();
    });
}

#[test]
fn a_client_sees_what_the_server_adds_and_agrees_to() {
    bounded(|| {
        let server = Server::new().subprotocols(["v1"]).on_request(|_, _| {
            Acceptance::new().header(SET_COOKIE, HeaderValue::from_static("seen=1")).into()
        });
        let (seen, shown) = channel();
        let (socket, _server) = pair(server, |client| {
            client.subprotocol("v1").unwrap().on_established(move |established| {
                let cookie = established.response().headers()[SET_COOKIE].clone();
                seen.send((cookie, established.subprotocol().map(str::to_owned))).unwrap();
            })
        });
        assert_eq!(
            shown.try_iter().collect::<Vec<_>>(),
            [(HeaderValue::from_static("seen=1"), Some("v1".into()))]
        );
        assert_eq!(socket.subprotocol(), Some("v1"));
    });
}

#[cfg(feature = "deflate")]
#[test]
fn the_server_compresses_on_its_own_terms_unless_the_application_has_others() {
    use sansocket::extension::Deflate;

    let agreed = |server: Server| {
        let (seen, shown) = channel();
        let (_client, _server) = pair(server, |client| {
            client.deflate(&Deflate::default()).on_established(move |established| {
                seen.send(established.deflate().map(ToString::to_string)).unwrap();
            })
        });
        shown.recv().unwrap()
    };
    bounded(move || {
        let server = Server::new().deflate(&Deflate::default());
        let plain = agreed(server.clone());
        assert!(plain.is_some());
        assert_eq!(agreed(server.clone().on_request(|_, _| Decision::accept())), plain);
        let own = agreed(server.on_request(|_, _| {
            let terms = Deflate::default().server_no_context_takeover();
            Acceptance::new().deflate(&terms).into()
        }));
        assert!(own.unwrap().contains("server_no_context_takeover"));
        assert_eq!(agreed(Server::new()), None);
    });
}

#[test]
fn a_client_that_is_refused_has_nothing_to_see() {
    bounded(|| {
        let server = Server::new().origins(OriginPolicy::any().required());
        let (client, _) =
            open(server, |client| client.on_established(|_| panic!("nothing is established")));
        assert_matches!(client.err(), Some(ConnectError::Rejected(_)));
    });
}

#[test]
fn the_limits_of_a_head_hold_at_both_ends() {
    bounded(|| {
        let limits = HeadLimits::default().max_size(100);
        let (client, server) = open(Server::new().head_limits(limits), |client| client);
        let error = HeadError::TooLarge { limit: 100 };
        assert_matches!(client.err(), Some(ConnectError::Rejected(response))
            if response.status() == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        assert_matches!(server.err(), Some(AcceptError::Refused { error: Some(found), .. })
            if found == RequestError::Head(error));

        let limits = HeadLimits::default().max_headers(2);
        let (client, _server) = open(Server::new(), |client| client.head_limits(limits));
        let error = ResponseError::Head(HeadError::TooManyHeaders { limit: 2 });
        assert_matches!(client.err(), Some(ConnectError::Response(found)) if found == error);
    });
}

#[test]
fn the_limits_of_a_message_hold_at_both_ends() {
    bounded(|| {
        let config = Config::default().max_message_size(3);
        let (mut client, mut server) = pair(Server::new().config(config), |client| client);
        client.send("1234").unwrap();
        let error = ProtocolError::MessageTooLarge { size: 4, limit: 3 };
        let reading = thread::spawn(move || assert_fails(&mut server, error));
        assert_eq!(close_code_seen_by(client), 1009);
        reading.join().unwrap();

        let (client, mut server) = pair(Server::new(), |client| client.config(config));
        server.send("1234").unwrap();
        let mut client = client;
        let reading = thread::spawn(move || assert_fails(&mut client, error));
        assert_eq!(close_code_seen_by(server), 1009);
        reading.join().unwrap();
    });
}

fn assert_fails(socket: &mut Socket, error: ProtocolError) {
    assert_matches!(socket.read(), Err(Error::Protocol(found)) if found == error);
}

fn close_code_seen_by(mut socket: Socket) -> u16 {
    assert_eq!(socket.read().unwrap(), None);
    socket.close_status().unwrap().remote.number()
}

#[test]
fn the_entropy_of_a_client_makes_its_key_and_its_masks() {
    bounded(|| {
        let (listener, address) = listen();
        let sending = thread::spawn(move || {
            let sevens = Entropy::from_fn(|bytes| bytes.fill(7));
            let mut socket = client(address).entropy(sevens).connect().unwrap();
            socket.send(b"").unwrap();
        });
        let mut peer = RawPeer::accept(&listener);
        let request = peer.receive_head();
        assert!(request.contains("\r\nSec-WebSocket-Key: BwcHBwcHBwcHBwcHBwcHBw==\r\n"));
        peer.send(response_to(&request));
        sending.join().unwrap();
        assert_eq!(peer.receive_all(), b"\x82\x80\x07\x07\x07\x07");
    });
}

#[test]
fn every_connection_of_a_client_has_a_key_of_its_own() {
    bounded(|| {
        let keys: Vec<_> =
            [(), ()].map(|()| headers_of(|client| client)["sec-websocket-key"].clone()).to_vec();
        assert_ne!(keys[0], keys[1]);
    });
}

#[test]
fn a_request_that_was_put_together_by_itself_keeps_its_limits() {
    bounded(|| {
        let (listener, address) = listen();
        let uri = format!("ws://{address}/").parse().unwrap();
        let request = ClientRequest::new(uri).max_body_size(4);
        let connecting = thread::spawn(move || Client::from(request).connect());
        let mut peer = RawPeer::accept(&listener);
        peer.receive_head();
        peer.send("HTTP/1.1 403 Forbidden\r\n\r\nforbidden");
        // It doesn't wait for the rest.
        let rejected = connecting.join().unwrap().unwrap_err();
        assert_matches!(rejected, ConnectError::Rejected(response) if response.body() == b"forb");
    });
}

#[test]
fn a_server_is_shared_by_threads() {
    bounded(|| {
        let server = Server::new().subprotocols(["chat"]);
        let ends: Vec<_> = (0..4)
            .map(|_| {
                let server = server.clone();
                thread::spawn(move || {
                    let (client, _server) =
                        pair(server, |client| client.subprotocol("chat").unwrap());
                    client.subprotocol().map(str::to_owned)
                })
            })
            .collect();
        for end in ends {
            assert_eq!(end.join().unwrap().as_deref(), Some("chat"));
        }
    });
}

#[test]
fn a_client_connects_any_number_of_times() {
    bounded(|| {
        let (listener, address) = listen();
        let client = client(address).timeouts(Timeouts::default().close(Duration::from_secs(1)));
        for _ in 0..3 {
            let connecting = {
                let client = client.clone();
                thread::spawn(move || client.connect().unwrap().close(CloseCode::NORMAL, ""))
            };
            let mut peer = RawPeer::server(&listener);
            peer.expect_close(1000);
            peer.send(crate::raw_peer::from_server(sansocket::frame::Opcode::Close, b"\x03\xE8"));
            drop(peer);
            assert!(connecting.join().unwrap().unwrap().is_clean());
        }
    });
}
