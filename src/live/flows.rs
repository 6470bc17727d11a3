//! The flows of a watch in a file beside its state, so that a restart goes on where the last
//! checkpoint left off.
//!
//! In, at each checkpoint: what has been folded so far, and what is known of the inputs. Out, at
//! the next start: the same, as the part of the stream that lies before what comes now. The file
//! is one line that says whose it is, then all values, packed (Zstandard, RFC 8878), then the
//! SHA-256 of both. It is written beside the old one and then put in its place, so that a kill
//! leaves one or the other.
//!
//! Not here: the findings, which have a file of their own that outlives any change of this one.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::state::in_place;
use crate::capture::{Earlier, InputSummary, TimeHealth};
use crate::engine::{Partial, StoreError};

/// Version of the form around the values.
const VERSION: u32 = 1;

/// What the values mean: the program that wrote them.
const PROGRAM: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("PORTOLAN_FOLD"));

/// Bytes of a SHA-256.
const DIGEST: usize = 32;

/// How hard to pack: the least, for many bytes in little time.
const LEVEL: i32 = 1;

/// Most runs of which the inputs are told apart; the report lists each.
const MOST_INPUTS: usize = 1000;

/// Most bytes of the first line.
const LONGEST_HEAD: usize = 1 << 16;

/// What is watched, so far as flows of something else are of no use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watched {
    /// The interface or the file.
    pub(super) input: String,
    /// `live` or `replay`.
    pub(super) mode: String,
    /// The capture filter.
    pub(super) filter: Option<String>,
    /// Whether copies of packets are left in.
    pub(super) keep_copies: bool,
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    portolan_flows: u32,
    program: String,
    watched: Watched,
}

/// What an earlier run left.
pub(super) struct Restored {
    pub(super) partial: Partial,
    pub(super) earlier: Earlier,
}

