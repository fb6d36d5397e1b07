//! The example `echo_event_loop`, unchanged except for its `main`.

#[path = "../../../examples/echo_event_loop/alarm.rs"]
mod alarm;
#[path = "../../../examples/echo_event_loop/application.rs"]
mod application;
#[path = "../../../examples/echo_event_loop/deadlines.rs"]
mod deadlines;
#[path = "../../../examples/echo_event_loop/event_loop.rs"]
#[expect(clippy::module_inception, reason = "its name in the example")]
#[expect(dead_code, reason = "a server that is measured is killed, not stopped")]
mod event_loop;
#[path = "../../../examples/echo_event_loop/peer.rs"]
mod peer;
#[path = "../../../examples/echo_event_loop/replies.rs"]
mod replies;
#[path = "../../../examples/echo_event_loop/settings.rs"]
mod settings;
#[path = "../../../examples/echo_event_loop/socket.rs"]
mod socket;

use std::io;
use std::time::Duration;

use sansocket::handshake::{Decision, RequestError, UpgradeRequest};
use sansocket::http::Request;
use sansocket::{Message, SendError};

use application::Application;
use event_loop::EventLoop;
use replies::Replies;
use settings::Settings;

pub fn serve() -> io::Result<()> {
    let settings = Settings::new(10_000, Duration::from_secs(20));
    let event_loop = EventLoop::bind(([127, 0, 0, 1], 0).into(), settings, Echo)?;
    crate::servers::announce(event_loop.local_addr()?.port())?;
    event_loop.run()
}

struct Echo;

impl Application for Echo {
    fn on_request(
        &mut self,
        _: &Request<()>,
        _: Result<&UpgradeRequest<'_>, &RequestError>,
    ) -> Decision {
        Decision::accept()
    }

    #[inline]
    fn on_message(
        &mut self,
        message: Message<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<(), SendError> {
        replies.send(message)
    }
}
