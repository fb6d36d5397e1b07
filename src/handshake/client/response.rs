use http::{Response, StatusCode};

use crate::handshake::{
    head::{HeadError, HeadLimits, HeadReader},
    parse,
};

/// Finds the final response among those that arrive.
#[derive(Debug)]
pub(super) struct ResponseReader(HeadReader);

impl ResponseReader {
    pub(super) const fn new(limits: HeadLimits) -> Self {
        Self(HeadReader::new(limits))
    }

    /// Takes what belongs to the head of the final response, and hands it out once it is complete.
    ///
    /// What is behind that head stays in `input`.
    pub(super) fn read(
        &mut self,
        input: &mut &mut [u8],
    ) -> Result<Option<Response<()>>, HeadError> {
        while let Some(head) = self.0.read(input)? {
            let response = parse::response(&head)?;
            // RFC 9110, §15.2: any number of interim responses may precede the final one, and a 101
            // is final for HTTP. The limit of the head is for all of them together.
            if !response.status().is_informational()
                || response.status() == StatusCode::SWITCHING_PROTOCOLS
            {
                return Ok(Some(response));
            }
        }
        Ok(None)
    }
}
