//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455, section 9.1).
//!
//! It is strict even where no extension is supported: a field that nobody could understand fails
//! the handshake.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::str;

use crate::extension::token::{is_token, is_token_byte};

/// One element of `Sec-WebSocket-Extensions`: an extension with its parameters.
///
/// A client offers extensions in its order of preference; the same extension may be offered more
/// than once, with different parameters. The elements of a server's answer have the same form.
///
/// ```
/// use sansocket::extension::ExtensionOffer;
///
/// let field = b"permessage-deflate; client_max_window_bits, x-other; level=\"7\"";
/// let offers = ExtensionOffer::parse_all([&field[..]])?;
/// assert_eq!(offers[0].name(), "permessage-deflate");
/// assert_eq!(offers[1].parameters()[0].value(), Some("7"));
/// # Ok::<(), sansocket::extension::MalformedExtensions>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionOffer<'a> {
    name: &'a str,
    parameters: Vec<ExtensionParameter<'a>>,
}

impl<'a> ExtensionOffer<'a> {
    /// Returns the registered name of the extension, such as `permessage-deflate`.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the parameters in the order in which they were written.
    pub fn parameters(&self) -> &[ExtensionParameter<'a>] {
        &self.parameters
    }

    /// Parses the elements of the field over all its lines, in order; there are none if there is no line.
    ///
    /// # Errors
    ///
    /// [`MalformedExtensions`] if a line breaks the grammar, or the lines have no element.
    pub fn parse_all(
        lines: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<Self>, MalformedExtensions> {
        let mut offers = Vec::new();
        let mut absent = true;
        for line in lines {
            absent = false;
            let mut rest = Rest(str::from_utf8(line).map_err(|_| MalformedExtensions)?);
            rest.skip_empty_elements();
            while !rest.is_empty() {
                offers.push(rest.extension()?);
                // Anything but a comma after an extension belongs to nothing.
                if !rest.is_empty() && !rest.take(',') {
                    return Err(MalformedExtensions);
                }
                rest.skip_empty_elements();
            }
        }
        // §9.1: the list has at least one element.
        if offers.is_empty() && !absent { Err(MalformedExtensions) } else { Ok(offers) }
    }
}

/// A parameter of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionParameter<'a> {
    name: &'a str,
    value: Option<Cow<'a, str>>,
}

impl<'a> ExtensionParameter<'a> {
    /// Returns the name as it was written.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Returns the value without its quotes, never empty; `None` if the parameter has none.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }
}

/// The field `Sec-WebSocket-Extensions` breaks the grammar of section 9.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Sec-WebSocket-Extensions field is malformed")]
pub struct MalformedExtensions;

/// What may surround tokens (RFC 9110, section 5.6.3).
const SPACE: [char; 2] = [' ', '\t'];

/// The part of a line that is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn extension(&mut self) -> Result<ExtensionOffer<'a>, MalformedExtensions> {
        let name = self.token()?;
        let mut parameters = Vec::new();
        while self.take(';') {
            parameters.push(self.parameter()?);
        }
        Ok(ExtensionOffer { name, parameters })
    }

    fn parameter(&mut self) -> Result<ExtensionParameter<'a>, MalformedExtensions> {
        let name = self.token()?;
        let value = if !self.take('=') {
            None
        } else if self.0.starts_with('"') {
            Some(self.quoted_token()?)
        } else {
            Some(Cow::Borrowed(self.token()?))
        };
        Ok(ExtensionParameter { name, value })
    }

    fn token(&mut self) -> Result<&'a str, MalformedExtensions> {
        let end = self.0.bytes().position(|byte| !is_token_byte(byte)).unwrap_or(self.0.len());
        match self.0.split_at_checked(end) {
            Some((token, rest)) if !token.is_empty() => {
                self.0 = rest.trim_start_matches(SPACE);
                Ok(token)
            }
            _ => Err(MalformedExtensions),
        }
    }

    /// Reads a quoted string, whose value has to be a token once its escapes are resolved.
    fn quoted_token(&mut self) -> Result<Cow<'a, str>, MalformedExtensions> {
        let quoted = self.0.strip_prefix('"').ok_or(MalformedExtensions)?;
        let mut unescaped = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    let value = match quoted.get(..at) {
                        Some(value) if value.len() == unescaped.len() => Cow::Borrowed(value),
                        _ => Cow::Owned(unescaped),
                    };
                    self.0 = characters.as_str().trim_start_matches(SPACE);
                    return if is_token(&value) { Ok(value) } else { Err(MalformedExtensions) };
                }
                '\\' => unescaped.extend(characters.next().map(|(_, escaped)| escaped)),
                _ => unescaped.push(character),
            }
        }
        Err(MalformedExtensions)
    }

    fn take(&mut self, separator: char) -> bool {
        match self.0.strip_prefix(separator) {
            Some(rest) => {
                self.0 = rest.trim_start_matches(SPACE);
                true
            }
            None => false,
        }
    }

    fn skip_empty_elements(&mut self) {
        self.0 = self.0.trim_start_matches(|next| next == ',' || SPACE.contains(&next));
    }

    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    /// The offers in a one-line notation, or `None` if they are malformed.
    fn parse(lines: &[&str]) -> Option<String> {
        let lines = lines.iter().map(|line| line.as_bytes());
        let offers = ExtensionOffer::parse_all(lines).ok()?;
        let offers = offers.iter().map(|offer| {
            let parameters = offer.parameters().iter().map(|parameter| match parameter.value() {
                Some(value) => format!(";{}={value}", parameter.name()),
                None => format!(";{}", parameter.name()),
            });
            format!("{}{}", offer.name(), parameters.collect::<String>())
        });
        Some(offers.collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn offers_keep_their_order_over_all_lines() {
        for (lines, expected) in [
            (&[][..], ""),
            (&["foo"], "foo"),
            (&["foo, bar;baz=2"], "foo|bar;baz=2"),
            (&["foo;a", "foo;b"], "foo;a|foo;b"),
            (&[", foo ,, bar,", ""], "foo|bar"),
            (&["foo\t; a ; b = 1 ,bar"], "foo;a;b=1|bar"),
            (&["foo; a=\"1\"; b=\"\\x\\y\""], "foo;a=1;b=xy"),
            (&["foo; a=\"x\\y\" , bar"], "foo;a=xy|bar"),
        ] {
            assert_eq!(parse(lines).as_deref(), Some(expected), "{lines:?}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        for line in [
            "",
            ",",
            ";a",
            "foo;",
            "foo;;a",
            "foo; a=",
            "foo; =1",
            "foo; a=1 b",
            "foo bar",
            "foo\n;a",
            "foo;\x0ca",
            "foo/1",
            "\"foo\"",
            "foo; a=\"",
            "foo; a=\"1",
            "foo; a=\"1\\",
            "foo; a=\"1\\\"",
            "foo; a=\"1\"\"",
            "foo; a=\"1\"x",
            "foo; a=\"\"",
            "foo; a=\"1 2\"",
            "foo; a=\"1,2\"",
            "foo; a=\"\\\"\"",
            "foo; a=\"1\\\\2\"",
            "foo; a=1, bar baz",
        ] {
            assert_eq!(parse(&[line]), None, "{line}");
        }
        assert_eq!(ExtensionOffer::parse_all([&b"foo\xff"[..]]), Err(MalformedExtensions));
        assert_eq!(
            ExtensionOffer::parse_all(["foo; a=\"\u{e9}\"".as_bytes()]),
            Err(MalformedExtensions)
        );
    }
}
