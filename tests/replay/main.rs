//! Every seed of every fuzz target, the corpus gathered from what the fuzzer found, and every input
//! with which it ever broke a law, held to the law of its target: without nightly, in every `cargo test`.
#![cfg(feature = "std")]
#![allow(clippy::expect_used, reason = "a test panics")]

#[allow(dead_code, unreachable_pub, reason = "written as a library for the fuzz targets")]
#[path = "../../fuzz/laws/mod.rs"]
mod laws;

use std::path::{Path, PathBuf};
use std::{fs, panic};

#[test]
fn frame_header() {
    replay("frame_header");
}

#[test]
fn decoder() {
    replay("decoder");
}

#[test]
fn differential() {
    replay("differential");
}

#[test]
fn connection() {
    replay("connection");
}

#[test]
fn halves() {
    replay("halves");
}

#[test]
fn prepared() {
    replay("prepared");
}

#[test]
fn round_trip() {
    replay("round_trip");
}

#[cfg(feature = "handshake")]
#[test]
fn server_handshake() {
    replay("server_handshake");
}

#[cfg(feature = "handshake")]
#[test]
fn client_handshake() {
    replay("client_handshake");
}

#[cfg(feature = "handshake")]
#[test]
fn pipe() {
    replay("pipe");
}

#[cfg(feature = "handshake")]
#[test]
fn proxy_handshake() {
    replay("proxy_handshake");
}

#[cfg(feature = "handshake")]
#[test]
fn redirect() {
    replay("redirect");
}

#[cfg(feature = "blocking")]
#[test]
fn streams() {
    replay("streams");
}

#[cfg(feature = "deflate")]
#[test]
fn inflate() {
    replay("inflate");
}

#[cfg(feature = "deflate")]
#[test]
fn deflate_offers() {
    replay("deflate_offers");
}

/// What is replayed: `fuzz/seeds/<target>/`, `fuzz/crashes/<target>/` and `fuzz/corpora/<target>.hex`.
const FOLDERS: [&str; 3] = ["seeds", "crashes", "corpora"];

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// What is in a folder; nothing if it doesn't exist.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// The inputs that are a file each, by name.
fn files(folder: &str, target: &str) -> Vec<(String, Vec<u8>)> {
    let paths = entries(&fuzz().join(folder).join(target)).into_iter();
    let file = |path: PathBuf| {
        let data = fs::read(&path).expect("an input that can be read");
        (path.display().to_string(), data)
    };
    paths.map(file).collect()
}

/// The inputs that are a line each, as `fuzz/gather` writes them, by number.
fn lines(target: &str) -> Vec<(String, Vec<u8>)> {
    let path = fuzz().join("corpora").join(format!("{target}.hex"));
    let text = fs::read_to_string(&path).unwrap_or_default();
    let byte = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).expect("digits");
        u8::from_str_radix(digits, 16).expect("two digits")
    };
    let line = |(number, line): (usize, &str)| {
        let data = line.as_bytes().chunks(2).map(byte).collect();
        (format!("{}:{}", path.display(), number + 1), data)
    };
    text.lines().enumerate().map(line).collect()
}

/// Fails, naming every input that breaks the law.
fn replay(target: &str) {
    let (_, law) = laws::ALL.iter().find(|(name, _)| *name == target).expect("a law");
    let seeds = files("seeds", target);
    assert!(!seeds.is_empty(), "{target} has no seeds: see fuzz/write-seeds");
    let inputs = [seeds, files("crashes", target), lines(target)].concat();
    let is_broken = |(_, data): &&(_, Vec<u8>)| panic::catch_unwind(|| law(data)).is_err();
    let broken: Vec<_> = inputs.iter().filter(is_broken).map(|(name, _)| name).collect();
    assert!(
        broken.is_empty(),
        "the law of fuzz/laws/{target}.rs is broken by {broken:#?}; each said above where"
    );
}

/// An input that nobody replays protects nothing.
#[test]
fn every_target_and_every_folder_is_replayed() {
    let replayed = include_str!("main.rs");
    let is_replayed = |path: &Path| {
        let name = path.file_stem().expect("a name").to_string_lossy();
        replayed.contains(&format!("replay(\"{name}\");"))
    };
    let targets = entries(&fuzz().join("fuzz_targets"));
    assert!(!targets.is_empty());
    let folders = FOLDERS.map(|folder| entries(&fuzz().join(folder))).concat();
    let folders = folders.into_iter().filter(|path| !path.ends_with("README.md"));
    for path in targets.into_iter().chain(folders) {
        assert!(is_replayed(&path), "nothing here replays {}", path.display());
    }
}
