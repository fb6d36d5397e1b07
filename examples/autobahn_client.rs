//! The client that the Autobahn suite tests: it echoes every message of every case.
//!
//!     autobahn/run-client
//!
//! The environment says where the suite is, in `AUTOBAHN_URL`, and what it should call this client, in
//! `AUTOBAHN_AGENT`.

use std::env;
use std::error::Error;
use std::process::ExitCode;

use sansocket::blocking::Client;
use sansocket::handshake::UriError;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let url = env::var("AUTOBAHN_URL").unwrap_or_else(|_| "ws://127.0.0.1:9002".to_owned());
    let agent = env::var("AUTOBAHN_AGENT").unwrap_or_else(|_| "sansocket".to_owned());

    let cases = case_count(&url)?;
    println!("{cases} cases");
    for case in 1..=cases {
        let mut socket = client(&format!("{url}/runCase?case={case}&agent={agent}"))?.connect()?;
        // In many cases the suite breaks the protocol on purpose, and judges what happens.
        if let Err(error) = socket.serve(|message, outbox| outbox.send(message)) {
            println!("case {case}: {error}");
        }
    }
    client(&format!("{url}/updateReports?agent={agent}"))?.connect()?.read()?;
    Ok(())
}

fn case_count(url: &str) -> Result<usize, Box<dyn Error>> {
    let mut socket = client(&format!("{url}/getCaseCount"))?.connect()?;
    let message = socket.read()?.ok_or("the suite did not say how many cases there are")?;
    Ok(message.as_text().unwrap_or_default().parse()?)
}

fn client(url: &str) -> Result<Client, UriError> {
    let client = Client::new(url)?;
    #[cfg(feature = "deflate")]
    let client = client.deflate(&sansocket::extension::Deflate::default());
    Ok(client)
}
