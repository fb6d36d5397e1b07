//! The commands, as the driver writes them.

use std::path::PathBuf;
use std::time::Duration;

use sansocket::blocking::Timeouts;
use sansocket::extension::{Deflate, WindowBits};
use sansocket::{Config, Keepalive, Message};
use serde::{Deserialize, Deserializer};

use crate::Failure;

/// Play this end of one connection.
#[derive(Deserialize)]
pub(crate) struct Command {
    pub(crate) end: End,
    #[serde(flatten)]
    pub(crate) terms: Terms,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum End {
    Client(ClientEnd),
    Server(ServerEnd),
}

#[derive(Deserialize)]
pub(crate) struct ClientEnd {
    pub(crate) url: String,
    /// Whom to trust, as PEM.
    pub(crate) authority: Option<PathBuf>,
}

#[derive(Deserialize)]
pub(crate) struct ServerEnd {
    /// What to speak TLS with.
    pub(crate) identity: Option<Identity>,
    /// Instead of opening a WebSocket.
    pub(crate) refuse: Option<Refusal>,
}

/// The names of PEM files.
#[derive(Deserialize)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

#[derive(Deserialize)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// What either end may be told.
#[derive(Deserialize)]
pub(crate) struct Terms {
    pub(crate) steps: Vec<Step>,
    /// Offered by a client, supported by a server.
    pub(crate) subprotocols: Vec<String>,
    /// The longest message that is received.
    limit: Option<u64>,
    deflate: Option<Parameters>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Step {
    Send(Content),
    Fragments(Vec<Piece>),
    /// Send a Ping.
    Ping(String),
    /// Wait for this many messages.
    Receive(usize),
    /// Send these, and receive as many meanwhile.
    Exchange(Vec<Content>),
    /// Send back every message until the end.
    Echo,
    /// Let the clock send Pings until one is answered.
    Keepalive,
    Close(u16, String),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Content {
    Text(String),
    #[serde(deserialize_with = "hexadecimal")]
    Binary(Vec<u8>),
}

/// A fragment, or what is sent between two of them.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Piece {
    Fragment(Content),
    Ping { ping: String },
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(default)]
    server_no_context_takeover: bool,
    #[serde(default)]
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<u8>,
}

impl Terms {
    pub(crate) fn config(&self) -> Config {
        let config = Config::default();
        self.limit.map_or(config, |limit| config.max_message_size(limit))
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        // An end that waits in vain fails, and says so before the driver gives up on it.
        let patience = Duration::from_secs(10);
        let timeouts = Timeouts::default().read(Some(patience)).write(Some(patience));
        if self.steps.iter().any(|step| matches!(step, Step::Keepalive)) {
            let interval = Duration::from_millis(20);
            timeouts.read(Some(interval)).keepalive(Some(Keepalive::new(interval, patience)))
        } else {
            timeouts
        }
    }

    /// Short messages are compressed too.
    pub(crate) fn deflate(&self) -> Result<Option<Deflate>, Failure> {
        let Some(parameters) = &self.deflate else { return Ok(None) };
        let mut deflate = Deflate::default().threshold(16);
        if parameters.server_no_context_takeover {
            deflate = deflate.server_no_context_takeover();
        }
        if parameters.client_no_context_takeover {
            deflate = deflate.client_no_context_takeover();
        }
        if let Some(bits) = parameters.server_max_window_bits {
            deflate = deflate.server_max_window_bits(window_bits(bits)?);
        }
        if let Some(bits) = parameters.client_max_window_bits {
            deflate = deflate.client_max_window_bits(window_bits(bits)?);
        }
        Ok(Some(deflate))
    }
}

impl<'a> From<&'a Content> for Message<'a> {
    fn from(content: &'a Content) -> Self {
        match content {
            Content::Text(text) => text.as_str().into(),
            Content::Binary(bytes) => bytes.as_slice().into(),
        }
    }
}

fn window_bits(bits: u8) -> Result<WindowBits, Failure> {
    WindowBits::new(bits).ok_or_else(|| format!("no window has {bits} bits").into())
}

fn hexadecimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let digits = String::deserialize(deserializer)?;
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect::<Option<_>>()
        .ok_or_else(|| serde::de::Error::custom("not hexadecimal"))
}
