use std::io::{self, BufRead, Read};

/// [`Read::read`] for a source that is read through its buffer.
pub(super) fn read(source: &mut impl BufRead, room: &mut [u8]) -> io::Result<usize> {
    // An empty read waits for nothing.
    if room.is_empty() {
        return Ok(0);
    }
    let count = source.fill_buf()?.read(room)?;
    source.consume(count);
    Ok(count)
}
