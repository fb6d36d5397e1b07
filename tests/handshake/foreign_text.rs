//! Every way in which text written by somebody else gets into a head.
#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "each way ends in what it has made, for this one call, and could have refused"
)]

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{COOKIE, LOCATION, SERVER},
};
#[cfg(feature = "blocking")]
use sansocket::blocking::{Client, Server};
use sansocket::handshake::{
    Acceptance, Answer, ClientHandshake, ClientRequest, Decision, Proxy, ProxyEnvironment,
    ProxyHandshake, Redirects, Refusal, UpgradeRequest, negotiate,
};

use crate::peer::{read, request};

/// A way in which text written by somebody else gets into a head.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    /// Text that is taken, to show what the head is like then.
    pub(crate) harmless: &'static str,
    /// The head of this text, or nothing if it is refused.
    pub(crate) head: fn(&str) -> Option<Vec<u8>>,
}

/// Every public function that takes text, bytes or a value made of them, for a head.
pub(crate) const WAYS: &[Way] = &[
    // A client's request.
    way("the URI", "ws://a/", |text| requested(ClientRequest::new(text.parse().ok()?))),
    way("the URI's host", "a", |text| requested(to(&format!("ws://{text}/"))?)),
    way("the URI's port", "8080", |text| requested(to(&format!("ws://a:{text}/"))?)),
    way("the URI's path", "a", |text| requested(to(&format!("ws://a/{text}"))?)),
    way("the URI's query", "a", |text| requested(to(&format!("ws://a?{text}"))?)),
    way("the origin", "http://a", |text| requested(plain().origin(text.parse().ok()?))),
    way("the origin's host", "a", |text| {
        requested(plain().origin(format!("http://{text}:80").parse().ok()?))
    }),
    way("a subprotocol", "a", |text| requested(plain().subprotocol(text).ok()?)),
    way("a second subprotocol", "b", |text| {
        requested(plain().subprotocol("a").ok()?.subprotocol(text).ok()?)
    }),
    way("a header's name", "a", |text| requested(plain().header_line(text, "b").ok()?)),
    way("a header's value", "a", |text| requested(plain().header_line("user-agent", text).ok()?)),
    way("a header's name as a type", "a", |text| {
        let name = HeaderName::from_bytes(text.as_bytes()).ok()?;
        requested(plain().header(name, HeaderValue::from_static("b")).ok()?)
    }),
    way("a header's value as a type", "a", |text| {
        requested(plain().header(COOKIE, value(text)?).ok()?)
    }),
    way("where a redirection leads", "/a", |text| {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(LOCATION, value(text)?);
        requested(Redirects::up_to(1).follow(&plain(), &response).ok()??)
    }),
    // The request for a tunnel.
    way("the host behind a proxy", "a", |text| tunnel("u:p@a:1", to(&format!("ws://{text}/"))?)),
    way("the proxy's host", "a", |text| tunnel(&format!("u:p@{text}:1"), plain())),
    way("the proxy's port", "1", |text| tunnel(&format!("u:p@a:{text}"), plain())),
    way("the proxy's user", "a", |text| tunnel(&format!("{text}:p@a:1"), plain())),
    way("the proxy's password", "a", |text| tunnel(&format!("u:{text}@a:1"), plain())),
    way("a user for the proxy", "a", |text| {
        let proxy = "a:1".parse::<Proxy>().ok()?.credentials(text, "b").ok()?;
        Some(ProxyHandshake::new(&proxy, &plain()).outgoing().to_vec())
    }),
    way("a password for the proxy", "a", |text| {
        let proxy = "a:1".parse::<Proxy>().ok()?.credentials("b", text).ok()?;
        Some(ProxyHandshake::new(&proxy, &plain()).outgoing().to_vec())
    }),
    way("the environment", "a", |text| {
        let set = |name: &str| (name == "http_proxy").then(|| format!("http://u:{text}@b:1"));
        let environment = ProxyEnvironment::read(set);
        let proxy = environment.proxy_for(plain().uri()).ok()??;
        Some(ProxyHandshake::new(proxy, &plain()).outgoing().to_vec())
    }),
    // A server's answer, including to a request parsed by another library.
    way("the subprotocol that is chosen", "a", |text| {
        answered(asking("sec-websocket-protocol", "a")?, |_| {
            Acceptance::new().subprotocol(Some(text)).into()
        })
    }),
    way("the subprotocol that is offered and chosen", "a", |text| {
        answered(asking("sec-websocket-protocol", text)?, |_| {
            Acceptance::new().or_subprotocol(Some(text)).into()
        })
    }),
    #[cfg(feature = "deflate")]
    way("the extension that is offered", "permessage-deflate", |text| {
        let offer =
            format!("permessage-deflate; server_max_window_bits={text}, permessage-deflate");
        answered(asking("sec-websocket-extensions", &offer)?, |_| {
            let deflate = sansocket::extension::Deflate::default();
            Acceptance::new().deflate(&deflate).into()
        })
    }),
    way("the name of a header of the answer", "a", |text| {
        let name = HeaderName::from_bytes(text.as_bytes()).ok()?;
        answered(asking("a", "b")?, |_| {
            Acceptance::new().header(name, HeaderValue::from_static("b")).into()
        })
    }),
    way("the value of a header of the answer", "a", |text| {
        let value = value(text)?;
        answered(asking("a", "b")?, |_| Acceptance::new().header(SERVER, value).into())
    }),
    way("what the request has said of itself", "a", |text| {
        answered(asking("a", text)?, |value| Acceptance::new().header(SERVER, value.clone()).into())
    }),
    // A refusal.
    way("the name of a header of a refusal", "a", |text| {
        let name = HeaderName::from_bytes(text.as_bytes()).ok()?;
        refused(|response| drop(response.headers_mut().insert(name, HeaderValue::from_static("b"))))
    }),
    way("the value of a header of a refusal", "a", |text| {
        let value = value(text)?;
        refused(|response| drop(response.headers_mut().insert(LOCATION, value)))
    }),
    way("the body of a refusal", "a", |text| {
        refused(|response| *response.body_mut() = Bytes::from(text.to_owned()))
    }),
    way("the kind of a body", "a", |text| {
        let kind = value(text)?;
        answered(asking("a", "b")?, |_| Decision::reply(StatusCode::FORBIDDEN, kind, "no"))
    }),
    way("a body", "a", |text| {
        let kind = HeaderValue::from_static("text/plain");
        answered(asking("a", "b")?, |_| {
            Decision::reply(StatusCode::FORBIDDEN, kind, text.to_owned())
        })
    }),
    way("what is wrong with the request", "8", |text| {
        let request = asking("sec-websocket-version", text)?;
        let error = UpgradeRequest::parse(&request).err()?;
        (error.status() == StatusCode::UPGRADE_REQUIRED)
            .then(|| Refusal::from(error).outgoing().to_vec())
    }),
    // The blocking client and server.
    #[cfg(feature = "blocking")]
    way("the URL", "ws://a/", |text| blocking::requested(Client::new(text).ok()?)),
    #[cfg(feature = "blocking")]
    way("the client's subprotocol", "a", |text| {
        blocking::requested(blocking::plain().subprotocol(text).ok()?)
    }),
    #[cfg(feature = "blocking")]
    way("the name of a client's header", "a", |text| {
        blocking::requested(blocking::plain().header(text, "b").ok()?)
    }),
    #[cfg(feature = "blocking")]
    way("the value of a client's header", "a", |text| {
        blocking::requested(blocking::plain().header("cookie", text).ok()?)
    }),
    #[cfg(feature = "blocking")]
    way("the client's origin", "http://a", |text| {
        blocking::requested(blocking::plain().origin(text.parse().ok()?))
    }),
    #[cfg(feature = "blocking")]
    way("the server's subprotocols", "a", |text| {
        blocking::answered(&Server::new().subprotocols([text]), text)
    }),
];

