//! The program as a person meets it: exit statuses, messages, files, pipes.

mod diff;
mod evidence;
mod exports;
mod faults;
mod files;
mod ledger;
mod output;
mod page;
mod pseudonyms;
mod verify;

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

use crate::frames;
use crate::runs::{pcap, repository, text};
use crate::sites::UNITY_AND_DC as SITE;

/// A folder for the files of a test, and the program run inside it.
struct Bench {
    folder: TempDir,
}

/// How a run ended.
struct Ended {
    status: i32,
    out: String,
    err: String,
}

impl Bench {
    fn new() -> Bench {
        Bench { folder: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).unwrap();
        name.to_owned()
    }

    /// Runs the program in the folder.
    fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, b"")
    }

    /// The same with something on standard input.
    fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let mut command = Command::cargo_bin("portolan").unwrap();
        command.args(arguments).current_dir(self.folder.path()).write_stdin(input);
        ended(command.output().unwrap())
    }

    /// The names of the files that the folder holds.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }
}

fn ended(output: Output) -> Ended {
    Ended {
        status: output.status.code().expect("the program ends by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file of the quick start as an argument.
fn quickstart(name: &str) -> String {
    argument(&repository(&format!("fixtures/quickstart/{name}")))
}

fn argument(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

const UNITY: [u8; 4] = [10, 0, 0, 1];
const DC: [u8; 4] = [10, 0, 0, 2];

/// A capture of one TCP connection with data both ways, from Unity to a port of the domain
/// controller.
fn conversation(port: u16) -> Vec<u8> {
    pcap(&connection(port))
}

fn connection(port: u16) -> Vec<(i64, Vec<u8>)> {
    let (there, back) = ((UNITY, DC), (DC, UNITY));
    let (to, from) = ((50_000, port), (port, 50_000));
    let segments = [
        frames::tcp(there, to, 100, 0, 0x02, b""),
        frames::tcp(back, from, 300, 101, 0x12, b""),
        frames::tcp(there, to, 101, 301, 0x10, b""),
        frames::tcp(there, to, 101, 301, 0x18, b"question"),
        frames::tcp(back, from, 301, 109, 0x18, b"answer"),
    ];
    let times = (0..).map(|index| 1_700_000_000_000_000_000 + index * 1_000_000);
    times.zip(segments).collect()
}
