/// The error that has ended a handshake, if there is one. It is final.
#[derive(Debug)]
pub(super) struct Sticky<E>(Option<E>);

impl<E: Clone> Sticky<E> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Returns the error again, if there is one.
    #[inline]
    pub(super) fn check(&self) -> Result<(), E> {
        match &self.0 {
            None => Ok(()),
            Some(error) => Err(error.clone()),
        }
    }

    /// The error, if there was one.
    pub(super) fn into_error(self) -> Option<E> {
        self.0
    }

    /// Keeps the error, and returns it.
    #[cold]
    pub(super) fn keep(&mut self, error: E) -> E {
        self.0 = Some(error.clone());
        error
    }
}