const fn way(name: &'static str, harmless: &'static str, head: fn(&str) -> Option<Vec<u8>>) -> Way {
    Way { name, harmless, head }
}

fn to(uri: &str) -> Option<ClientRequest> {
    Some(ClientRequest::new(uri.parse().ok()?))
}

fn plain() -> ClientRequest {
    to("ws://a/").unwrap()
}

fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).ok()
}

fn requested(request: ClientRequest) -> Option<Vec<u8>> {
    Some(ClientHandshake::new(&request).outgoing().to_vec())
}

fn tunnel(proxy: &str, request: ClientRequest) -> Option<Vec<u8>> {
    let proxy: Proxy = format!("http://{proxy}").parse().ok()?;
    Some(ProxyHandshake::new(&proxy, &request).outgoing().to_vec())
}

/// A valid request, as another library would parse it, in which this field has this value.
fn asking(name: &'static str, text: &str) -> Option<Request<()>> {
    let mut request = read(request("", "")).unwrap();
    request.headers_mut().insert(name, value(text)?);
    Some(request)
}

/// What is sent in answer to a request when this is decided from the value of its field `a`.
fn answered(
    request: Request<()>,
    decide: impl FnOnce(&HeaderValue) -> Decision,
) -> Option<Vec<u8>> {
    let none = HeaderValue::from_static("");
    let answer = negotiate(&request, |request, upgrade| match upgrade {
        Ok(_) => decide(request.headers().get("a").unwrap_or(&none)),
        Err(_) => Decision::accept(),
    });
    match answer.ok()? {
        Answer::Accepted(mut accepted) => Some(accepted.outgoing().to_vec()),
        // What the protocol refuses never got as far as the text.
        Answer::Refused(refusal) if refusal.response().status() == StatusCode::BAD_REQUEST => None,
        Answer::Refused(mut refusal) => Some(refusal.outgoing().to_vec()),
    }
}

fn refused(change: impl FnOnce(&mut Response<Bytes>)) -> Option<Vec<u8>> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::FORBIDDEN;
    change(&mut response);
    Some(Refusal::new(response).ok()?.outgoing().to_vec())
}

#[cfg(feature = "blocking")]
#[expect(clippy::disallowed_types, reason = "the blocking client and server read and write")]
mod blocking {
    use std::io::{self, Read, Write};

    use sansocket::blocking::{Client, Server};

    use crate::peer::request;

    /// A stream that ends after these bytes, and keeps what is written.
    #[derive(Debug)]
    struct Recorder<'b> {
        incoming: &'b [u8],
        written: Vec<u8>,
    }

    impl Read for Recorder<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            self.incoming.read(room)
        }
    }

    impl Write for Recorder<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.written.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(super) fn plain() -> Client {
        Client::new("ws://a/").unwrap()
    }

    pub(super) fn requested(client: Client) -> Option<Vec<u8>> {
        let mut recorder = Recorder { incoming: b"", written: Vec::new() };
        client.connect_over(&mut recorder).unwrap_err();
        Some(recorder.written)
    }

    /// What the server answers to a request that offers this, if it has chosen it.
    pub(super) fn answered(server: &Server, offer: &str) -> Option<Vec<u8>> {
        let bytes = request("", &format!("Sec-WebSocket-Protocol: {offer}"));
        let mut recorder = Recorder { incoming: bytes.as_bytes(), written: Vec::new() };
        let socket = server.accept_over(&mut recorder).ok()?;
        socket.subprotocol()?;
        drop(socket);
        Some(recorder.written)
    }
}
