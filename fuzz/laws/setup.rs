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
    /// What was agreed on for compression in either direction, if anything.
    #[cfg(feature = "deflate")]
    pub deflate: Option<SenderParameters>,
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
    /// compression (0 none).
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
            deflate: sender(bits >> 6),
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
        if let Some(sender) = self.deflate {
            let agreed = Deflate::default()
                .threshold(8)
                .agree(DeflateParameters { server: sender, client: sender });
            return connection.with_deflate(&agreed);
        }
        connection
    }
}

/// What two bits say of a sender.
#[cfg(feature = "deflate")]
fn sender(bits: u8) -> Option<SenderParameters> {
    let (context_takeover, max_window_bits) = match bits & 3 {
        0 => return None,
        1 => (ContextTakeover::Yes, None),
        2 => (ContextTakeover::No, None),
        _ => (ContextTakeover::Yes, WindowBits::new(9)),
    };
    Some(SenderParameters { context_takeover, max_window_bits })
}
