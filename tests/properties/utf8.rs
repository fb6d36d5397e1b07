//! §8.1: a text is UTF-8 exactly if the standard library says so, wherever it is cut.

use proptest::prelude::*;
use sansocket::{MessageKind, ProtocolError, Role};

use crate::laws::reference::TEXT;
use crate::laws::script::pieces;
use crate::laws::setup::Setup;
use crate::laws::transcript::{Seen, Transcript};
use crate::strategies::{fragments, input, nearly_utf8, role, sizes};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_verdict_is_that_of_the_standard_library(
        role in role(), text in nearly_utf8(), fragmented in sizes(), cut in sizes(),
    ) {
        let bytes = input(&fragments(TEXT, &text, &fragmented), role);
        let transcript = Transcript::of(Setup::new(role), &pieces(&bytes, &cut));
        if std::str::from_utf8(&text).is_ok() {
            prop_assert_eq!(transcript.seen, [Seen::Message(MessageKind::Text, text)]);
            prop_assert_eq!(transcript.error, None);
        } else {
            prop_assert_eq!(transcript.seen, []);
            prop_assert_eq!(transcript.error, Some(ProtocolError::InvalidUtf8));
        }
    }

    #[test]
    fn it_fails_at_the_byte_after_which_nothing_is_valid(text in nearly_utf8()) {
        // The frame announces one byte more, so that it never ends.
        let mut frame = fragments(TEXT, &[&text[..], b"."].concat(), &[])[0].encode(Role::Server);
        frame.pop();
        let transcript = Transcript::of(Setup::new(Role::Client), &[&frame]);
        let is_hopeless = std::str::from_utf8(&text).is_err_and(|error| error.error_len().is_some());
        prop_assert_eq!(transcript.error.is_some(), is_hopeless);
    }
}
