/// The error that a handshake has ended with, if it has: there is no going on from it.
#[derive(Debug)]
pub(super) struct Sticky<E>(Option<E>);

impl<E: Clone> Sticky<E> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// That nothing has failed yet; otherwise this is the same error again.
    #[inline]
    pub(super) fn check(&self) -> Result<(), E> {
        match &self.0 {
            None => Ok(()),
            Some(error) => Err(error.clone()),
        }
    }

    /// Keeps the error, and hands it on.
    #[cold]
    pub(super) fn keep(&mut self, error: E) -> E {
        self.0 = Some(error.clone());
        error
    }
}
