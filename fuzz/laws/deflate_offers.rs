//! Whatever `Sec-WebSocket-Extensions` holds, what becomes of it is within the reader's policy, and can
//! be read again.

use sansocket::extension::{
    ContextTakeover, Deflate, DeflateParameters, ExtensionOffer, SenderParameters, WindowBits,
};

use super::script::Script;

/// The input is a policy, and the lines of the field.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let policy = DeflateParameters { server: wish(script.byte()), client: wish(script.byte()) };
    let lines: Vec<&[u8]> = script.0.split(|&byte| byte == b'\n').collect();
    let Ok(offers) = ExtensionOffer::parse_all(lines) else { return };
    assert!(!offers.is_empty());
    let deflate = deflate(policy);

    if let Some(agreed) = deflate.accept(&offers) {
        let agreed = *agreed.parameters();
        check_server(policy, agreed);
        let answer = agreed.to_string();
        let answer = ExtensionOffer::parse_all([answer.as_bytes()]).expect("an answer of its own");
        assert_eq!(answer.len(), 1);
        // A client with no wishes takes any answer.
        let checked = Deflate::default().check(&answer[0]).expect("a valid answer");
        assert_eq!(*checked.parameters(), agreed);
    }
    for offer in &offers {
        if let Ok(agreed) = deflate.check(offer) {
            assert_eq!(offer.name(), "permessage-deflate");
            let agreed = *agreed.parameters();
            check_server(policy, agreed);
            check_sender(policy.client, agreed.client);
        }
    }
}

/// What is agreed on for the server is what was wanted, or less.
fn check_server(policy: DeflateParameters, agreed: DeflateParameters) {
    check_sender(policy.server, agreed.server);
    assert!(
        policy.client.context_takeover == ContextTakeover::Yes
            || agreed.client.context_takeover == ContextTakeover::No
    );
}

fn check_sender(wanted: SenderParameters, agreed: SenderParameters) {
    let window = |sender: SenderParameters| sender.max_window_bits.unwrap_or(WindowBits::MAX);
    assert!(window(agreed) <= window(wanted));
    assert!(
        wanted.context_takeover == ContextTakeover::Yes
            || agreed.context_takeover == ContextTakeover::No
    );
}

fn wish(bits: u8) -> SenderParameters {
    SenderParameters {
        context_takeover: if bits & 1 == 0 { ContextTakeover::Yes } else { ContextTakeover::No },
        max_window_bits: WindowBits::new(bits >> 1 & 0x0F),
    }
}

fn deflate(DeflateParameters { server, client }: DeflateParameters) -> Deflate {
    let mut deflate = Deflate::default();
    if server.context_takeover == ContextTakeover::No {
        deflate = deflate.server_no_context_takeover();
    }
    if client.context_takeover == ContextTakeover::No {
        deflate = deflate.client_no_context_takeover();
    }
    if let Some(bits) = server.max_window_bits {
        deflate = deflate.server_max_window_bits(bits);
    }
    if let Some(bits) = client.max_window_bits {
        deflate = deflate.client_max_window_bits(bits);
    }
    deflate
}
