//! The extensions that one end supports, as the handshake sees them.
#![cfg(feature = "handshake")]

use alloc::borrow::ToOwned;
use alloc::string::String;

#[cfg(feature = "deflate")]
use crate::extension::deflate::{AgreedDeflate, Deflate, DeflateResponseError};
use crate::extension::offer::ExtensionOffer;

/// What this end offers or accepts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Supported {
    #[cfg(feature = "deflate")]
    pub(crate) deflate: Option<Deflate>,
}

/// What both ends agreed on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agreed {
    #[cfg(feature = "deflate")]
    pub(crate) deflate: Option<AgreedDeflate>,
}

/// Why the server's answer can't be used (RFC 6455, section 4.1).
#[derive(Debug)]
pub(crate) enum UnusableResponse {
    /// An extension that wasn't offered, or appears twice.
    Unrequested(String),
    #[cfg(feature = "deflate")]
    Deflate(DeflateResponseError),
}

#[cfg_attr(not(feature = "deflate"), expect(clippy::unused_self, reason = "nothing is supported"))]
impl Supported {
    /// What a client's request offers, if anything.
    pub(crate) fn offer(&self) -> Option<String> {
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &self.deflate {
            return Some(alloc::format!("{}", deflate.offer()));
        }
        None
    }

    /// Accepts, as a server, what it can of a client's offers. Those not answered are declined.
    #[cfg_attr(not(feature = "deflate"), expect(unused_variables, reason = "nothing is supported"))]
    pub(crate) fn accept(&self, offers: &[ExtensionOffer<'_>]) -> Agreed {
        Agreed {
            #[cfg(feature = "deflate")]
            deflate: self.deflate.as_ref().and_then(|deflate| deflate.accept(offers)),
        }
    }

    /// Checks a server's answer, as a client: nothing in it may go beyond what was offered.
    pub(crate) fn check(&self, answers: &[ExtensionOffer<'_>]) -> Result<Agreed, UnusableResponse> {
        let mut agreed = Agreed::default();
        for answer in answers {
            self.take(answer, &mut agreed)?;
        }
        Ok(agreed)
    }

    #[cfg(not(feature = "deflate"))]
    fn take(&self, answer: &ExtensionOffer<'_>, _: &mut Agreed) -> Result<(), UnusableResponse> {
        Err(UnusableResponse::Unrequested(answer.name().to_owned()))
    }

    #[cfg(feature = "deflate")]
    fn take(
        &self,
        answer: &ExtensionOffer<'_>,
        agreed: &mut Agreed,
    ) -> Result<(), UnusableResponse> {
        match (&self.deflate, &agreed.deflate) {
            (Some(deflate), None) if Deflate::is_named_by(answer) => {
                let checked = deflate.check(answer).map_err(UnusableResponse::Deflate)?;
                agreed.deflate = Some(checked);
                Ok(())
            }
            _ => Err(UnusableResponse::Unrequested(answer.name().to_owned())),
        }
    }
}

#[cfg_attr(not(feature = "deflate"), expect(clippy::unused_self, reason = "nothing is supported"))]
impl Agreed {
    /// What a server's response says, if anything.
    pub(crate) fn response(&self) -> Option<String> {
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &self.deflate {
            return Some(alloc::format!("{}", deflate.parameters()));
        }
        None
    }
}
