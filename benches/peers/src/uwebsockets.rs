//! uWebSockets is not a crate, but its sources are in one, `libuwebsockets-sys`. They are compiled here,
//! with the machine's C and C++ compilers.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MANIFEST_DIR: &str = env!("CARGO_MANIFEST_DIR");

/// Turns this process into the server.
pub fn serve() -> io::Result<()> {
    Err(Command::new(program()).exec())
}

/// Compiles the server, unless it is already there.
///
/// # Errors
///
/// Why it could not be compiled, in one line.
pub fn build() -> Result<(), String> {
    let program = program();
    let source = Path::new(MANIFEST_DIR).join("src/uwebsockets.cpp");
    if is_newer(&program, &source) {
        return Ok(());
    }
    let objects = program.with_extension("objects");
    fs::create_dir_all(&objects).map_err(|error| error.to_string())?;
    let root = sources()?;
    let sockets = root.join("uSockets/src");
    let mut units = Vec::new();
    for folder in [&sockets, &sockets.join("eventing")] {
        let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
        units.extend(entries.flatten().map(|entry| entry.path()));
    }
    units.retain(|path| path.extension().is_some_and(|extension| extension == "c"));
    // As in its own makefile, but without TLS and compression.
    let flags = ["-O3", "-march=native", "-flto", "-DLIBUS_NO_SSL", "-DUWS_NO_ZLIB", "-w"];
    run(Command::new("gcc")
        .current_dir(&objects)
        .args(flags)
        .arg("-I")
        .arg(&sockets)
        .arg("-c")
        .args(&units))?;
    let objects =
        units.iter().filter_map(|unit| Some(objects.join(unit.with_extension("o").file_name()?)));
    run(Command::new("g++")
        .args(flags)
        .arg("-std=c++20")
        .arg("-I")
        .arg(root.join("src"))
        .arg("-I")
        .arg(&sockets)
        .arg(source)
        .args(objects)
        .arg("-o")
        .arg(program))
}

fn program() -> PathBuf {
    // Next to this program, which may be built anywhere.
    let own = std::env::current_exe().unwrap_or_default();
    own.with_file_name("uwebsockets-echo")
}

fn is_newer(program: &Path, source: &Path) -> bool {
    let modified = |path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    modified(program).is_some_and(|built| Some(built) > modified(source))
}

/// Returns where cargo has put the sources.
fn sources() -> Result<PathBuf, String> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version=1", "--manifest-path"])
        .arg(Path::new(MANIFEST_DIR).join("Cargo.toml"))
        .stderr(Stdio::null())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|_| "cargo can't fetch its sources")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let manifest = packages
        .filter(|package| package["name"] == "libuwebsockets-sys")
        .find_map(|package| package["manifest_path"].as_str())
        .ok_or("its sources are not among the packages")?;
    Ok(Path::new(manifest).with_file_name("uWebSockets"))
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name}: {}", errors.lines().next().unwrap_or("failed")))
}
