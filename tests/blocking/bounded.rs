use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Far more than any test needs, even on a busy machine; a test that hangs ends then.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs the body of a test, which fails if it hangs.
pub(crate) fn bounded(body: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel();
    let test = thread::spawn(move || {
        body();
        // Nobody listens any more if it took too long.
        let _ = done.send(());
    });
    match ended.recv_timeout(PATIENCE) {
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
        // Without a message, the body has panicked.
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {
            test.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    }
}

#[test]
#[should_panic(expected = "as it should")]
fn what_panics_in_a_bounded_body_fails_the_test() {
    bounded(|| panic!("as it should"));
}
