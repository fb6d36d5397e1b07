use std::fs;
use std::net::TcpListener;

use sansocket::blocking::{AcceptError, CloneSocket, Server, TlsAcceptor, WebSocket};
use sansocket::handshake::Decision;
use sansocket::http::StatusCode;
use sansocket::http::header::HeaderValue;

use crate::Failure;
use crate::command::{Identity, ServerEnd, Terms};
use crate::conversation::play;
use crate::report::{Listening, Report, print};

/// Serves one connection, on a port of its own.
pub(crate) fn run(end: &ServerEnd, terms: &Terms) -> Result<Report, Failure> {
    let server = server(end, terms)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    print(&Listening { port: listener.local_addr()?.port() })?;
    let (stream, _) = listener.accept()?;
    match &end.identity {
        None => converse(server.accept(stream), terms),
        Some(Identity { certificate, key }) => {
            let tls = TlsAcceptor::from_pem(&fs::read(certificate)?, &fs::read(key)?)?;
            converse(server.accept(tls.stream(stream)?), terms)
        }
    }
}

fn server(end: &ServerEnd, terms: &Terms) -> Result<Server, Failure> {
    let mut server = Server::new()
        .subprotocols(terms.subprotocols.clone())
        .config(terms.config())
        .timeouts(terms.timeouts());
    if let Some(deflate) = terms.deflate()? {
        server = server.deflate(&deflate);
    }
    if let Some(refusal) = &end.refuse {
        let (status, body) = (StatusCode::from_u16(refusal.status)?, refusal.body.clone());
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        server = server.on_request(move |_, _| Decision::reply(status, text.clone(), body.clone()));
    }
    Ok(server)
}

fn converse<S: CloneSocket + Send>(
    accepted: Result<WebSocket<S>, AcceptError>,
    terms: &Terms,
) -> Result<Report, Failure> {
    match accepted {
        Ok(socket) => play(socket, &terms.steps),
        Err(AcceptError::Refused { status, error: None }) => {
            Ok(Report::Refused { status: status.as_u16(), body: None })
        }
        Err(error) => Err(error.into()),
    }
}
