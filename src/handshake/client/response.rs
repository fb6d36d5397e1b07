use http::{Response, StatusCode, Version};

use crate::handshake::{
    head::{HeadError, HeadLimits, HeadReader},
    parse::{self, HeaderLines},
};

/// Finds the final response among the responses that arrive.
#[derive(Debug)]
pub(super) struct ResponseReader(HeadReader);

/// A response whose header lines are still where they arrived.
#[derive(Debug)]
pub(in crate::handshake) struct ResponseHead<'head> {
    pub(in crate::handshake) status: StatusCode,
    pub(in crate::handshake) version: Version,
    pub(in crate::handshake) fields: HeaderLines<'head>,
}

impl ResponseReader {
    pub(super) const fn new(limits: HeadLimits) -> Self {
        Self(HeadReader::new(limits))
    }

    /// Takes what belongs to the head of the final response, and passes it to `take` once it is
    /// complete.
    ///
    /// What follows that head stays in `input`.
    pub(super) fn read<T>(
        &mut self,
        input: &mut &mut [u8],
        mut take: impl FnMut(ResponseHead<'_>) -> T,
    ) -> Result<Option<T>, HeadError> {
        // RFC 9110, §15.2: any number of interim responses may precede the final one, and a 101
        // is final for HTTP. The limit on the head applies to all of them together.
        while let Some(taken) = parse::response(&mut self.0, input, |response| {
            let interim = response.status.is_informational()
                && response.status != StatusCode::SWITCHING_PROTOCOLS;
            (!interim).then(|| take(response))
        })? {
            if taken.is_some() {
                return Ok(taken);
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
