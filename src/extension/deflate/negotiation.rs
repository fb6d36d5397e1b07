//! Offering, answering and checking the parameters (RFC 7692, sections 5 and 7.1).

use core::fmt;

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::extension::deflate::agreed::AgreedDeflate;
use crate::extension::deflate::deflate::Deflate;
use crate::extension::deflate::parameters::{
    CLIENT_MAX_WINDOW_BITS, CLIENT_NO_CONTEXT_TAKEOVER, ContextTakeover, DeflateParameters, NAME,
    SERVER_MAX_WINDOW_BITS, SERVER_NO_CONTEXT_TAKEOVER, SenderParameters,
};
use crate::extension::deflate::window_bits::WindowBits;
use crate::extension::offer::ExtensionOffer;

impl Deflate {
    /// Returns what a client sends in `Sec-WebSocket-Extensions`.
    pub fn offer(&self) -> impl fmt::Display + use<> {
        Offer(*self.wanted())
    }

    /// Accepts, as a server, the first of a client's offers that it can.
    ///
    /// They are in the client's order of preference (section 5.1). The server declines the others by not
    /// answering them.
    ///
    /// The [parameters](AgreedDeflate::parameters) are the element to answer with.
    ///
    /// ```
    /// use sansocket::extension::{Deflate, ExtensionOffer};
    ///
    /// let field = b"permessage-deflate; server_max_window_bits=8, permessage-deflate";
    /// let offers = ExtensionOffer::parse_all([&field[..]])?;
    /// let agreed = Deflate::default().accept(&offers).expect("the second is acceptable");
    /// assert_eq!(agreed.parameters().to_string(), "permessage-deflate");
    /// # Ok::<(), sansocket::extension::MalformedExtensions>(())
    /// ```
    pub fn accept(&self, offers: &[ExtensionOffer<'_>]) -> Option<AgreedDeflate> {
        offers.iter().filter(|offer| Self::is_named_by(offer)).find_map(|offer| {
            // §7: an offer with a parameter that is unknown, invalid or repeated is declined.
            let offered = Parameters::of(offer, ParameterSet::Offer).ok()?;
            Some(self.agree(self.answer(&offered)?))
        })
    }

    /// Checks, as a client, the server's answer to its [offer](Self::offer).
    ///
    /// ```
    /// use sansocket::extension::{Deflate, ExtensionOffer};
    ///
    /// let deflate = Deflate::default().server_no_context_takeover();
    /// let field = b"permessage-deflate";
    /// let answer = ExtensionOffer::parse_all([&field[..]])?;
    /// assert!(deflate.check(&answer[0]).is_err(), "not what was asked for");
    /// # Ok::<(), sansocket::extension::MalformedExtensions>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DeflateResponseError`] if it doesn't correspond to the offer. The handshake has then failed.
    pub fn check(
        &self,
        answer: &ExtensionOffer<'_>,
    ) -> Result<AgreedDeflate, DeflateResponseError> {
        if !Self::is_named_by(answer) {
            return Err(DeflateResponseError::OtherExtension);
        }
        let answered = Parameters::of(answer, ParameterSet::Response)?;
        let DeflateParameters { server: asked, client: own } = *self.wanted();
        // §7.1.1.1: what was asked for is accepted by confirming it.
        if asked.context_takeover.and(answered.server_context_takeover)
            != answered.server_context_takeover
        {
            return Err(DeflateResponseError::Unconfirmed(SERVER_NO_CONTEXT_TAKEOVER));
        }
        // §7.1.2.1: the same or a smaller value; unasked, any.
        let server_window = answered.server_max_window_bits;
        match (asked.max_window_bits, server_window) {
            (Some(_), None) => {
                return Err(DeflateResponseError::Unconfirmed(SERVER_MAX_WINDOW_BITS));
            }
            (Some(asked), Some(answered)) if answered > asked => {
                return Err(DeflateResponseError::Exceeded(SERVER_MAX_WINDOW_BITS));
            }
            _ => {}
        }
        // §7.1.2.2: always offered, so the answer may have any value that isn't larger than the one in
        // the offer.
        let client_window = answered.client_max_window_bits.and_then(Limit::value);
        if client_window > Some(own.window()) {
            return Err(DeflateResponseError::Exceeded(CLIENT_MAX_WINDOW_BITS));
        }
        Ok(self.agree(DeflateParameters {
            server: SenderParameters {
                context_takeover: answered.server_context_takeover,
                max_window_bits: server_window,
            },
            // §7.1.1.2 and §7.1.2.2: what this client said of itself holds even if the server didn't
            // take it up.
            client: SenderParameters {
                context_takeover: own.context_takeover.and(answered.client_context_takeover),
                max_window_bits: client_window.or(own.max_window_bits),
            },
        }))
    }

    /// Whether an element is for this extension.
    pub(crate) fn is_named_by(element: &ExtensionOffer<'_>) -> bool {
        element.name() == NAME
    }

    /// The parameters with which a server answers an offer, or `None` if it can't accept it.
    fn answer(&self, offered: &Parameters) -> Option<DeflateParameters> {
        let DeflateParameters { server: own, client: asked } = *self.wanted();
        // The server would have to compress with a window that it has no compressor for.
        if offered.server_max_window_bits == Some(WindowBits::MIN) {
            return None;
        }
        let server = SenderParameters {
            // §7.1.1.1: what the client asks for is confirmed; the server may also say it unasked.
            context_takeover: own.context_takeover.and(offered.server_context_takeover),
            // §7.1.2.1: likewise, with the same or a smaller value.
            max_window_bits: least(own.max_window_bits, offered.server_max_window_bits),
        };
        let client = SenderParameters {
            // §7.1.1.2: the client's hint is taken up; even without one, any client has to comply.
            context_takeover: asked.context_takeover.and(offered.client_context_takeover),
            // §7.1.2.2: only a client that offered the parameter may be asked. Any other has the largest
            // window, and can be read just as well.
            max_window_bits: offered
                .client_max_window_bits
                .and_then(|limit| least(asked.max_window_bits, limit.value())),
        };
        Some(DeflateParameters { server, client })
    }
}

/// How the server's answer falls short of what was offered (RFC 7692, sections 5.1 and 7.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeflateResponseError {
    /// The answer is for another extension.
    #[error("the extension of the answer is not permessage-deflate")]
    OtherExtension,
    /// A parameter that the RFC doesn't define.
    #[error("permessage-deflate has no parameter {0:?}")]
    Unknown(String),
    /// A parameter that appears more than once.
    #[error("the parameter {0} is repeated")]
    Repeated(&'static str),
    /// A value where none belongs, none where one belongs, or one that isn't 8 to 15.
    #[error("the parameter {0} has an invalid value")]
    InvalidValue(&'static str),
    /// A parameter that was asked for is missing.
    #[error("the parameter {0} was asked for but not confirmed")]
    Unconfirmed(&'static str),
    /// A window that is larger than the one offered.
    #[error("the parameter {0} is larger than what was offered")]
    Exceeded(&'static str),
}

/// The smaller window, if any was given.
fn least(one: Option<WindowBits>, other: Option<WindowBits>) -> Option<WindowBits> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (said, None) | (None, said) => said,
    }
}

/// What one element of `Sec-WebSocket-Extensions` says.
#[derive(Debug, Default)]
struct Parameters {
    server_context_takeover: ContextTakeover,
    client_context_takeover: ContextTakeover,
    server_max_window_bits: Option<WindowBits>,
    client_max_window_bits: Option<Limit>,
}

/// §7.1.2.2: what follows `client_max_window_bits`.
#[derive(Debug, Clone, Copy)]
enum Limit {
    /// No value: in an offer, this means that the client may be asked.
    Any,
    AtMost(WindowBits),
}

impl Limit {
    const fn value(self) -> Option<WindowBits> {
        match self {
            Self::Any => None,
            Self::AtMost(bits) => Some(bits),
        }
    }
}

/// Whether an element is in an offer or a response.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ParameterSet {
    /// §7.1.2.2: here `client_max_window_bits` may be without a value.
    Offer,
    Response,
}

impl Parameters {
    /// §7.1: each at most once, known, with a value where one is required and none where it isn't.
    fn of(element: &ExtensionOffer<'_>, set: ParameterSet) -> Result<Self, DeflateResponseError> {
        let mut parameters = Self::default();
        for parameter in element.parameters() {
            let value = parameter.value();
            match parameter.name() {
                SERVER_NO_CONTEXT_TAKEOVER => {
                    no_context_takeover(
                        &mut parameters.server_context_takeover,
                        SERVER_NO_CONTEXT_TAKEOVER,
                        value,
                    )?;
                }
                CLIENT_NO_CONTEXT_TAKEOVER => {
                    no_context_takeover(
                        &mut parameters.client_context_takeover,
                        CLIENT_NO_CONTEXT_TAKEOVER,
                        value,
                    )?;
                }
                SERVER_MAX_WINDOW_BITS => {
                    let bits = window_bits(SERVER_MAX_WINDOW_BITS, value)?;
                    once(&mut parameters.server_max_window_bits, SERVER_MAX_WINDOW_BITS, bits)?;
                }
                CLIENT_MAX_WINDOW_BITS => {
                    let bits = match (set, value) {
                        (ParameterSet::Offer, None) => Limit::Any,
                        _ => Limit::AtMost(window_bits(CLIENT_MAX_WINDOW_BITS, value)?),
                    };
                    once(&mut parameters.client_max_window_bits, CLIENT_MAX_WINDOW_BITS, bits)?;
                }
                unknown => return Err(DeflateResponseError::Unknown(unknown.to_owned())),
            }
        }
        Ok(parameters)
    }
}

fn no_context_takeover(
    takeover: &mut ContextTakeover,
    name: &'static str,
    value: Option<&str>,
) -> Result<(), DeflateResponseError> {
    if value.is_some() {
        return Err(DeflateResponseError::InvalidValue(name));
    }
    match core::mem::replace(takeover, ContextTakeover::No) {
        ContextTakeover::Yes => Ok(()),
        ContextTakeover::No => Err(DeflateResponseError::Repeated(name)),
    }
}

fn window_bits(
    name: &'static str,
    value: Option<&str>,
) -> Result<WindowBits, DeflateResponseError> {
    value.and_then(WindowBits::parse).ok_or(DeflateResponseError::InvalidValue(name))
}

fn once<T>(slot: &mut Option<T>, name: &'static str, value: T) -> Result<(), DeflateResponseError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(DeflateResponseError::Repeated(name)),
    }
}

/// The offer of a client that wants this.
struct Offer(DeflateParameters);

impl fmt::Display for Offer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)?;
        // §7.1.2.2: without a value it only allows the server to ask.
        match self.0.client.max_window_bits {
            Some(_) => Ok(()),
            None => write!(formatter, "; {CLIENT_MAX_WINDOW_BITS}"),
        }
    }
}