/// Why flows are not restored.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it does not begin as a watch writes it")]
    NoHead,
    #[error("it was written by version {0}, and this is {PROGRAM}")]
    Version(String),
    #[error("it is about {0}")]
    Other(String),
    #[error("its checksum is wrong: it was cut off or changed")]
    Checksum,
    #[error("it would take more memory than --max-memory allows")]
    Memory,
    #[error(transparent)]
    Values(#[from] StoreError),
    #[error("it is of {0} runs, more than a report tells apart")]
    Runs(usize),
    #[error("it names the inputs in another form: {0}")]
    Inputs(#[from] postcard::Error),
}

/// The file.
#[derive(Debug)]
pub(super) struct FlowsFile {
    path: PathBuf,
    watched: Watched,
}

impl FlowsFile {
    /// The file beside a state file.
    pub(super) fn beside(state: &Path, watched: Watched) -> Self {
        let mut name = state.file_name().unwrap_or_default().to_owned();
        name.push(".flows");
        FlowsFile { path: state.with_file_name(name), watched }
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Why flows are not restored, in one line, and what to do.
    pub(super) fn refused(&self, refusal: &Refusal) -> String {
        let path = self.path.display();
        format!(
            "the flows of earlier runs are not restored from `{path}`: {refusal}; the next \
             checkpoint writes it anew"
        )
    }

    /// Writes what has been seen so far.
    ///
    /// # Errors
    /// When the file cannot be written; the old one is then still there.
    pub(super) fn write(
        &self,
        partial: &Partial,
        inputs: &[InputSummary],
        times: TimeHealth,
    ) -> io::Result<()> {
        in_place(&self.path, |file| {
            let mut out = Summed { out: BufWriter::new(file), digest: Sha256::new() };
            let head = Head {
                portolan_flows: VERSION,
                program: PROGRAM.to_owned(),
                watched: self.watched.clone(),
            };
            serde_json::to_writer(&mut out, &head)?;
            out.write_all(b"\n")?;
            let mut packed = BufWriter::new(zstd::Encoder::new(&mut out, LEVEL)?);
            let inputs = postcard::to_allocvec(&(inputs, times)).map_err(io::Error::other)?;
            packed.write_all(&(inputs.len() as u64).to_le_bytes())?;
            packed.write_all(&inputs)?;
            partial.store(&mut packed).map_err(|error| match error {
                StoreError::Io(error) => error,
                error => io::Error::other(error),
            })?;
            packed.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
            let Summed { mut out, digest } = out;
            out.write_all(&digest.finalize())?;
            out.into_inner().map_err(io::IntoInnerError::into_error)
        })
    }

    /// Reads what an earlier run left, in at most `most_bytes` of memory. `None` when there is
    /// nothing, or when what comes now was seen by that run: a capture that is played once more.
    ///
    /// # Errors
    /// When the file is damaged, or of another program or another watch.
    pub(super) fn read(
        &self,
        hasher: RandomState,
        copy_reach: u64,
        most_bytes: u64,
    ) -> Result<Option<Restored>, Refusal> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(most_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most_bytes {
            return Err(Refusal::Memory);
        }
        let packed = self.open(&bytes)?;
        let values = zstd::Decoder::with_buffer(packed)?.take(most_bytes);
        let mut values = BufReader::new(values);
        match self.values(&mut values, hasher, copy_reach) {
            Err(_) if values.get_ref().limit() == 0 => Err(Refusal::Memory),
            read => read,
        }
    }

    /// Looks at all that stands around the values, and answers these, packed.
    fn open<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], Refusal> {
        let begin = bytes.get(..LONGEST_HEAD).unwrap_or(bytes);
        let end = begin.iter().position(|byte| *byte == b'\n').ok_or(Refusal::NoHead)?;
        let head = begin.get(..end).and_then(|head| serde_json::from_slice::<Head>(head).ok());
        let Head { portolan_flows, program, watched } = head.ok_or(Refusal::NoHead)?;
        if (portolan_flows, program.as_str()) != (VERSION, PROGRAM) {
            return Err(Refusal::Version(program));
        }
        let (summed, digest) = bytes.split_last_chunk::<DIGEST>().ok_or(Refusal::Checksum)?;
        if Sha256::digest(summed).as_slice() != digest {
            return Err(Refusal::Checksum);
        }
        self.watched.refuse(&watched)?;
        summed.get(end + 1..).ok_or(Refusal::Checksum)
    }

    fn values(
        &self,
        values: &mut dyn Read,
        hasher: RandomState,
        copy_reach: u64,
    ) -> Result<Option<Restored>, Refusal> {
        let mut length = [0; 8];
        values.read_exact(&mut length)?;
        let mut inputs = Vec::new();
        Read::take(&mut *values, u64::from_le_bytes(length)).read_to_end(&mut inputs)?;
        let (inputs, times): (Vec<InputSummary>, TimeHealth) = postcard::from_bytes(&inputs)?;
        let again = |input: &InputSummary| input.name == self.watched.input;
        if self.watched.mode == "replay" && inputs.iter().any(again) {
            return Ok(None);
        }
        let earlier = Earlier::new(inputs, times);
        if earlier.count() >= MOST_INPUTS {
            return Err(Refusal::Runs(earlier.count()));
        }
        let partial = Partial::restore(hasher, copy_reach, values)?;
        if io::copy(values, &mut io::sink())? > 0 {
            return Err(Refusal::Checksum);
        }
        Ok(Some(Restored { partial, earlier }))
    }
}

impl Watched {
    /// Refuses the flows of another watch. One capture may be played after another.
    fn refuse(&self, other: &Watched) -> Result<(), Refusal> {
        let Watched { input, mode, filter, keep_copies } = other;
        if (mode, filter) != (&self.mode, &self.filter)
            || self.mode != "replay" && *input != self.input
        {
            let filter = filter.as_ref().map_or("no filter", String::as_str);
            return Err(Refusal::Other(format!("`{input}` ({mode}, {filter})")));
        }
        if *keep_copies != self.keep_copies {
            let other = if *keep_copies { "with" } else { "without" };
            return Err(Refusal::Other(format!("a watch {other} --keep-copies")));
        }
        Ok(())
    }
}

/// Adds up what is written.
struct Summed<W> {
    out: W,
    digest: Sha256,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{LinkType, Timestamp};
    use crate::capture::{FrameBatch, FrameMeta, FrameRef, Interface, RunningSummary};
    use crate::engine::Fold;

    const ROOM: u64 = 1 << 30;

    /// A UDP datagram without payload, from a port of its own.
    fn frame(port: u16) -> Vec<u8> {
        let mut bytes = vec![0; 12];
        bytes.extend([8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend(port.to_be_bytes());
        bytes.extend([0, 53, 0, 8, 0, 0]);
        bytes
    }

    /// What a run saw of `flows` flows.
    fn seen(flows: u16) -> (Partial, Vec<InputSummary>) {
        let mut running = RunningSummary::new("eth1", Interface::default());
        let mut batch = FrameBatch::default();
        for number in 0..flows {
            let bytes = frame(1024 + number);
            let meta = FrameMeta {
                offset: batch.bytes.len(),
                captured: bytes.len() as u32,
                original: bytes.len() as u32,
                time: Timestamp::from_nanos(i64::from(number) * 1000),
                source: FrameRef {
                    ordinal: number.into(),
                    input: 0,
                    number: u64::from(number) + 1,
                },
                stored_at: 0,
                interface: 0,
                link: LinkType::ETHERNET,
                fcs_bytes: 0,
            };
            running.count(&meta);
            batch.frames.push(meta);
            batch.bytes.extend(bytes);
        }
        let mut fold = Fold::with_reach(RandomState::default(), u64::MAX, 0).from_begin();
        fold.push(&[batch]);
        (fold.finish(), vec![running.summary().clone()])
    }

    fn live(input: &str) -> Watched {
        let (input, mode) = (input.to_owned(), "live".to_owned());
        Watched { input, mode, filter: None, keep_copies: true }
    }

    fn read(file: &FlowsFile) -> Result<Option<Restored>, Refusal> {
        file.read(RandomState::default(), 0, ROOM)
    }

    fn written(folder: &Path, flows: u16) -> FlowsFile {
        let file = FlowsFile::beside(&folder.join("state"), live("eth1"));
        let (partial, inputs) = seen(flows);
        file.write(&partial, &inputs, TimeHealth::default()).unwrap();
        file
    }

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(folder.path(), 300);
        let Restored { partial, earlier } = read(&file).unwrap().unwrap();
        assert_eq!((partial.runs(), earlier.count(), earlier.packets()), (300, 1, 300));
        let (expected, _) = seen(300);
        assert_eq!(partial.evaluate(), expected.evaluate());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn a_file_with_any_other_byte_or_length_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(folder.path(), 2000);
        let bytes = std::fs::read(file.path()).unwrap();
        let changes = (0..bytes.len()).step_by(97).map(|place| {
            let mut changed = bytes.clone();
            changed[place] ^= 0x10;
            changed
        });
        let cuts = (0..bytes.len()).step_by(97).map(|end| bytes[..end].to_vec());
        let longer = std::iter::once([&bytes[..], b"x"].concat());
        let mut refused = 0;
        for other in changes.chain(cuts).chain(longer) {
            std::fs::write(file.path(), &other).unwrap();
            assert!(read(&file).is_err(), "{} bytes", other.len());
            refused += 1;
        }
        assert!(refused > 50, "{refused}");
    }

    /// The bytes of a file with another head, and a checksum that fits.
    fn with_head(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        assert!(head.contains(old), "{head}");
        let mut changed = head.replace(old, new).into_bytes();
        changed.extend(&bytes[end..bytes.len() - DIGEST]);
        let digest = Sha256::digest(&changed);
        changed.extend(digest);
        changed
    }

    #[test]
    fn the_flows_of_another_program_or_watch_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(folder.path(), 3);
        let bytes = std::fs::read(file.path()).unwrap();
        for (old, new, said) in [
            (PROGRAM, "9.9.9+0", "version 9.9.9+0"),
            ("eth1", "eth2", "about `eth2` (live, no filter)"),
            ("\"filter\":null", "\"filter\":\"tcp\"", "about `eth1` (live, tcp)"),
            ("\"keep_copies\":true", "\"keep_copies\":false", "without --keep-copies"),
            ("portolan_flows", "other", "does not begin"),
        ] {
            std::fs::write(file.path(), with_head(&bytes, old, new)).unwrap();
            let refusal = read(&file).err().expect(said);
            let line = file.refused(&refusal);
            assert!(line.contains(said) && !line.contains('\n'), "{line}");
        }
        std::fs::write(file.path(), with_head(&bytes, "eth1", "eth1")).unwrap();
        assert!(read(&file).unwrap().is_some(), "the test changes nothing else");
    }

    #[test]
    fn more_than_fits_into_memory_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(folder.path(), 2000);
        let size = std::fs::metadata(file.path()).unwrap().len();
        for room in [0, 100, size - 1, size, 2 * size] {
            let read = file.read(RandomState::default(), 0, room);
            assert!(matches!(read, Err(Refusal::Memory)), "{room} of {size} bytes");
        }
    }

    #[test]
    fn no_file_is_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        let file = FlowsFile::beside(&folder.path().join("state"), live("eth1"));
        assert!(read(&file).unwrap().is_none());
    }
}
