//! The syntax of a head, its limits, and how a fault is refused as soon as it is seen.

use sansocket::handshake::{HeadError, HeadLimits, RequestError, ServerHandshake};

use crate::peer::{client, read, request, response};

/// After how many bytes, given one at a time, a server fails, and how.
fn fails(bytes: &[u8]) -> Option<(usize, HeadError)> {
    let mut server = ServerHandshake::default();
    for (index, byte) in bytes.iter().enumerate() {
        match server.receive(&mut &mut [*byte][..]) {
            Ok(None) => {}
            Ok(Some(_)) => return None,
            Err(RequestError::Head(error)) => return Some((index + 1, error)),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the head has no end");
}

#[test]
fn what_no_head_may_contain_is_refused_at_that_byte() {
    for (bytes, error) in [
        ("GET / HTTP/1.1\n", HeadError::BareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\n", HeadError::BareLineFeed),
        ("GET / HTTP/1.1\r\n\n", HeadError::BareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", HeadError::BareLineFeed),
        ("\n", HeadError::BareLineFeed),
        ("GET / HTTP/1.1\r ", HeadError::BareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\rb", HeadError::BareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\r\r", HeadError::BareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\r\n\rx", HeadError::BareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\r\n ", HeadError::FoldedHeader),
        ("GET / HTTP/1.1\r\nHost: a\r\n\t", HeadError::FoldedHeader),
        ("GET / HTTP/1.1\r\n ", HeadError::FoldedHeader),
        ("GET / HTTP/1.1\r\nHost: a\0", HeadError::ControlCharacter),
        ("GET / HTTP/1.1\r\n\0", HeadError::ControlCharacter),
        ("GET / HTTP/1.1\r\nHost: a\x0b", HeadError::ControlCharacter),
        ("GET /\x7f", HeadError::ControlCharacter),
        ("\0", HeadError::ControlCharacter),
        // The first byte of a TLS handshake.
        ("\x16", HeadError::Tls),
        ("\r", HeadError::StartLine),
        (" ", HeadError::StartLine),
        ("\t", HeadError::StartLine),
    ] {
        assert_eq!(fails(bytes.as_bytes()), Some((bytes.len(), error)), "{bytes:?}");
    }
}

/// What a server makes of these bytes, the same in one piece and byte by byte.
fn received(limits: HeadLimits, bytes: &[u8]) -> Result<usize, HeadError> {
    let mut whole = bytes.to_vec();
    let mut input = &mut whole[..];
    let outcome = match ServerHandshake::new(limits).receive(&mut input) {
        Ok(request) => {
            assert!(request.is_some(), "the head has no end");
            Ok(bytes.len() - input.len())
        }
        Err(RequestError::Head(error)) => Err(error),
        Err(error) => panic!("{error}"),
    };
    let mut server = ServerHandshake::new(limits);
    let dripping = bytes.iter().enumerate().find_map(|(index, byte)| {
        match server.receive(&mut &mut [*byte][..]) {
            Ok(request) => request.map(|_| Ok(index + 1)),
            Err(RequestError::Head(error)) => Some(Err(error)),
            Err(error) => panic!("{error}"),
        }
    });
    assert_eq!(Some(outcome), dripping, "{:?}", String::from_utf8_lossy(bytes));
    outcome
}

#[test]
fn line_ends_are_strict_where_a_head_lies_whole() {
    let limits = HeadLimits::default();
    assert_eq!(received(limits, b"GET / HTTP/1.1\r\nHost: a\r\n\r\nX"), Ok(27));
    for bytes in
        ["\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"]
    {
        assert_eq!(received(limits, bytes.as_bytes()), Err(HeadError::StartLine), "{bytes:?}");
    }
    for bytes in [
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nA:\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\n\r\n",
        "GET / HTTP/1.1\r\n\n",
        "GET / HTTP/1.1\n\n",
    ] {
        assert_eq!(received(limits, bytes.as_bytes()), Err(HeadError::BareLineFeed), "{bytes:?}");
    }
    for bytes in [
        "\nHTTP/1.1 101 X\r\nUpgrade: a\r\n\r\n",
        "HTTP/1.1 101 X\nUpgrade: a\r\n\r\n",
        "HTTP/1.1 101\nUpgrade: a\r\n\r\n",
        "HTTP/1.1 101 X\r\nUpgrade: a\nA: b\r\n\r\n",
        "HTTP/1.1 101 X\r\nUpgrade: a\n\r\n",
        "HTTP/1.1 101 X\n\r\n",
        "HTTP/1.1 101 X\r\n\n",
    ] {
        let mut whole = bytes.as_bytes().to_vec();
        let error = client(&[]).receive(&mut &mut whole[..]).unwrap_err();
        assert_eq!(error, HeadError::BareLineFeed.into(), "{bytes:?}");
    }
}

#[test]
fn limits_are_the_same_where_a_head_lies_whole() {
    for count in 62..=67 {
        let head = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(count));
        let bytes = [head.as_bytes(), b"behind"].concat();
        for limit in [63, 64, 65, 100] {
            let expected = if count > limit {
                Err(HeadError::TooManyHeaders { limit })
            } else {
                Ok(head.len())
            };
            let limits = HeadLimits::default().max_headers(limit);
            assert_eq!(received(limits, &bytes), expected, "{count} lines of {limit}");
        }
        let limits = HeadLimits::default();
        assert_eq!(received(limits.max_size(head.len()), &bytes), Ok(head.len()));
        let limit = head.len() - 1;
        assert_eq!(received(limits.max_size(limit), &bytes), Err(HeadError::TooLarge { limit }));
    }
}

#[test]
fn what_is_no_head_is_refused_at_its_end() {
    for (bytes, error) in [
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", HeadError::HeaderName),
        ("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", HeadError::HeaderName),
        ("GET / HTTP/1.1\r\nHost\r\n\r\n", HeadError::HeaderName),
        ("GET / HTTP/1.1\r\n: a\r\n\r\n", HeadError::HeaderName),
        ("GET / HTTP/1.1\r\nH@st: a\r\n\r\n", HeadError::HeaderName),
        ("GET / HTTP/1.1\r\nH\u{f6}st: a\r\n\r\n", HeadError::HeaderName),
        ("GET / HTTP/1.1\r\nHost a\r\n\r\n", HeadError::HeaderName),
        ("GET  / HTTP/1.1\r\n\r\n", HeadError::StartLine),
        ("GET /  HTTP/1.1\r\n\r\n", HeadError::StartLine),
        ("GET / HTTP/1.1 \r\n\r\n", HeadError::StartLine),
        ("GET\t/ HTTP/1.1\r\n\r\n", HeadError::StartLine),
        ("GET /\r\n\r\n", HeadError::StartLine),
        ("GET\r\n\r\n", HeadError::StartLine),
        ("G\u{f6}T / HTTP/1.1\r\n\r\n", HeadError::StartLine),
        ("HTTP/1.1 200 OK\r\n\r\n", HeadError::StartLine),
        ("PRI * HTTP/2.0\r\n\r\n", HeadError::Version),
        ("GET / HTTP/2.x\r\n\r\n", HeadError::StartLine),
        ("GET / HTTP/x.0\r\n\r\n", HeadError::StartLine),
    ] {
        assert_eq!(fails(bytes.as_bytes()), Some((bytes.len(), error)), "{bytes:?}");
    }
}

#[test]
fn a_server_that_speaks_something_else_is_found_out_at_the_first_byte() {
    for (greeting, until) in [
        ("SSH-2.0-x\r\n", 1),
        ("220 a\r\n", 1),
        ("HTTQ/1.1 101 X\r\n", 4),
        ("\r\n", 1),
        ("HTTP\r\n", 5),
    ] {
        let mut client = client(&[]);
        let mut dripping = greeting.bytes();
        let failed = dripping.find_map(|byte| client.receive(&mut &mut [byte][..]).err());
        assert_eq!(failed, Some(HeadError::StartLine.into()), "{greeting:?}");
        assert_eq!(greeting.len() - dripping.len(), until, "{greeting:?}");

        let mut whole = greeting.as_bytes().to_vec();
        let failed = crate::peer::client(&[]).receive(&mut &mut whole[..]).unwrap_err();
        assert_eq!(failed, HeadError::StartLine.into(), "{greeting:?}");
    }
    // An interim response is followed by another.
    let mut client = client(&[]);
    let mut bytes = *b"HTTP/1.1 100 X\r\n\r\nhttp";
    let failed = client.receive(&mut &mut bytes[..]).unwrap_err();
    assert_eq!(failed, HeadError::StartLine.into());
}

#[test]
fn a_response_is_held_to_the_same_syntax() {
    for (bytes, error) in [
        ("HTTP/1.1 101 X\n", HeadError::BareLineFeed),
        ("HTTP/1.1 101 X\r ", HeadError::BareCarriageReturn),
        ("HTTP/1.1 101 X\r\nUpgrade: a\rb\r\n\r\n", HeadError::BareCarriageReturn),
        ("\x15\x03\x03", HeadError::Tls),
        ("HTTP/1.1 101 X\r\nUpgrade: a\r\n b", HeadError::FoldedHeader),
        ("HTTP/1.1 101 X\r\nUpgrade : a\r\n\r\n", HeadError::HeaderName),
        ("HTTP/1.1 101 X\r\nUpgrade: a\0", HeadError::ControlCharacter),
        ("HTTP/1.1 1O1 X\r\n\r\n", HeadError::StartLine),
        ("HTTP/1.1 099 X\r\n\r\n", HeadError::StartLine),
        ("HTTP/1.1 1010 X\r\n\r\n", HeadError::StartLine),
        ("HTTP/1.1  101 X\r\n\r\n", HeadError::StartLine),
        ("HTTP/1.1\r\n\r\n", HeadError::StartLine),
        ("GET / HTTP/1.1\r\n\r\n", HeadError::StartLine),
        ("HTTP/3.0 200 OK\r\n\r\n", HeadError::Version),
    ] {
        let mut bytes = bytes.as_bytes().to_vec();
        let result = client(&[]).receive(&mut &mut bytes[..]).unwrap_err();
        assert_eq!(result, error.into(), "{}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn white_space_around_a_value_is_no_part_of_it() {
    let request = read("GET / HTTP/1.1\r\nA:b\r\nC: \t d e\t \r\nF:\r\nG: \r\n\r\n").unwrap();
    let headers = request.headers();
    assert_eq!((&headers["a"], &headers["c"]), (&"b".parse().unwrap(), &"d e".parse().unwrap()));
    assert_eq!((headers["f"].len(), headers["g"].len()), (0, 0));
}

#[test]
fn bytes_outside_ascii_may_stand_in_a_value() {
    assert!(read("GET / HTTP/1.1\r\nX: \u{fc}\r\n\r\n").is_ok());
    assert!(read(b"GET / HTTP/1.1\r\nX: \xff\xfe\r\n\r\n").is_ok());
}

#[test]
fn a_head_of_exactly_the_limit_is_taken_and_one_byte_more_is_not() {
    let padded = |size: usize| {
        let head = request("", "X-Padding: ");
        head.replace("X-Padding: ", &format!("X-Padding: {}", "x".repeat(size - head.len())))
    };
    let limit = 16 * 1024;
    assert!(read(padded(limit)).is_ok());
    let error = HeadError::TooLarge { limit };
    assert_eq!(read(padded(limit + 1)).unwrap_err(), error.into());
    assert_eq!(RequestError::Head(error).status(), 431);
}

#[test]
fn a_head_that_never_ends_is_refused_as_soon_as_it_passes_the_limit() {
    let mut endless = request("", "").trim_end().to_owned() + "\r\nX: ";
    endless += &"x".repeat(17 * 1024);
    let limit = 16 * 1024;
    assert_eq!(fails(endless.as_bytes()), Some((limit + 1, HeadError::TooLarge { limit })));
}

#[test]
fn header_lines_are_counted_and_none_is_passed_over() {
    let head = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(count));
    assert_eq!(read(head(100)).unwrap().headers().len(), 100);
    let error = RequestError::Head(HeadError::TooManyHeaders { limit: 100 });
    assert_eq!(read(head(101)).unwrap_err(), error);
    assert_eq!(error.status(), 431);

    // At the first byte of the one line too many.
    let bytes = head(101);
    let failed = fails(bytes.as_bytes()).unwrap().0;
    assert_eq!(&bytes[..failed], head(100).trim_end().to_owned() + "\r\nX");
}

#[test]
fn limits_can_be_raised_beyond_what_a_header_map_holds_without_a_panic() {
    let limits = HeadLimits::default().max_size(1 << 20).max_headers(usize::MAX);
    let mut bytes = format!("GET / HTTP/1.1\r\n{}\r\n", "a:\r\n".repeat(40_000)).into_bytes();
    let error = ServerHandshake::new(limits).receive(&mut &mut bytes[..]).unwrap_err();
    assert_eq!(error, HeadError::TooManyHeaders { limit: 16_384 }.into());
    let mut bytes = format!("GET / HTTP/1.1\r\n{}\r\n", "a:\r\n".repeat(16_384)).into_bytes();
    let request = ServerHandshake::new(limits).receive(&mut &mut bytes[..]).unwrap().unwrap();
    assert_eq!(request.headers().len(), 16_384);
}

/// RFC 9112, §3: a target that is too long has an answer of its own.
#[test]
fn a_first_line_beyond_the_limit_is_a_target_that_is_too_long() {
    let limit = 16 * 1024;
    let head =
        |target: usize| request("", "").replace("/chat", &format!("/{}", "a".repeat(target)));
    for piece in [1, 1000, usize::MAX] {
        let received = |head: String| {
            let mut server = ServerHandshake::default();
            let mut bytes = head.into_bytes();
            let pieces = bytes.chunks_mut(piece);
            let mut outcomes = pieces.map(|mut piece| server.receive(&mut piece).map(drop));
            outcomes.find(Result::is_err).unwrap().unwrap_err()
        };
        assert_eq!(received(head(limit)), RequestError::TargetTooLong);
        let first_line_just_fits = head(limit - "GET / HTTP/1.1\r\n".len());
        assert_eq!(received(first_line_just_fits), HeadError::TooLarge { limit }.into());
    }
    assert_eq!(RequestError::TargetTooLong.status(), 414);
}

#[test]
fn a_target_that_no_uri_holds_is_too_long_whatever_the_limit() {
    let limits = HeadLimits::default().max_size(1 << 20);
    let received = |length: usize| {
        let target = format!("/{}", "a".repeat(length - 1));
        let mut bytes = request("", "").replace("/chat", &target).into_bytes();
        ServerHandshake::new(limits).receive(&mut &mut bytes[..]).map(|request| {
            assert_eq!(request.unwrap().uri().path().len(), length);
        })
    };
    assert_eq!(received(65_534), Ok(()));
    assert_eq!(received(65_535), Err(RequestError::TargetTooLong));
}

#[test]
fn after_an_error_there_is_no_going_on() {
    let long = format!("GET / HTTP/1.1\r\n{}: y\r\n\r\n", "x".repeat(70_000));
    let cases: [(&str, RequestError); 5] = [
        ("\n", HeadError::BareLineFeed.into()),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", HeadError::HeaderName.into()),
        ("GET /#a HTTP/1.1\r\n\r\n", HeadError::StartLine.into()),
        ("GET / HTTP/2.0\r\n\r\n", HeadError::Version.into()),
        (&long, HeadError::HeaderName.into()),
    ];
    for (wrong, error) in cases {
        for piece in [1, usize::MAX] {
            let mut server = ServerHandshake::new(HeadLimits::default().max_size(100_000));
            let mut wrong = wrong.as_bytes().to_vec();
            let pieces = wrong.chunks_mut(piece);
            let failed = pieces.map(|mut piece| server.receive(&mut piece)).last().unwrap();
            assert_eq!(failed.unwrap_err(), error);
            let mut right = request("", "").into_bytes();
            let mut input = &mut right[..];
            assert_eq!(server.receive(&mut input).unwrap_err(), error);
            assert_eq!(server.receive_head(&mut input, |_| ()).unwrap_err(), error);
            assert_eq!(input, request("", "").as_bytes(), "nothing more is taken");
        }
    }
}

#[test]
fn after_a_wrong_response_no_right_one_is_taken() {
    for wrong in ["HTTP/1.1 101 x\r\n\r\n", "HTTP/1.1 200 x\r\nx : y\r\n\r\n"] {
        let mut client = client(&[]);
        let mut bytes = [wrong, &response("", "")].concat().into_bytes();
        let mut input = &mut bytes[..];
        let error = client.receive(&mut input).unwrap_err();
        assert_eq!(client.receive(&mut input).unwrap_err(), error);
        assert_eq!(input.len(), response("", "").len());
    }
}

#[test]
fn what_is_behind_the_head_is_not_touched() {
    let mut bytes = response("", "").into_bytes();
    let head = bytes.len();
    bytes.extend([0, b'\n', b'\r', b'\r', 0xff]);
    let mut input = &mut bytes[..];
    assert!(client(&[]).receive(&mut input).unwrap().is_some());
    assert_eq!(input, &mut [0, b'\n', b'\r', b'\r', 0xff]);
    assert_eq!(bytes.len() - head, 5);
}
