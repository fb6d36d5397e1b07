//! What a driver does besides driving: with a connection to itself it also writes and can be split, and the
//! driver of a reader can be reunited with the writer's part.

use std::io::{self, Read, Write};
use std::sync::Arc;

use crate::blocking::driver::Driver;
use crate::blocking::error::Error;
use crate::blocking::outbound::{Outbound, WRITE_FROM};
use crate::blocking::outlet::Flushed;
use crate::blocking::shared::Shared;
use crate::blocking::sink::{Sink, Wait};
use crate::blocking::socket::CloneSocket;
use crate::blocking::stream::Stream;
use crate::message::Message;

impl<S: Read + Write> Driver<S, Outbound> {
    /// Queues a message, and writes if much is queued; a long message is written from where it lies. Fails as
    /// [`Sink::queue`] does.
    #[inline]
    pub(super) fn write(&mut self, message: Message<'_>, wait: Wait) -> Result<(), Error> {
        if !message.is_short() {
            return self.write_longer(message, wait);
        }
        self.queue(message.as_borrowed(), wait, |sending, message| sending.send(message))?;
        if let Some(storage) = message.into_storage() {
            self.outlet.spare = storage;
        }
        Ok(())
    }

    #[inline(never)]
    fn write_longer(&mut self, mut message: Message<'_>, wait: Wait) -> Result<(), Error> {
        let waits = wait == Wait::Always || !self.outlet.is_stalled();
        if message.len() >= WRITE_FROM && waits {
            match self.outlet.write_through(&mut self.stream, message) {
                Err(Error::BufferFull(refused)) => message = refused,
                written => return written,
            }
        }
        self.queue(message, wait, |sending, message| sending.send(message))
    }
}

impl<S: CloneSocket> Driver<S, Outbound> {
    /// Returns the driver of a thread that only reads, with what it shares with those that write.
    pub(super) fn split(self) -> io::Result<Driver<S, Arc<Shared<S>>>> {
        let Self { stream, buffer, receiving, joining, outlet, timeouts } = self;
        let mut reading = Stream::socket(stream.into_inner());
        reading.set_timeouts(timeouts.read, timeouts.write)?;
        let shared = Shared::new(reading.try_clone()?, outlet);
        let outlet = Arc::new(shared);
        Ok(Driver { stream: reading, buffer, receiving, joining, outlet, timeouts })
    }
}

impl<S: Read + Write> Driver<S, Arc<Shared<S>>> {
    /// Returns the driver of a thread that reads and writes, if there is no writer any more.
    pub(super) fn reunite(self) -> Result<Driver<S, Outbound>, Box<Self>> {
        let Self { mut stream, buffer, receiving, joining, outlet, timeouts } = self;
        match Arc::try_unwrap(outlet) {
            Ok(shared) => {
                let (written, outlet) = shared.into_parts();
                stream.take_over(&written);
                Ok(Driver { stream, buffer, receiving, joining, outlet, timeouts })
            }
            Err(outlet) => {
                Err(Box::new(Self { stream, buffer, receiving, joining, outlet, timeouts }))
            }
        }
    }
}

impl<S: Read + Write> Sink for Driver<S, Outbound> {
    #[inline]
    fn outbound<T>(&mut self, access: impl FnOnce(&mut Outbound) -> T) -> T {
        access(&mut self.outlet)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.outlet.flush(&mut self.stream)
    }

    fn try_flush(&mut self) -> Result<Flushed, Error> {
        self.outlet.try_flush(&mut self.stream)
    }
}
