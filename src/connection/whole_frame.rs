use crate::connection::control::ControlPayload;
use crate::connection::event::Event;
use crate::message::Message;

/// A frame that is an event by itself and lies whole in the input, as nearly all frames of small
/// messages do.
///
/// An [`Event`] has seven words, which are copied wherever it is passed on. This has three, which stay
/// in registers; the event is made where the caller wants it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WholeFrame<'input> {
    Text(&'input str),
    Binary(&'input [u8]),
    Ping(&'input [u8]),
    Pong(&'input [u8]),
}

impl<'input> From<WholeFrame<'input>> for Event<'input> {
    #[inline]
    fn from(frame: WholeFrame<'input>) -> Self {
        match frame {
            WholeFrame::Text(text) => Self::Message(Message::Text(text.into())),
            WholeFrame::Binary(payload) => Self::Message(Message::Binary(payload.into())),
            WholeFrame::Ping(payload) => Self::Ping(ControlPayload::received(payload)),
            WholeFrame::Pong(payload) => Self::Pong(ControlPayload::received(payload)),
        }
    }
}
