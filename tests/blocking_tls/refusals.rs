//! What can be wrong with the TLS of the other end: one clear error each.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{
    AcceptError, Client, ConnectError, Server, Timeouts, TlsAcceptor, TlsConfigError, TlsConnector,
    TlsError,
};

use crate::authority::{AUTHORITY, Authority, Identity, LOCALHOST};
use crate::bounded::bounded;
use crate::loopback::{accepting, client, listen};

/// Long enough for both handshakes if somebody takes part in them, even on a busy machine.
const SHORT: Duration = Duration::from_secs(1);

fn tls_error<T>(outcome: Result<T, ConnectError>) -> TlsError {
    match outcome {
        Err(ConnectError::Tls(error)) => error,
        Err(error) => panic!("{error:?} is not the fault of TLS"),
        Ok(_) => panic!("it is connected"),
    }
}

/// What becomes of a client, and of a server with this certificate.
fn refusal(
    identity: &Identity,
    configure: impl FnOnce(SocketAddr) -> Client,
) -> (TlsError, TlsError) {
    let (address, server) = accepting(Server::new(), identity, Result::err);
    let error = tls_error(configure(address).connect());
    match server.join().unwrap() {
        Some(AcceptError::Tls(told)) => (error, told),
        told => panic!("{told:?} is not what the client has said"),
    }
}

/// What becomes of a client whose server is this peer.
fn connect_to(peer: impl FnOnce(TcpStream) + Send + 'static) -> Result<(), ConnectError> {
    let (listener, address) = listen();
    let peer = thread::spawn(move || peer(listener.accept().unwrap().0));
    let outcome = client(address).timeouts(Timeouts::default().handshake(SHORT)).connect();
    peer.join().unwrap();
    outcome.map(drop)
}

/// What becomes of a server whose client is this peer.
fn accept_from(peer: impl FnOnce(TcpStream)) -> Option<AcceptError> {
    let server = Server::new().timeouts(Timeouts::default().handshake(SHORT));
    let (address, server) = accepting(server, &LOCALHOST, Result::err);
    peer(TcpStream::connect(address).unwrap());
    server.join().unwrap()
}

/// Reads until the other end has had enough.
fn drain(mut stream: &TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn an_unknown_issuer_is_refused_and_told_so() {
    bounded(|| {
        let stranger = Authority::new("a stranger");
        let (error, told) = refusal(&stranger.issue(&["127.0.0.1"]), client);
        assert_eq!(error, TlsError::UnknownIssuer);
        assert_eq!(told, TlsError::Alert("UnknownCA".into()));
    });
}

#[test]
fn a_certificate_out_of_its_time_is_refused() {
    bounded(|| {
        let expired = AUTHORITY.issue_for_years(&["127.0.0.1"], 2000, 2001);
        assert_eq!(refusal(&expired, client).0, TlsError::Expired);
        let early = AUTHORITY.issue_for_years(&["127.0.0.1"], 3000, 3001);
        assert_eq!(refusal(&early, client).0, TlsError::NotValidYet);
    });
}

#[test]
fn a_certificate_for_other_names_is_refused_and_they_are_told() {
    bounded(|| {
        let identity = AUTHORITY.issue(&["chat.example", "192.0.2.1"]);
        let (error, _) = refusal(&identity, client);
        let TlsError::WrongName { presented } = &error else { panic!("{error}") };
        assert_eq!(presented.len(), 2);
        assert_eq!(presented[0], "chat.example");
        assert!(error.to_string().contains(", but for chat.example, "), "{error}");
        let (error, _) = refusal(&identity, |address| {
            let url = format!("wss://localhost:{}/", address.port());
            Client::new(&url).unwrap().tls(AUTHORITY.connector())
        });
        assert_matches!(error, TlsError::WrongName { .. });
    });
}

#[test]
fn by_default_only_those_are_trusted_whom_the_platform_trusts() {
    bounded(|| {
        let (listener, address) = listen();
        let server = thread::spawn(move || {
            let stream = LOCALHOST.acceptor().stream(listener.accept().unwrap().0).unwrap();
            Server::new().accept(stream).err()
        });
        match Client::new(&format!("wss://{address}/")).unwrap().connect() {
            Err(ConnectError::Tls(error)) => assert_eq!(error, TlsError::UnknownIssuer),
            // It doesn't even connect.
            Err(ConnectError::TlsConfig(TlsConfigError::NoRoots(_))) => {
                drop(TcpStream::connect(address).unwrap());
            }
            other => panic!("{other:?}"),
        }
        assert_matches!(server.join().unwrap(), Some(AcceptError::Tls(_) | AcceptError::Io(_)));
    });
}

#[test]
fn a_host_that_no_certificate_can_be_for_is_refused() {
    bounded(|| {
        let (listener, address) = listen();
        let tcp = TcpStream::connect(address).unwrap();
        for host in ["", "a..b", "a%41", "[::1]"] {
            let error = AUTHORITY.connector().stream(host, tcp.try_clone().unwrap()).unwrap_err();
            assert_eq!(TlsError::from_io(&error), Some(&TlsError::ServerName(host.into())));
        }
        drop(listener);
    });
}

#[test]
fn a_server_of_another_protocol_speaks_no_tls() {
    bounded(|| {
        for greeting in ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-server\r\n", "220 mail\r\n"] {
            let outcome = connect_to(move |mut stream| {
                stream.write_all(greeting.as_bytes()).unwrap();
                drain(&stream);
            });
            assert_eq!(tls_error(outcome), TlsError::NotTls);
        }
    });
}

