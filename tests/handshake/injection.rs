//! Whatever a caller gives for the head stays in its own place, or is refused: it never adds a
//! line, a word to the first line, or a character that a reader could take for either.

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use sansocket::handshake::{
    Acceptance, Answer, ClientHandshake, ClientRequest, Decision, DecisionError, Origin,
    WebSocketUri, negotiate,
};

use crate::foreign_text::{WAYS, Way};
use crate::peer::{read, request, sent};

/// Pieces of text that end a line or begin another, among some that do not.
const PIECES: &[&str] = &[
    "a",
    "b-1",
    "example.com",
    ":",
    "80",
    "/",
    "?",
    "#",
    "@",
    ",",
    ";",
    "=",
    "\"",
    " ",
    "\t",
    "\r\n",
    "\r",
    "\n",
    "\r\n\r\n",
    "\0",
    "\x0b",
    "\x7f",
    "%0d%0a",
    "ü",
    "\u{85}",
    "\u{2028}",
    "\u{d}X: y",
    " HTTP/1.1",
    "X: y",
    "\r\nX: y\r\n",
];

fn hostile() -> impl Strategy<Value = String> {
    let hostile = vec(select(PIECES), 0..5).prop_map(|pieces| pieces.concat());
    prop_oneof![1 => Just("a".to_owned()), 2 => hostile]
}

/// The first line and the field names of what is sent, every line of which has to suit a head.
fn read_head(outgoing: &Bytes) -> (String, Vec<String>) {
    let (head, behind) = sent(outgoing);
    assert_eq!(behind, "", "nothing follows the head");
    let mut lines = head.strip_suffix("\r\n").unwrap().split("\r\n");
    let first = lines.next().unwrap().to_owned();
    assert!(first.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{first:?}");
    let names = lines.map(|line| {
        assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')), "{line:?}");
        let (name, _) = line.split_once(": ").unwrap();
        assert!(name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':'), "{line:?}");
        name.to_lowercase()
    });
    (first, names.collect())
}

proptest! {
    #[test]
    fn nothing_that_a_client_is_given_adds_to_its_request(
        host in hostile(),
        resource in hostile(),
        origin in option::of(hostile()),
        subprotocols in vec(hostile(), 0..3),
        headers in vec((hostile(), hostile()), 0..3),
    ) {
        let uri = format!("ws://{host}/{resource}").parse::<WebSocketUri>();
        let uri = uri.unwrap_or_else(|_| "ws://example.com/".parse().unwrap());
        let resource = uri.resource_name().to_owned();
        let mut request = ClientRequest::new(uri);
        let mut expected = vec![
            "host".to_owned(),
            "upgrade".to_owned(),
            "connection".to_owned(),
            "sec-websocket-key".to_owned(),
            "sec-websocket-version".to_owned(),
        ];
        if let Some(origin) = origin.and_then(|origin| origin.parse::<Origin>().ok()) {
            request = request.origin(origin);
            expected.push("origin".to_owned());
        }
        let mut offered = false;
        for name in subprotocols {
            if let Ok(more) = request.clone().subprotocol(&name) {
                (request, offered) = (more, true);
            }
        }
        expected.extend(offered.then(|| "sec-websocket-protocol".to_owned()));
        for (name, value) in headers {
            if let Ok(more) = request.clone().header_line(&name, &value) {
                request = more;
                expected.push(name.to_lowercase());
            }
        }
        let (first, names) = read_head(ClientHandshake::new(&request).outgoing());
        prop_assert_eq!(&first, &format!("GET {resource} HTTP/1.1"));
        prop_assert_eq!(first.matches(' ').count(), 2);
        prop_assert_eq!(names, expected);
    }

    #[test]
    fn nothing_that_a_server_is_given_adds_to_its_answer(
        subprotocol in option::of(hostile()),
        headers in vec((hostile(), hostile()), 0..3),
        refuses in any::<bool>(),
        status in 200..1000_u16,
    ) {
        let headers = headers.into_iter().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
        });
        let headers: Vec<_> = headers.collect();
        let decision = if refuses {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response.headers_mut().extend(headers.iter().cloned());
            Decision::Respond(response)
        } else {
            let acceptance = Acceptance::new().subprotocol(subprotocol.as_deref());
            let with = |acceptance: Acceptance, (name, value)| acceptance.header(name, value);
            headers.iter().cloned().fold(acceptance, with).into()
        };
        let request = read(request("", "Sec-WebSocket-Protocol: a")).unwrap();
        match negotiate(&request, |_, _| decision) {
            Ok(Answer::Accepted(mut accepted)) => {
                prop_assert!(subprotocol.is_none_or(|name| name == "a"));
                let (first, names) = read_head(accepted.outgoing());
                prop_assert_eq!(first, "HTTP/1.1 101 Switching Protocols");
                let own = names.iter().filter(|name| {
                    !["upgrade", "connection"].contains(&name.as_str())
                        && !name.starts_with("sec-websocket-")
                });
                let given: Vec<_> = headers.iter().map(|(name, _)| name.to_string()).collect();
                prop_assert_eq!(own.cloned().collect::<Vec<_>>(), given);
            }
            Ok(Answer::Refused(mut refusal)) => {
                let (first, names) = read_head(refusal.outgoing());
                let start = format!("HTTP/1.1 {status} ");
                prop_assert!(first.starts_with(&start), "{}", first);
                let set = [CONTENT_LENGTH, CONTENT_TYPE].map(|name| name.to_string());
                for name in names {
                    let is_given = headers.iter().any(|(given, _)| *given == *name);
                    prop_assert!(is_given || name == "connection" || set.contains(&name));
                }
            }
            Err(error) => {
                let is_of_a_header = matches!(error, DecisionError::NonAsciiHeader(_));
                let is_of_the_subprotocol =
                    matches!(error, DecisionError::UnofferedSubprotocol(_));
                prop_assert!(is_of_a_header || is_of_the_subprotocol, "{error}");
            }
        }
    }
}

