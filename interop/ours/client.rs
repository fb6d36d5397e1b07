use std::fs;

use sansocket::blocking::{Client, ConnectError, TlsConnector};

use crate::Failure;
use crate::command::{ClientEnd, Terms};
use crate::conversation::play;
use crate::report::Report;

pub(crate) fn run(end: &ClientEnd, terms: &Terms) -> Result<Report, Failure> {
    let mut client = Client::new(&end.url)?.config(terms.config()).timeouts(terms.timeouts());
    for name in &terms.subprotocols {
        client = client.subprotocol(name)?;
    }
    if let Some(deflate) = terms.deflate()? {
        client = client.deflate(&deflate);
    }
    if let Some(authority) = &end.authority {
        client = client.tls(TlsConnector::with_pem_roots(&fs::read(authority)?)?);
    }
    match client.connect() {
        Ok(socket) => play(socket, &terms.steps),
        Err(ConnectError::Rejected(response)) => Ok(Report::Refused {
            status: response.status().as_u16(),
            body: Some(String::from_utf8(response.into_body())?),
        }),
        Err(error) => Err(error.into()),
    }
}
