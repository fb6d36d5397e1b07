//! The head of an HTTP message, read in the plainest way (RFC 9112).

/// A head that was taken apart.
#[derive(Debug)]
pub struct Head<'a> {
    /// The first line.
    pub start: &'a [u8],
    /// Names and values, in order, without the white space around a value.
    pub fields: Vec<(&'a [u8], &'a [u8])>,
    /// What follows the blank line.
    pub rest: &'a [u8],
}

impl<'a> Head<'a> {
    /// The head at the front of these bytes; panics if there is none, or if it is not strictly one.
    pub fn read(bytes: &'a [u8]) -> Self {
        let blank = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a blank line");
        let (head, rest) = (&bytes[..blank], &bytes[blank + 4..]);
        let mut lines = Vec::new();
        let mut left = head;
        while let Some(end) = left.windows(2).position(|two| two == b"\r\n") {
            lines.push(&left[..end]);
            left = &left[end + 2..];
        }
        lines.push(left);
        for line in &lines {
            assert!(!line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t'), "{line:?}");
        }
        let fields = lines[1..].iter().map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').expect("a colon");
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            assert!(is_token(name), "{name:?} isn't a name");
            (name, value)
        });
        Self { start: lines[0], fields: fields.collect(), rest }
    }

    /// The values of the fields of this name.
    pub fn values(&self, name: &str) -> Vec<&'a [u8]> {
        let named = |field: &&(&[u8], _)| field.0.eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().filter(named).map(|field| field.1).collect()
    }

    /// The value of the one field of this name.
    pub fn value(&self, name: &str) -> &'a [u8] {
        let values = self.values(name);
        assert_eq!(values.len(), 1, "{name} appears once");
        values[0]
    }

    /// Whether a list has this element, ignoring case.
    pub fn list_has(&self, name: &str, element: &str) -> bool {
        let elements = self.values(name).into_iter().flat_map(|line| line.split(|b| *b == b','));
        elements.into_iter().any(|each| each.trim_ascii().eq_ignore_ascii_case(element.as_bytes()))
    }

    /// Whether a list has an element that begins with this name, whatever its parameters are.
    pub fn list_names(&self, field: &str, name: &str) -> bool {
        let lines = self.values(field).into_iter();
        lines.flat_map(|line| line.split(|byte| *byte == b',')).any(|element| {
            element.trim_ascii().strip_prefix(name.as_bytes()).is_some_and(|behind| {
                behind.trim_ascii_start().first().is_none_or(|byte| *byte == b';')
            })
        })
    }
}

/// RFC 9110, section 5.6.2.
pub fn is_token(bytes: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_tchar)
}
