//! The library and the [reference](super::reference) understand the same.

use super::reference::{CLOSE, Frame, PONG, Reader};
use super::script::{Script, pieces};
use super::setup::Setup;
use super::transcript::{Events, Seen, write};

/// The input is a [`Setup`], the sizes of the pieces, and what the peer sends.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let setup = Setup::read(&mut script);
    let sizes = script.cuts();
    same_as_the_reference(setup, script.0, &sizes);
}

/// Cut in any way, the bytes give the messages, the control frames, the replies and the close code
/// that the reference gives; and an error is seen in the piece with the byte at which it shows.
pub fn same_as_the_reference(setup: Setup, bytes: &[u8], sizes: &[usize]) {
    let expected = Expected::of(setup, bytes);
    for sizes in [sizes, &[1], &[]] {
        let mut connection = setup.connection();
        let mut events = Events::default();
        let mut failure = None;
        let mut written = Vec::new();
        let mut received = 0;
        for piece in pieces(bytes, sizes) {
            let outcome = events.take_with(&mut connection, piece, |connection, _| {
                written.extend(write(connection, usize::MAX));
            });
            written.extend(write(&mut connection, usize::MAX));
            if let (Err(error), None) = (outcome, failure) {
                failure = Some(error.close_code().get());
                let at = expected.failure.expect("the reference finds no fault").0;
                assert!(received < at && at <= received + piece.len(), "{error}, not at {at}");
            }
            received += piece.len();
        }
        assert_eq!(failure, expected.failure.map(|(_, code)| code));
        assert_eq!(events.whole_messages(), expected.seen);

        let mut replies = Reader::of_output(setup);
        replies.read(&written).expect("the replies are frames");
        assert!(replies.is_between_frames());
        assert_eq!(replies.frames, expected.replies);
    }
}

/// What the reference makes of the bytes.
struct Expected {
    seen: Vec<Seen>,
    /// How many bytes had been read, and the code.
    failure: Option<(usize, u16)>,
    replies: Vec<Frame>,
}

impl Expected {
    fn of(setup: Setup, bytes: &[u8]) -> Self {
        let mut reader = Reader::of_input(setup);
        let mut failure = None;
        for (index, &byte) in bytes.iter().enumerate() {
            if let Err(code) = reader.read(&[byte]) {
                failure = Some((index + 1, code));
            }
            if failure.is_some() || matches!(reader.seen.last(), Some(Seen::Close(_))) {
                break;
            }
        }
        let mut replies: Vec<_> = reader.seen.iter().filter_map(reply).collect();
        // 7.1.7: a connection that is failed is closed with a code that says why.
        replies.extend(failure.map(|(_, code)| Frame::whole(CLOSE, code.to_be_bytes())));
        Self { seen: reader.seen, failure, replies }
    }
}

/// 5.5.2: a Ping is answered with its own payload. 5.5.1: a Close frame with its own code.
fn reply(seen: &Seen) -> Option<Frame> {
    match seen {
        Seen::Ping(payload) => Some(Frame::whole(PONG, payload.clone())),
        Seen::Close(Some((code, _))) => Some(Frame::whole(CLOSE, code.to_be_bytes())),
        Seen::Close(None) => Some(Frame::whole(CLOSE, [])),
        Seen::Message(..) | Seen::Chunks { .. } | Seen::Pong(_) => None,
    }
}
