//! Names the sources of what a fold carries, so that a stored fold is read back by the program that
//! wrote it and by no other: one recogniser more gives the same bytes another meaning.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The layers whose types lie in a stored fold.
const LAYERS: [&str; 6] = ["base", "capture", "decode", "identify", "flow", "engine"];

fn main() -> io::Result<()> {
    let sources = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("src");
    let mut hash = Fnv::default();
    for layer in LAYERS {
        println!("cargo::rerun-if-changed=src/{layer}");
        note(&sources.join(layer), &mut hash)?;
    }
    println!("cargo::rustc-env=PORTOLAN_FOLD={:016x}", hash.0);
    Ok(())
}

/// Takes in the files below a folder, in the order of their names.
fn note(folder: &Path, hash: &mut Fnv) -> io::Result<()> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            note(&path, hash)?;
        } else {
            let name = path.file_name().unwrap_or_default();
            hash.note(name.as_encoded_bytes());
            hash.note(&fs::read(&path)?);
        }
    }
    Ok(())
}

/// FNV-1a of 64 bits, the same in every build.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    /// Takes in bytes and where they end.
    fn note(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        for byte in bytes.iter().chain(&length) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
