//! Where a `Location` leads (RFC 9110, section 10.2.2; RFC 3986, section 5.2).

use crate::handshake::uri::{UriError, WebSocketUri};

/// Resolves a reference relative to `base`. Its fragment means nothing here and is dropped.
pub(super) fn resolve(base: &WebSocketUri, reference: &str) -> Result<WebSocketUri, UriError> {
    let (reference, _fragment) = reference.split_once('#').unwrap_or((reference, ""));
    let (scheme, rest) = match reference.split_once(':') {
        // RFC 3986, §4.2: anything before a colon in the first segment is a scheme.
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            (Some(websocket_scheme(scheme)?), rest)
        }
        _ => (None, reference),
    };
    let (authority, rest) = match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            (Some(authority), rest)
        }
        // With a scheme but no authority, it isn't a reference within the base either.
        None if scheme.is_some() => return Err(UriError::Host),
        None => (None, rest),
    };
    let scheme = scheme.unwrap_or(base.scheme().as_str());
    let target = match authority {
        Some(authority) => format!("{authority}{}", with_path(rest, without_dot_segments)),
        None => format!("{}{}", base.host_field(), resolve_within(base.resource_name(), rest)),
    };
    format!("{scheme}://{target}").parse()
}

/// Maps a scheme that the server, as a web server, may write to that of a WebSocket URI: `http`
/// stands for `ws`, and `https` for `wss`.
fn websocket_scheme(scheme: &str) -> Result<&'static str, UriError> {
    match scheme.to_ascii_lowercase().as_str() {
        "ws" | "http" => Ok("ws"),
        "wss" | "https" => Ok("wss"),
        _ => Err(UriError::Scheme),
    }
}

/// Resolves a reference without an authority, and returns its path and query.
fn resolve_within(base: &str, reference: &str) -> String {
    let base_path = base.split('?').next().unwrap_or_default();
    match reference.as_bytes() {
        [] => base.to_owned(),
        [b'?', ..] => format!("{base_path}{reference}"),
        [b'/', ..] => with_path(reference, without_dot_segments),
        // Whatever follows the last slash is replaced.
        _ => with_path(reference, |path| {
            let folder = base_path.rsplit_once('/').map_or("", |(folder, _)| folder);
            without_dot_segments(&format!("{folder}/{path}"))
        }),
    }
}

/// Replaces the path, and keeps the query.
fn with_path(text: &str, replace: impl Fn(&str) -> String) -> String {
    match text.split_once('?') {
        Some((path, query)) => format!("{}?{query}", replace(path)),
        None => replace(text),
    }
}

/// Removes the dot segments (RFC 3986, section 5.2.4) of a path that is empty or begins with a slash.
fn without_dot_segments(path: &str) -> String {
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            segment => {
                kept.push(segment);
                continue;
            }
        }
        // A path that leads to a folder ends with a slash.
        if segments.peek().is_none() {
            kept.push("");
        }
    }
    kept.into_iter().flat_map(|segment| ["/", segment]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(base: &str, reference: &str) -> Result<String, UriError> {
        resolve(&base.parse().expect(base), reference).map(|uri| uri.to_string())
    }

    /// RFC 3986, sections 5.4.1 and 5.4.2.
    #[test]
    fn the_examples_of_the_rfc() {
        for (reference, path) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            ("#s", "/b/c/d;p?q"),
            ("g#s", "/b/c/g"),
            ("g?y#s", "/b/c/g?y"),
            (";x", "/b/c/;x"),
            ("g;x", "/b/c/g;x"),
            ("g;x?y#s", "/b/c/g;x?y"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("./", "/b/c/"),
            ("..", "/b/"),
            ("../", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../", "/"),
            ("../../g", "/g"),
            ("../../../g", "/g"),
            ("../../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            (".g", "/b/c/.g"),
            ("g..", "/b/c/g.."),
            ("..g", "/b/c/..g"),
            ("./../g", "/b/g"),
            ("./g/.", "/b/c/g/"),
            ("g/./h", "/b/c/g/h"),
            ("g/../h", "/b/c/h"),
            ("g;x=1/./y", "/b/c/g;x=1/y"),
            ("g;x=1/../y", "/b/c/y"),
            ("g?y/./x", "/b/c/g?y/./x"),
            ("g?y/../x", "/b/c/g?y/../x"),
            ("g#s/../x", "/b/c/g"),
        ] {
            let expected = Ok(format!("ws://a{path}"));
            assert_eq!(resolved("ws://a/b/c/d;p?q", reference), expected, "{reference}");
        }
        assert_eq!(resolved("ws://a/b/c/d;p?q", "//g"), Ok("ws://g/".into()));
        assert_eq!(resolved("ws://a/b/c/d;p?q", "g:h"), Err(UriError::Scheme));
    }
}
