use alloc::vec::Vec;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::extension::deflate::pool::Pool;
use crate::extension::deflate::zlib::CompressorKind;

/// The compressed forms of one message, each made when the first connection needs it.
#[derive(Debug, Default)]
pub(crate) struct SharedCompression {
    forms: Mutex<Vec<(CompressorKind, Option<Bytes>)>>,
}

impl SharedCompression {
    /// Returns what this kind of compressor makes of the payload, with nothing to refer back to; `None`
    /// if that isn't smaller. Other callers wait for it while it is being made.
    pub(super) fn get_or_compress(
        &self,
        pool: &Pool,
        kind: CompressorKind,
        payload: &[u8],
    ) -> Option<Bytes> {
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, form)) = forms.iter().find(|(made_by, _)| *made_by == kind) {
            return form.clone();
        }
        let mut compressor = pool.compressor(kind);
        let compressed = compressor.finish(payload);
        pool.give_back_compressor(compressor);
        let form = (compressed.len() < payload.len()).then(|| Bytes::from(compressed));
        forms.push((kind, form.clone()));
        form
    }
}
