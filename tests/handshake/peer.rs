//! What a well-behaved peer sends, with one thing changed, and what we make of it.

use bytes::Bytes;
use http::{Request, Response};
use sansocket::{
    Entropy,
    handshake::{
        Accepted, Answer, ClientHandshake, ClientRequest, Decision, Outcome, Refusal, RequestError,
        RequestHead, ResponseError, ServerHandshake, UpgradeRequest, negotiate,
    },
};

pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A valid request, without the lines that begin with `without` and with the lines of `with`.
pub(crate) fn request(without: &str, with: &str) -> String {
    let lines = [
        "Host: example.com",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ];
    head("GET /chat HTTP/1.1", &lines, without, with)
}

/// A valid response to [`KEY`], without the lines that begin with `without` and with the lines of
/// `with`.
pub(crate) fn response(without: &str, with: &str) -> String {
    let lines = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ];
    head("HTTP/1.1 101 Switching Protocols", &lines, without, with)
}

fn head(first: &str, lines: &[&str], without: &str, with: &str) -> String {
    let mut head = vec![first];
    head.extend(lines.iter().filter(|line| without.is_empty() || !line.starts_with(without)));
    if !with.is_empty() {
        head.push(with);
    }
    head.join("\r\n") + "\r\n\r\n"
}

/// The request in these bytes, which hold all of it.
pub(crate) fn read(bytes: impl AsRef<[u8]>) -> Result<Request<()>, RequestError> {
    let mut bytes = bytes.as_ref().to_vec();
    let mut input = &mut bytes[..];
    let request = ServerHandshake::default().receive(&mut input)?.expect("a whole head");
    assert!(input.is_empty());
    Ok(request)
}

/// What `take` makes of the request in these bytes, where it lies.
pub(crate) fn read_head<T>(
    bytes: impl AsRef<[u8]>,
    take: impl FnOnce(RequestHead<'_>) -> T,
) -> Result<T, RequestError> {
    let mut bytes = bytes.as_ref().to_vec();
    let taken = ServerHandshake::default().receive_head(&mut &mut bytes[..], take)?;
    Ok(taken.expect("a whole head"))
}

/// What the protocol finds wrong with a request, from the first byte on, wherever its fields are
/// looked up.
pub(crate) fn judge(bytes: impl AsRef<[u8]>) -> Result<(), RequestError> {
    let judged = read(&bytes).and_then(|request| UpgradeRequest::parse(&request).map(drop));
    let judged_where_it_lies =
        read_head(&bytes, |head| head.upgrade().map(drop)).and_then(|judged| judged);
    assert_eq!(judged_where_it_lies, judged);
    judged
}

/// The answer of a server that accepts all it may.
pub(crate) fn answer(bytes: impl AsRef<[u8]>) -> Answer {
    let answer = |answer: Result<Answer, RequestError>| {
        answer.unwrap_or_else(|error| Answer::Refused(Refusal::from(error)))
    };
    let as_value =
        answer(read(&bytes).map(|request| negotiate(&request, |_, _| Decision::accept()).unwrap()));
    let where_it_lies =
        answer(read_head(&bytes, |head| head.negotiate(|_| Decision::accept()).unwrap()));
    assert_eq!(format!("{where_it_lies:?}"), format!("{as_value:?}"));
    where_it_lies
}

pub(crate) fn accepted(bytes: impl AsRef<[u8]>) -> Accepted {
    match answer(bytes) {
        Answer::Accepted(accepted) => accepted,
        Answer::Refused(refusal) => panic!("refused with {}", refusal.response().status()),
    }
}

pub(crate) fn refused(bytes: impl AsRef<[u8]>) -> Refusal {
    match answer(bytes) {
        Answer::Accepted(_) => panic!("accepted"),
        Answer::Refused(refusal) => refusal,
    }
}

/// The head and the body of what is to be sent.
pub(crate) fn sent(outgoing: &Bytes) -> (String, String) {
    let text = String::from_utf8(outgoing.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (format!("{head}\r\n"), body.to_owned())
}

/// A client that sent [`KEY`] and offered these subprotocols.
pub(crate) fn client(subprotocols: &[&str]) -> ClientHandshake {
    let mut request = ClientRequest::new("ws://example.com/chat".parse().unwrap());
    for name in subprotocols {
        request = request.subprotocol(name).unwrap();
    }
    let sample = Entropy::from_fn(|bytes| bytes.copy_from_slice(b"the sample nonce"));
    ClientHandshake::with_entropy(&request, sample)
}

/// What such a client makes of a response.
pub(crate) fn outcome(
    subprotocols: &[&str],
    bytes: impl AsRef<[u8]>,
) -> Result<Option<Outcome>, ResponseError> {
    client(subprotocols).receive(&mut &mut bytes.as_ref().to_vec()[..])
}

/// The error that it finds in a response.
pub(crate) fn fault(subprotocols: &[&str], bytes: impl AsRef<[u8]>) -> ResponseError {
    outcome(subprotocols, bytes).expect_err("a faulty response")
}

/// The response with which it is rejected, and the body that came with it.
pub(crate) fn rejected(bytes: impl AsRef<[u8]>) -> Response<Vec<u8>> {
    let mut bytes = bytes.as_ref().to_vec();
    let mut input = &mut bytes[..];
    match client(&[]).receive(&mut input) {
        Ok(Some(Outcome::Rejected(mut rejection))) => {
            rejection.receive(&mut input);
            rejection.into_response()
        }
        other => panic!("{other:?}"),
    }
}
