//! What is printed, one line of JSON each.

use std::io::{self, Write};

use sansocket::{CloseStatus, Message};
use serde::Serialize;
use sha1::{Digest, Sha1};

use crate::Failure;

/// The address at which a server waits for its one client.
#[derive(Serialize)]
pub(crate) struct Listening {
    pub(crate) port: u16,
}

/// What this end saw of the connection.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Report {
    Ended(Ended),
    Refused {
        status: u16,
        /// What came with it, for a client.
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    Failed(String),
}

#[derive(Serialize)]
pub(crate) struct Ended {
    pub(crate) subprotocol: Option<String>,
    pub(crate) messages: Vec<Seen>,
    /// The code and the reason of the peer's Close frame.
    pub(crate) close: Option<(u16, String)>,
}

/// A message; a long one is given by its length and its hash.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Seen {
    Text(String),
    Binary(String),
}

const SHORT: usize = 256;

impl From<&Message<'_>> for Seen {
    fn from(message: &Message<'_>) -> Self {
        let bytes = message.as_bytes();
        let long = (bytes.len() > SHORT)
            .then(|| format!("{} bytes, sha1 {}", bytes.len(), hexadecimal(&Sha1::digest(bytes))));
        match message.as_text() {
            Some(text) => Self::Text(long.unwrap_or_else(|| text.to_owned())),
            None => Self::Binary(long.unwrap_or_else(|| hexadecimal(bytes))),
        }
    }
}

pub(crate) fn close(status: &CloseStatus) -> (u16, String) {
    (status.remote.number(), status.reason.to_string())
}

pub(crate) fn print(line: &impl Serialize) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, line)?;
    stdout.write_all(b"\n")?;
    Ok(stdout.flush()?)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
