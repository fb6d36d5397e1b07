use http::{Response, StatusCode, Version};

use crate::handshake::{
    head::{HeadError, HeadLimits, HeadReader},
    parse::{self, HeaderLines},
    sticky::Sticky,
};

/// Finds the final response among the responses that arrive. An error is final, whether of its head or of what the
/// head says.
#[derive(Debug)]
pub(super) struct ResponseReader<E> {
    head: HeadReader,
    failure: Sticky<E>,
}

/// A response whose header lines are still where they arrived.
#[derive(Debug)]
pub(in crate::handshake) struct ResponseHead<'head> {
    pub(in crate::handshake) status: StatusCode,
    pub(in crate::handshake) version: Version,
    pub(in crate::handshake) fields: HeaderLines<'head>,
}

impl<E: Clone + From<HeadError>> ResponseReader<E> {
    pub(super) const fn new(limits: HeadLimits) -> Self {
        Self { head: HeadReader::new(limits), failure: Sticky::new() }
    }

    /// Takes what belongs to the head of the final response, and passes it to `take` once it is
    /// complete.
    ///
    /// What follows that head stays in `input`.
    pub(super) fn read<T>(
        &mut self,
        input: &mut &mut [u8],
        take: impl FnMut(ResponseHead<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        self.failure.check()?;
        self.read_on(input, take).map_err(|error| self.failure.keep(error))
    }

    /// The error, if there was one.
    pub(super) fn into_error(self) -> Option<E> {
        self.failure.into_error()
    }

    fn read_on<T>(
        &mut self,
        input: &mut &mut [u8],
        mut take: impl FnMut(ResponseHead<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        // RFC 9110, §15.2: any number of interim responses may precede the final one, and a 101
        // is final for HTTP. The limit on the head applies to all of them together.
        while let Some(taken) = parse::response(&mut self.head, input, |response| {
            let interim = response.status.is_informational()
                && response.status != StatusCode::SWITCHING_PROTOCOLS;
            (!interim).then(|| take(response))
        })? {
            if let Some(taken) = taken {
                return taken.map(Some);
            }
        }
        Ok(None)
    }
}

impl ResponseHead<'_> {
    /// Returns the response as a value, with all of its headers.
    pub(super) fn to_response(&self) -> Result<Response<()>, HeadError> {
        let mut response = Response::new(());
        *response.status_mut() = self.status;
        *response.version_mut() = self.version;
        *response.headers_mut() = self.fields.to_map()?;
        Ok(response)
    }
}
