use alloc::boxed::Box;
use core::mem;

use crate::config::Config;
use crate::connection::decoding::Decoding;
use crate::connection::event::Event;
use crate::connection::whole_frame::WholeFrame;
use crate::error::ProtocolError;
#[cfg(feature = "deflate")]
use crate::extension::AgreedDeflate;
use crate::role::Role;

/// The half of a [`Connection`](crate::Connection) that turns bytes into events. It knows nothing of
/// what is being sent.
///
/// What it finds concerns the [`SendingHalf`](crate::SendingHalf), wherever that is: pass each event
/// to its [`answer`](crate::SendingHalf::answer), and the error to its
/// [`fail`](crate::SendingHalf::fail). A [`Connection`](crate::Connection) does that by itself.
#[derive(Debug)]
pub struct ReceivingHalf {
    decoding: Decoding,
    input: Input,
}

/// What happens to bytes that arrive.
#[derive(Debug)]
enum Input {
    Processed,
    /// The peer's Close frame has arrived, or the transport has ended.
    Over,
    /// The peer broke the protocol.
    Failed(Box<ProtocolError>),
}

impl ReceivingHalf {
    pub(crate) fn new(sender: Role, config: &Config) -> Self {
        Self { decoding: Decoding::new(sender, config), input: Input::Processed }
    }

    /// Reads compressed messages from now on.
    #[cfg(feature = "deflate")]
    pub(crate) fn inflate(&mut self, sender: Role, agreed: &AgreedDeflate) {
        self.decoding.inflate(sender, agreed);
    }

    /// Takes the next event out of the bytes that were read; returns `None` when they are used up. See
    /// [`Connection::next_event`](crate::Connection::next_event).
    ///
    /// # Errors
    ///
    /// Returns how the peer broke the protocol. Further bytes are discarded, and each further call
    /// returns the same error.
    #[inline]
    pub fn next_event<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        if let Some(frame) = self.next_whole_frame(input)? {
            return Ok(Some(frame.into()));
        }
        let mut event = None;
        self.next_other_event(input, &mut event)?;
        Ok(event)
    }

    /// Takes the next frame, if it lies whole in the input and is an event by itself.
    #[inline(always)]
    pub(crate) fn next_whole_frame<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<WholeFrame<'input>>, ProtocolError> {
        if !matches!(self.input, Input::Processed) {
            return Ok(None);
        }
        let frame = self.decoding.next_whole_frame(input);
        if let Err(error) = frame {
            self.fail(error, input);
        }
        frame
    }

    /// Takes the next event, if it isn't such a frame, into `place`, which is empty.
    ///
    /// If it were returned, the events made from such frames would also be assembled in memory, in the same
    /// place, and moved from there before the stores have landed, which takes longer than all the rest.
    pub(crate) fn next_other_event<'input>(
        &mut self,
        input: &mut &'input mut [u8],
        place: &mut Option<Event<'input>>,
    ) -> Result<(), ProtocolError> {
        if !matches!(self.input, Input::Processed) {
            return self.discard(input);
        }
        // Every batch of events ends here.
        if input.is_empty() {
            return Ok(());
        }
        match self.decoding.next_event(input) {
            Ok(event) => *place = event,
            Err(error) => {
                self.fail(error, input);
                return Err(error);
            }
        }
        // §5.5.1: nothing follows a Close frame.
        if let Some(Event::Close(_)) = place {
            self.stop(Input::Over);
        }
        Ok(())
    }

    /// Reports that the transport has ended. A message that has arrived in part is discarded.
    pub fn receive_eof(&mut self) {
        if matches!(self.input, Input::Processed) {
            self.stop(Input::Over);
        }
    }

    #[cold]
    fn discard(&self, input: &mut &mut [u8]) -> Result<(), ProtocolError> {
        mem::take(input);
        match &self.input {
            Input::Failed(error) => Err(**error),
            Input::Processed | Input::Over => Ok(()),
        }
    }

    #[cold]
    fn fail(&mut self, error: ProtocolError, input: &mut &mut [u8]) {
        mem::take(input);
        self.stop(Input::Failed(Box::new(error)));
    }

    #[cold]
    fn stop(&mut self, input: Input) {
        self.decoding.discard();
        self.input = input;
    }
}
