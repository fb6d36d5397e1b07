//! Tokens, and the fields that are lists of them (RFC 9110, sections 5.6.1 and 5.6.2).

use crate::extension::is_token;
use crate::handshake::field::{Field, eq_without_case, text};

/// Returns whether a field that is a list of tokens contains this one, ignoring case.
///
/// The field may span several lines, and elements may be empty. Only a whole element matches:
/// `websocket2` is not `websocket`.
pub(super) fn list_contains<const N: usize>(list: &Field<'_>, token: &[u8; N]) -> bool {
    list.elements().any(|element| eq_without_case(element, token))
}

/// Returns the elements of a field that must be a list of at least one token, from all its lines.
///
/// Returns `None` if an element isn't a token or if there is none at all. Empty elements don't count.
pub(super) fn elements<'a>(list: &Field<'a>) -> Option<Vec<&'a str>> {
    let token = |element| text(element).filter(|element| is_token(element));
    let tokens: Vec<_> = list.elements().map(token).collect::<Option<_>>()?;
    (!tokens.is_empty()).then_some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field<'a>(lines: &[&'a str]) -> Field<'a> {
        lines.iter().map(|line| line.as_bytes()).collect()
    }

    #[test]
    fn a_token_is_found_without_case_in_any_line_and_among_empty_elements() {
        for lines in [
            &["Upgrade"][..],
            &["keep-alive, Upgrade"],
            &["keep-alive", "uPGRADE"],
            &[",, \tupgrade\t ,"],
        ] {
            assert!(list_contains(&field(lines), b"upgrade"));
        }
    }

    #[test]
    fn a_part_of_an_element_is_no_match() {
        for lines in [
            &[][..],
            &[""],
            &["upgrades"],
            &["no-upgrade"],
            &["up grade"],
            &["\"upgrade\""],
            &["upgrade;q=1"],
            &["upgrade/1"],
        ] {
            assert!(!list_contains(&field(lines), b"upgrade"));
        }
    }

    #[test]
    fn the_elements_of_a_list_are_tokens_and_at_least_one() {
        let parse = |lines: &[&str]| {
            elements(&field(lines))
                .map(|tokens| tokens.into_iter().map(String::from).collect::<Vec<_>>())
        };
        assert_eq!(parse(&["a, b", ",c,"]), Some(vec!["a".into(), "b".into(), "c".into()]));
        for malformed in [&[][..], &[""], &[", ,"], &["a b"], &["a;b"], &["\"a\""], &["a/b"]] {
            assert_eq!(parse(malformed), None, "{malformed:?}");
        }
    }
}
