//! Whatever is compressed or pretends to be comes out as the [reference](super::reference_inflate) has it,
//! the same however it is cut and delivered, and never more of it than the limit.

use sansocket::extension::{
    AgreedDeflate, ContextTakeover, Deflate, DeflateParameters, SenderParameters, WindowBits,
};
use sansocket::frame::{FrameHeader, MaskingKey, Opcode, Rsv};
use sansocket::{Delivery, ProtocolError, Role};

use super::reference::Reader;
use super::script::{Script, pieces};
use super::setup::Setup;
use super::transcript::{Events, Seen};

/// The input is a setup, the parameters, how to cut the payload into fragments and the wire into reads,
/// and the payload of a message.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let setup = Setup { deflate: None, ..Setup::read(&mut script) };
    let bits = script.byte();
    let sender = SenderParameters {
        context_takeover: if bits & 1 == 0 { ContextTakeover::Yes } else { ContextTakeover::No },
        max_window_bits: WindowBits::new(8 + (bits >> 1 & 7)),
    };
    let opcode = if bits & 0x10 == 0 { Opcode::Text } else { Opcode::Binary };
    let (fragments, reads) = (script.cuts(), script.cuts());
    // Twice, as the second may refer to the first.
    let message = message(setup.role.peer(), opcode, &pieces(script.0, &fragments));
    inflate(setup, sender, &message.repeat(2), &reads);
}

/// The same comes out of any reads and in both deliveries, and out of the reference, and no message is over
/// the limit, where the peer compresses as these parameters say and this end in another way.
pub fn inflate(setup: Setup, sender: SenderParameters, bytes: &[u8], reads: &[usize]) {
    let own = SenderParameters {
        context_takeover: match sender.context_takeover {
            ContextTakeover::Yes => ContextTakeover::No,
            ContextTakeover::No => ContextTakeover::Yes,
        },
        max_window_bits: None,
    };
    let parameters = match setup.role {
        Role::Server => DeflateParameters { server: own, client: sender },
        Role::Client => DeflateParameters { server: sender, client: own },
    };
    let agreed = Deflate::default().agree(parameters);
    let expected = receive(setup.with_delivery(Delivery::Messages), &agreed, &[bytes]);
    for seen in &expected.0 {
        if let Seen::Message(_, message) = seen {
            assert!(message.len() as u64 <= setup.max_message_size);
        }
    }
    let mut reference = Reader::of_input(Setup { deflate: Some(parameters), ..setup });
    let outcome = reference.read(bytes);
    assert_eq!(expected.0, reference.seen);
    assert_eq!(expected.1.map_err(|error| error.close_code().get()), outcome);
    for delivery in [Delivery::Messages, Delivery::Chunks] {
        let setup = setup.with_delivery(delivery);
        assert_eq!(receive(setup, &agreed, &[bytes]), expected);
        assert_eq!(receive(setup, &agreed, &pieces(bytes, reads)), expected);
    }
}

fn receive(
    setup: Setup,
    agreed: &AgreedDeflate,
    reads: &[&[u8]],
) -> (Vec<Seen>, Result<(), ProtocolError>) {
    let mut connection = setup.connection().with_deflate(agreed);
    let mut events = Events::default();
    let outcome = reads.iter().try_for_each(|read| events.take(&mut connection, read));
    (events.whole_messages(), outcome)
}

/// A compressed message in these fragments, or in an empty one.
fn message(sender: Role, opcode: Opcode, fragments: &[&[u8]]) -> Vec<u8> {
    let fragments = if fragments.is_empty() { &[&[][..]] } else { fragments };
    let mut bytes = Vec::new();
    for (at, fragment) in fragments.iter().enumerate() {
        let mask = (sender == Role::Client).then_some(MaskingKey::new([0x1B, 0x2D, 0x4E, 0x87]));
        let header = FrameHeader {
            fin: at + 1 == fragments.len(),
            rsv: if at == 0 { Rsv::RSV1 } else { Rsv::NONE },
            opcode: if at == 0 { opcode } else { Opcode::Continuation },
            mask,
            payload_len: fragment.len() as u64,
        };
        bytes.extend_from_slice(header.encode().as_ref());
        match mask {
            Some(key) => key.append(fragment, &mut bytes),
            None => bytes.extend_from_slice(fragment),
        }
    }
    bytes
}
