//! Which connection a law is tried on.

#[cfg(feature = "deflate")]
use sansocket::extension::{
    ContextTakeover, Deflate, DeflateParameters, SenderParameters, WindowBits,
};
use sansocket::{Config, Connection, Delivery, Entropy, Role};

use super::script::Script;

/// A role and a configuration that can be looked into.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// Which end the connection is.
    pub role: Role,
    /// How it hands out messages.
    pub delivery: Delivery,
    /// Its limit for frames in bytes.
    pub max_frame_size: u64,
    /// Its limit for messages in bytes.
    pub max_message_size: u64,
    /// Its limit for outgoing bytes.
    pub max_outgoing_size: usize,
    /// What was agreed on for compression, if anything: for each direction something of its own.
    #[cfg(feature = "deflate")]
    pub deflate: Option<DeflateParameters>,
}

impl Setup {
    /// This role, whole messages, and generous limits.
    pub const fn new(role: Role) -> Self {
        Self {
            role,
            delivery: Delivery::Messages,
            max_frame_size: 1 << 20,
            max_message_size: 1 << 20,
            max_outgoing_size: 1 << 20,
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// What a byte says: the lowest bit is the role (0 a server), the next the delivery (0 whole
    /// messages), then two bits each for the limits of what comes in and of what goes out, and for
    /// compression by the peer (0 none; this end compresses in another way).
    pub fn read(script: &mut Script<'_>) -> Self {
        let bits = script.byte();
        let role = if bits & 1 == 0 { Role::Server } else { Role::Client };
        let delivery = if bits & 2 == 0 { Delivery::Messages } else { Delivery::Chunks };
        let (max_frame_size, max_message_size) = match bits >> 2 & 3 {
            0 => (1 << 20, 1 << 20),
            1 => (1 << 20, 20),
            2 => (20, 1 << 20),
            _ => (u64::MAX, u64::MAX),
        };
        let max_outgoing_size = match bits >> 4 & 3 {
            0 => 1 << 20,
            1 => 0,
            2 => 300,
            _ => 6000,
        };
        Self {
            role,
            delivery,
            max_frame_size,
            max_message_size,
            max_outgoing_size,
            #[cfg(feature = "deflate")]
            deflate: parameters(role, bits >> 6),
        }
    }

    /// The same for this role.
    #[must_use]
    pub const fn with_role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// The same with this delivery.
    #[must_use]
    pub const fn with_delivery(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }

    /// How the end with this role compresses what it sends.
    #[cfg(feature = "deflate")]
    pub fn sender(self, role: Role) -> Option<SenderParameters> {
        self.deflate.map(|parameters| match role {
            Role::Server => parameters.server,
            Role::Client => parameters.client,
        })
    }

    /// The connection. Its masking keys are the same each time, and none has two equal bytes.
    pub fn connection(self) -> Connection {
        let config = Config::default()
            .delivery(self.delivery)
            .max_frame_size(self.max_frame_size)
            .max_message_size(self.max_message_size)
            .max_outgoing_size(self.max_outgoing_size);
        let entropy = Entropy::from_fn(|bytes| {
            for (byte, key) in bytes.iter_mut().zip([0x1B, 0x2D, 0x4E, 0x87].iter().cycle()) {
                *byte = *key;
            }
        });
        let connection = Connection::with_entropy(self.role, config, entropy);
        #[cfg(feature = "deflate")]
        if let Some(parameters) = self.deflate {
            let agreed = Deflate::default().threshold(8).agree(parameters);
            return connection.with_deflate(&agreed);
        }
        connection
    }
}

/// What two bits say of the peer of this role.
#[cfg(feature = "deflate")]
fn parameters(role: Role, bits: u8) -> Option<DeflateParameters> {
    let (yes, no) = (ContextTakeover::Yes, ContextTakeover::No);
    // Never the same for both ends: an end that used the parameters of the other would go unnoticed.
    let (peer, own) = match bits & 3 {
        0 => return None,
        1 => ((yes, None), (no, WindowBits::new(9))),
        2 => ((no, None), (yes, None)),
        _ => ((yes, WindowBits::new(9)), (no, None)),
    };
    let [peer, own] = [peer, own].map(|(context_takeover, max_window_bits)| SenderParameters {
        context_takeover,
        max_window_bits,
    });
    Some(match role {
        Role::Server => DeflateParameters { server: own, client: peer },
        Role::Client => DeflateParameters { server: peer, client: own },
    })
}
