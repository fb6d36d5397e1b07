//! It makes no difference how the bytes are cut.

use sansocket::Delivery;

use super::halves;
use super::script::{Script, pieces};
use super::setup::Setup;
use super::transcript::{Events, Transcript};

/// The input is a [`Setup`], the sizes of the pieces, and what the peer sends.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let setup = Setup::read(&mut script);
    let sizes = script.cuts();
    any_cut_is_the_same(setup, script.0, &sizes);
    halves::any_cut_is_the_same(setup, script.0, &sizes);
    chunks_make_up_messages(setup, script.0, &sizes);
}

/// Cut in any way, the bytes give the same events, the same error, the same outgoing bytes and the
/// same end.
pub fn any_cut_is_the_same(setup: Setup, bytes: &[u8], sizes: &[usize]) {
    for sizes in [sizes, &[1]] {
        let whole = Transcript::of(setup, &[bytes]);
        Transcript::of(setup, &pieces(bytes, sizes)).assert_same(whole);
    }
}

/// What is delivered in chunks adds up to what is delivered whole.
pub fn chunks_make_up_messages(setup: Setup, bytes: &[u8], sizes: &[usize]) {
    let deliver = |delivery| {
        let mut connection = setup.with_delivery(delivery).connection();
        let mut events = Events::default();
        let mut outcome = Ok(());
        for piece in pieces(bytes, sizes) {
            outcome = events.take(&mut connection, piece);
        }
        (events.whole_messages(), outcome)
    };
    assert_eq!(deliver(Delivery::Chunks), deliver(Delivery::Messages));
}
