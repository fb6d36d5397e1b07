//! Tokens, and the fields that are lists of them (RFC 9110, sections 5.6.1 and 5.6.2).

use http::header::{GetAll, HeaderMap, HeaderName, HeaderValue};

/// Whether a field that is a list of tokens has this one among its elements, without case.
///
/// The field may stand on several lines, and elements may be empty. Only a whole element matches:
/// `websocket2` is not `websocket`.
pub(super) fn list_contains(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers.get_all(name).iter().any(|line| {
        line.as_bytes()
            .split(|byte| *byte == b',')
            .any(|element| element.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    })
}

/// The elements of a field that must be a list of at least one token, over all its lines.
///
/// `None` if one element isn't a token or if there is none at all. Empty elements don't count.
pub(super) fn elements(lines: GetAll<'_, HeaderValue>) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    for line in lines {
        for element in line.to_str().ok()?.split(',').map(str::trim_ascii) {
            match element {
                "" => {}
                token if is_token(token) => tokens.push(token),
                _ => return None,
            }
        }
    }
    (!tokens.is_empty()).then_some(tokens)
}

/// Whether the text is a token: at least one character, none of them a separator.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether the byte may be part of a token.
pub(super) const fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`'
        | b'|' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
}

#[cfg(test)]
mod tests {
    use http::header::{CONNECTION, SEC_WEBSOCKET_PROTOCOL};

    use super::*;

    fn headers(name: &HeaderName, lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn a_token_is_found_without_case_in_any_line_and_among_empty_elements() {
        for lines in [
            &["Upgrade"][..],
            &["keep-alive, Upgrade"],
            &["keep-alive", "uPGRADE"],
            &[",, \tupgrade\t ,"],
        ] {
            assert!(list_contains(&headers(&CONNECTION, lines), &CONNECTION, "upgrade"));
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
            assert!(!list_contains(&headers(&CONNECTION, lines), &CONNECTION, "upgrade"));
        }
    }

    #[test]
    fn the_elements_of_a_list_are_tokens_and_at_least_one() {
        let parse = |lines: &[&'static str]| {
            let headers = headers(&SEC_WEBSOCKET_PROTOCOL, lines);
            elements(headers.get_all(SEC_WEBSOCKET_PROTOCOL))
                .map(|tokens| tokens.into_iter().map(String::from).collect::<Vec<_>>())
        };
        assert_eq!(parse(&["a, b", ",c,"]), Some(vec!["a".into(), "b".into(), "c".into()]));
        for malformed in [&[][..], &[""], &[", ,"], &["a b"], &["a;b"], &["\"a\""], &["a/b"]] {
            assert_eq!(parse(malformed), None, "{malformed:?}");
        }
    }
}
