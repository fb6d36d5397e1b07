//! The example `echo_server`, as a process of its own.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::PATIENCE;

pub(crate) struct EchoServer {
    child: Child,
    url: String,
    output: Receiver<String>,
    complaints: Receiver<String>,
    readers: Vec<JoinHandle<()>>,
}

impl EchoServer {
    /// Starts it on a free port, and waits until it listens.
    pub(crate) fn start(program: &Path) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(program)
            .arg("127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let mut readers = Vec::new();
        let output = lines(child.stdout.take(), &mut readers);
        let complaints = lines(child.stderr.take(), &mut readers);
        let mut server = Self { child, url: String::new(), output, complaints, readers };
        let line = server.output.recv_timeout(PATIENCE).unwrap_or_default();
        let Some(url) = line.strip_prefix("listening on ") else {
            return Err(format!("the server does not say where it listens, but {line:?}").into());
        };
        url.clone_into(&mut server.url);
        Ok(server)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Makes it go away, as Ctrl-C does.
    pub(crate) fn interrupt(&self) -> io::Result<()> {
        // The child was not waited for yet, so no other process has its number.
        let kill = format!("kill -INT {}", self.id());
        let status = Command::new("sh").args(["-c", &kill]).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("kill failed")) }
    }

    /// Waits until it has ended, but no longer than this.
    pub(crate) fn wait(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let started = Instant::now();
        loop {
            match self.child.try_wait()? {
                None if started.elapsed() < limit => thread::sleep(Duration::from_millis(5)),
                status => return Ok(status),
            }
        }
    }

    /// What it has complained about, once it has ended, and how often.
    pub(crate) fn complaints(mut self) -> BTreeMap<String, u64> {
        self.stop();
        let mut complaints = BTreeMap::new();
        for line in &self.complaints {
            // The client comes first.
            let what = line.split_once(": ").map_or(line.as_str(), |(_, what)| what);
            *complaints.entry(what.to_owned()).or_default() += 1;
        }
        complaints
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

impl Drop for EchoServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The lines of a pipe, which is read to its end so that writing to it never has to wait.
fn lines(
    pipe: Option<impl Read + Send + 'static>,
    readers: &mut Vec<JoinHandle<()>>,
) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(pipe) = pipe {
        readers.push(thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        }));
    }
    receiver
}