#[test]
fn a_websocket_server_without_tls_speaks_no_tls() {
    bounded(|| {
        let outcome = connect_to(|stream| {
            assert_matches!(
                Server::new().accept(stream).err(),
                Some(AcceptError::Refused { status, .. }) if status == 400
            );
        });
        assert_eq!(tls_error(outcome), TlsError::NotTls);
    });
}

#[test]
fn a_client_that_says_ws_to_wss_speaks_no_tls() {
    bounded(|| {
        let (address, server) = accepting(Server::new(), &LOCALHOST, Result::err);
        let outcome = Client::new(&format!("ws://{address}/")).unwrap().connect();
        assert_matches!(outcome, Err(ConnectError::Response(_) | ConnectError::Io(_)));
        let error = server.join().unwrap();
        assert_matches!(error, Some(AcceptError::Tls(TlsError::NotTls)));
    });
}

#[test]
fn a_peer_that_ends_the_connection_has_ended_the_handshake() {
    bounded(|| {
        let outcome = connect_to(|stream| {
            stream.shutdown(Shutdown::Write).unwrap();
            drain(&stream);
        });
        assert_eq!(tls_error(outcome), TlsError::Truncated);
        let error = accept_from(|stream| {
            (&stream).write_all(b"\x16\x03\x01\x01\x00\x01").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            drain(&stream);
        });
        assert_matches!(error, Some(AcceptError::Tls(TlsError::Truncated)));
    });
}

#[test]
fn a_silent_peer_passes_the_deadline_of_the_handshake() {
    bounded(|| {
        assert_matches!(connect_to(|stream| drain(&stream)), Err(ConnectError::TimedOut));
        assert_matches!(accept_from(|stream| drain(&stream)), Some(AcceptError::TimedOut));
    });
}

#[test]
fn a_peer_that_drips_its_bytes_cannot_stretch_the_deadline_of_the_handshake() {
    bounded(|| {
        // Bytes of a record that never ends: each comes well within the deadline.
        let drip = |mut stream: TcpStream| {
            let head = b"\x16\x03\x03\x40\x00".iter();
            for byte in head.copied().chain(std::iter::repeat(0)) {
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
                thread::sleep(SHORT / 10);
            }
        };
        assert_matches!(connect_to(drip), Err(ConnectError::TimedOut));
        assert_matches!(accept_from(drip), Some(AcceptError::TimedOut));
    });
}

#[test]
fn one_deadline_is_for_both_handshakes() {
    bounded(|| {
        let error = accept_from(|stream| {
            let mut stream = AUTHORITY.connector().stream("localhost", stream).unwrap();
            stream.handshake().unwrap();
            // No request follows.
            let _ = stream.read(&mut [0]);
        });
        assert_matches!(error, Some(AcceptError::TimedOut));
        let outcome = connect_to(|stream| {
            let mut stream = LOCALHOST.acceptor().stream(stream).unwrap();
            stream.handshake().unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        });
        assert_matches!(outcome, Err(ConnectError::TimedOut));
    });
}

#[test]
fn what_is_no_pem_is_refused() {
    let Identity { chain, key } = AUTHORITY.issue(&["localhost"]);
    let (chain, key) = (chain.as_bytes(), key.as_bytes());
    let broken = b"-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n";
    assert_matches!(TlsConnector::with_pem_roots(b""), Err(TlsConfigError::NoCertificate));
    assert_matches!(TlsConnector::with_pem_roots(key), Err(TlsConfigError::NoCertificate));
    assert_matches!(TlsConnector::with_pem_roots(broken), Err(TlsConfigError::Pem(_)));
    assert_matches!(TlsAcceptor::from_pem(b"", key), Err(TlsConfigError::NoCertificate));
    assert_matches!(TlsAcceptor::from_pem(chain, chain), Err(TlsConfigError::NoKey));
    assert_matches!(TlsAcceptor::from_pem(broken, key), Err(TlsConfigError::Pem(_)));
    let another = AUTHORITY.issue(&["localhost"]);
    assert_matches!(
        TlsAcceptor::from_pem(chain, another.key.as_bytes()),
        Err(TlsConfigError::Unusable(_))
    );
}

#[cfg(feature = "rustls-webpki-roots")]
#[test]
fn the_roots_of_mozilla_do_not_include_the_authority_of_a_test() {
    bounded(|| {
        let (error, _) = refusal(&LOCALHOST, |address| {
            let trusted = TlsConnector::with_webpki_roots().unwrap();
            Client::new(&format!("wss://{address}/")).unwrap().tls(trusted)
        });
        assert_eq!(error, TlsError::UnknownIssuer);
    });
}
