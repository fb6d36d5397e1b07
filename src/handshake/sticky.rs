/// The error that a handshake has ended with, if it has: there is no going on from it.
#[derive(Debug)]
pub(super) struct Sticky<E>(Option<E>);

impl<E: Clone> Sticky<E> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Goes a step, unless one before has failed: then this is the same error again.
    #[inline(always)]
    pub(super) fn guard<T>(&mut self, step: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if let Some(error) = &self.0 {
            return Err(error.clone());
        }
        let outcome = step();
        if let Err(error) = &outcome {
            self.0 = Some(error.clone());
        }
        outcome
    }
}