/// The first line, the names of the fields, and what follows the head.
fn parts(bytes: &[u8]) -> (String, Vec<String>, Vec<u8>) {
    let blank = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let (head, behind) = bytes.split_at(blank + 4);
    let (first, names) = read_head(&Bytes::copy_from_slice(head));
    (first, names, behind.to_vec())
}

/// The words of the first line that no given text may change: all of a response's, and a request's method
/// and version.
fn fixed_words(first: &str) -> Vec<&str> {
    let words: Vec<_> = first.split(' ').collect();
    match words[..] {
        [method, _, version] if version.starts_with("HTTP/") => vec![method, version],
        _ => words,
    }
}

fn assert_adds_nothing(way: &Way, text: &str) {
    let harmless = (way.head)(way.harmless);
    let harmless = harmless.unwrap_or_else(|| panic!("{} refuses what is harmless", way.name));
    let Some(head) = (way.head)(text) else { return };
    let (harmless_first, harmless_names, harmless_behind) = parts(&harmless);
    let (first, names, behind) = parts(&head);
    assert_eq!(fixed_words(&first), fixed_words(&harmless_first), "{}: {text:?}", way.name);
    // The name of a field may be what was given.
    let same = |(name, harmless_name): (&String, &String)| {
        name == harmless_name || (harmless_name == way.harmless && *name == text.to_lowercase())
    };
    let are_same =
        names.len() == harmless_names.len() && names.iter().zip(&harmless_names).all(same);
    assert!(are_same, "{}: {text:?} makes {names:?} of {harmless_names:?}", way.name);
    // A body follows the head: what was given, or the same as before.
    let is_same = behind == harmless_behind || behind == text.as_bytes();
    assert!(is_same, "{}: {text:?} is followed by {behind:?}", way.name);
    if !behind.is_empty() {
        let length = format!("\r\ncontent-length: {}\r\n", behind.len());
        let head = String::from_utf8_lossy(&head).to_lowercase();
        assert!(head.contains(&length), "{}: {text:?} is a body of another length", way.name);
    }
}

proptest! {
    #[test]
    fn no_text_that_is_given_anywhere_adds_to_a_head(text in hostile()) {
        for way in WAYS {
            assert_adds_nothing(way, &text);
        }
    }
}

/// The same for each piece by itself and within a word, so that none depends on chance.
#[test]
fn no_line_break_that_is_given_anywhere_adds_to_a_head() {
    for way in WAYS {
        for piece in PIECES {
            for text in [(*piece).to_owned(), format!("a{piece}"), format!("a{piece}b: c")] {
                assert_adds_nothing(way, &text);
            }
        }
    }
}
