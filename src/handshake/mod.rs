//! The opening handshake (RFC 6455, section 4), for both sides and without I/O.
//!
//! It works like a [`Connection`](crate::Connection): give it the bytes that arrive, send the bytes
//! it holds, and it turns into the connection. Bytes that arrive after the handshake stay in the
//! cursor, and are the first input of that connection.
//!
//! A **client** describes what it wants in a [`ClientRequest`], sends what [`ClientHandshake`]
//! holds, and gets an [`Outcome`]: the connection is [`Established`], or there is a [`Rejection`]
//! with the server's response, be it a redirection, a 401 or an error. [`Redirects`] turns a
//! redirection into the next request; a [`ProxyHandshake`] comes first if there is a [`Proxy`] in
//! between, and [`ProxyEnvironment`] says whether there is.
//!
//! A **server** reads the request with [`ServerHandshake`], or gets it from another HTTP library,
//! and gets an [`Answer`] from [`negotiate`]: [`Accepted`], or a [`Refusal`] with the right status.
//! The application's [`Decision`] comes from a closure that sees the whole request. A server that
//! decides at once can answer the [`RequestHead`] in place, without a copy.
//!
//! ```
//! use sansocket::bytes::Buf;
//! use sansocket::Config;
//! use sansocket::handshake::*;
//!
//! let request = ClientRequest::new("ws://example.com/chat".parse()?).subprotocol("chat")?;
//! let mut client = ClientHandshake::new(&request);
//! let mut server = ServerHandshake::default();
//!
//! // The client writes as much as its socket takes; here that is one byte.
//! let request = loop {
//!     let mut arrived = [client.outgoing().get_u8()];
//!     match server.receive(&mut &mut arrived[..]) {
//!         Ok(Some(request)) => break request,
//!         Ok(None) => continue,
//!         Err(error) => panic!("send {:?} and close", Refusal::from(error).outgoing()),
//!     }
//! };
//!
//! let policy = OriginPolicy::same_origin();
//! let answer = negotiate(&request, |_request, upgrade| match upgrade {
//!     Ok(upgrade) => match policy.check(upgrade) {
//!         Ok(()) => Acceptance::new()
//!             .subprotocol(upgrade.select_subprotocol(&["chat"]))
//!             .into(),
//!         Err(error) => error.into(),
//!     },
//!     Err(_) => Decision::accept(), // the library refuses what is not a handshake
//! })?;
//! let mut accepted = match answer {
//!     Answer::Accepted(accepted) => accepted,
//!     Answer::Refused(mut refusal) => panic!("send {:?} and close", refusal.outgoing()),
//! };
//!
//! // The same in the other direction.
//! let established = loop {
//!     let mut arrived = [accepted.outgoing().get_u8()];
//!     match client.receive(&mut &mut arrived[..])? {
//!         Some(Outcome::Established(established)) => break established,
//!         Some(Outcome::Rejected(rejection)) => panic!("{}", rejection.response().status()),
//!         None => continue,
//!     }
//! };
//! assert_eq!(established.subprotocol(), Some("chat"));
//!
//! let client = established.into_connection(Config::default());
//! let server = accepted.into_connection(Config::default());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Neither side reads a clock: the caller sets one deadline for the whole handshake.

mod accept_key;
mod authority;
mod base64;
mod client;
mod encode;
mod field;
mod head;
mod origin;
mod parse;
mod server;
mod sticky;
mod token;
mod uri;

pub use crate::extension::{ExtensionOffer, ExtensionParameter};
pub use accept_key::{SecWebSocketAccept, SecWebSocketKey};
pub use client::{
    ClientHandshake, ClientRequest, Established, OptionError, Outcome, Proxy, ProxyEnvironment,
    ProxyEnvironmentError, ProxyError, ProxyHandshake, ProxyOutcome, ProxyResponseError,
    RedirectError, Redirects, Rejection, ResponseError,
};
pub use head::{HeadError, HeadLimits};
pub use origin::{Origin, OriginError};
pub use server::{
    Acceptance, Accepted, Answer, Decision, DecisionError, OriginPolicy, Refusal, RequestError,
    RequestHead, ServerHandshake, UpgradeRequest, negotiate,
};
pub use uri::{Scheme, UriError, WebSocketUri};
