use std::env;
use std::path::PathBuf;
use std::process;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lexopt::{Arg, ValueExt};

const USAGE: &str = "\
usage: soak [OPTIONS]

Has clients talk at random to the example echo_server, and accounts for everything.

options:
  --seconds N    how long it takes, roughly; 45 by default, 10 at least
  --clients N    how many there are at the same time; 200 by default, 500 at most
  --seed N       what the clients do; another one each time by default
  --server FILE  the echo_server; by default the one beside this program
  -h, --help     show this";

/// The server allows 1000 at a time, and may not have noticed yet that a client has gone.
const MOST_CLIENTS: usize = 500;

/// Less is not enough to say anything about memory.
const LEAST_SECONDS: u64 = 10;

pub(crate) struct Options {
    pub(crate) duration: Duration,
    pub(crate) clients: usize,
    pub(crate) seed: u64,
    pub(crate) server: PathBuf,
}

impl Options {
    pub(crate) fn parse() -> Result<Self, lexopt::Error> {
        let (mut seconds, mut clients, mut seed, mut server) = (45, 200, None, None);
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => {
                    println!("{USAGE}");
                    process::exit(0);
                }
                Arg::Long("seconds") => seconds = arguments.value()?.parse()?,
                Arg::Long("clients") => clients = arguments.value()?.parse()?,
                Arg::Long("seed") => seed = Some(arguments.value()?.parse()?),
                Arg::Long("server") => server = Some(arguments.value()?.into()),
                _ => return Err(argument.unexpected()),
            }
        }
        if seconds < LEAST_SECONDS {
            return Err(format!("--seconds is {LEAST_SECONDS} at least").into());
        }
        if !(1..=MOST_CLIENTS).contains(&clients) {
            return Err(format!("--clients is between 1 and {MOST_CLIENTS}").into());
        }
        Ok(Self {
            duration: Duration::from_secs(seconds),
            clients,
            seed: seed.unwrap_or_else(new_seed),
            server: server.map_or_else(server_beside_this, Ok)?,
        })
    }
}

fn new_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) ^ now.as_secs()
}

fn server_beside_this() -> Result<PathBuf, lexopt::Error> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let server = this.with_file_name(format!("echo_server{}", env::consts::EXE_SUFFIX));
    if server.exists() {
        Ok(server)
    } else {
        Err(format!("there is no {}: build the example echo_server", server.display()).into())
    }
}
