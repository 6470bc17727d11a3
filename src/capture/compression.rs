//! Bytes of an input as stored, hashed on their way into a decompressor.
//!
//! In: any byte source. Out: the decompressed stream, and in the end size and SHA-256 of what
//! was stored. The format is told by the first bytes, never by a file name.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;
use sha2::{Digest, Sha256};

use super::summary::Compression;

/// Where stored bytes come from.
pub(super) type Source = Box<dyn Read + Send>;

/// Whether inputs are hashed as they are read.
///
/// SHA-256 costs more than all other work on an uncompressed capture: at 1.8 GB/s (measured
/// with the SHA instructions of an EPYC) 110 to 130 ns for a packet of 214 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hashing {
    /// SHA-256 of every input as stored, as evidence needs it.
    #[default]
    Sha256,
    /// None; [`InputSummary::sha256`](super::InputSummary::sha256) stays empty.
    Off,
}

/// Bytes taken from a compressed input at a time. Larger reads of an uncompressed one pass the
/// buffer by.
const BUFFER: usize = 128 << 10;

/// A decompressed stream.
pub(super) struct Decompressor {
    codec: Codec,
    compression: Compression,
}

enum Codec {
    None(Box<Stored>),
    Gzip(Box<MultiGzDecoder<Stored>>),
    Zstd(Box<zstd::Decoder<'static, Stored>>),
    Lz4(Box<FrameDecoder<Stored>>),
}

/// The stored bytes: first those that were looked at, then the rest.
type Stored = BufReader<Chain<Cursor<Vec<u8>>, Hashed>>;

/// Counts and hashes what is read through it.
struct Hashed {
    source: Source,
    /// `None` when no hash is wanted.
    hasher: Option<Sha256>,
    bytes: u64,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(buffer.get(..count).unwrap_or_default());
        }
        self.bytes += count as u64;
        Ok(count)
    }
}

impl Decompressor {
    /// Looks at the first bytes of `source` and starts to decompress what they announce.
    pub(super) fn open(source: Source, hashing: Hashing) -> io::Result<Self> {
        let hasher = match hashing {
            Hashing::Sha256 => Some(Sha256::new()),
            Hashing::Off => None,
        };
        let mut hashed = Hashed { source, hasher, bytes: 0 };
        let mut first = Vec::with_capacity(4);
        (&mut hashed).take(4).read_to_end(&mut first)?;
        let compression = match first.as_slice() {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            // The frame, or a skippable frame before it.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Compression::Zstd,
            [0x04, 0x22, 0x4d, 0x18] | [0x02, 0x21, 0x4c, 0x18] => Compression::Lz4,
            _ => Compression::None,
        };
        let stored = BufReader::with_capacity(BUFFER, Cursor::new(first).chain(hashed));
        let codec = match compression {
            Compression::None => Codec::None(Box::new(stored)),
            Compression::Gzip => Codec::Gzip(Box::new(MultiGzDecoder::new(stored))),
            Compression::Zstd => Codec::Zstd(Box::new(zstd::Decoder::with_buffer(stored)?)),
            Compression::Lz4 => Codec::Lz4(Box::new(FrameDecoder::new(stored))),
        };
        Ok(Decompressor { codec, compression })
    }

    /// The compression that was found.
    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    /// Stored bytes read so far.
    pub(super) fn stored_bytes(&self) -> u64 {
        self.stored().get_ref().get_ref().1.bytes
    }

    /// Reads what is left of the stored bytes and gives their number and SHA-256 in lower-case
    /// hexadecimal, `None` when reading failed or no hash is wanted.
    pub(super) fn finish(mut self) -> (u64, Option<String>) {
        let read = io::copy(self.stored_mut(), &mut io::sink());
        let bytes = self.stored_bytes();
        let stored = match self.codec {
            Codec::None(stored) => *stored,
            Codec::Gzip(decoder) => decoder.into_inner(),
            Codec::Zstd(decoder) => decoder.finish(),
            Codec::Lz4(decoder) => decoder.into_inner(),
        };
        let (_, hashed) = stored.into_inner().into_inner();
        let digest = hashed.hasher.map(|hasher| hexadecimal(&hasher.finalize()));
        (bytes, digest.filter(|_| read.is_ok()))
    }

    fn stored(&self) -> &Stored {
        match &self.codec {
            Codec::None(stored) => stored,
            Codec::Gzip(decoder) => decoder.get_ref(),
            Codec::Zstd(decoder) => decoder.get_ref(),
            Codec::Lz4(decoder) => decoder.get_ref(),
        }
    }

    fn stored_mut(&mut self) -> &mut Stored {
        match &mut self.codec {
            Codec::None(stored) => stored,
            Codec::Gzip(decoder) => decoder.get_mut(),
            Codec::Zstd(decoder) => decoder.get_mut(),
            Codec::Lz4(decoder) => decoder.get_mut(),
        }
    }
}

impl Read for Decompressor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.codec {
            Codec::None(stored) => stored.read(buffer),
            Codec::Gzip(decoder) => decoder.read(buffer),
            Codec::Zstd(decoder) => decoder.read(buffer),
            Codec::Lz4(decoder) => loop {
                // The decoder stops at the end of each frame.
                let count = decoder.read(buffer)?;
                if count > 0 || buffer.is_empty() || decoder.get_mut().fill_buf()?.is_empty() {
                    return Ok(count);
                }
            },
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `abc`, the first example of FIPS 180-2 appendix B.
    const ABC_SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn decompress(stored: &[u8]) -> (io::Result<Vec<u8>>, Compression, Option<String>) {
        let mut decompressor =
            Decompressor::open(Box::new(Cursor::new(stored.to_vec())), Hashing::Sha256)
                .expect("opens");
        let compression = decompressor.compression();
        let mut bytes = Vec::new();
        let result = decompressor.read_to_end(&mut bytes).map(|_| bytes);
        (result, compression, decompressor.finish().1)
    }

    /// A member as `gzip -n` makes it.
    const GZIP_ABC: [u8; 23] = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c, 0x4a, 0x06, 0, 0xc2, 0x41, 0x24, 0x35, 3,
        0, 0, 0,
    ];

    #[test]
    fn stored_bytes_are_hashed_as_they_are() {
        let (bytes, compression, sha256) = decompress(b"abc");
        assert_eq!((bytes.unwrap(), compression), (b"abc".to_vec(), Compression::None));
        assert_eq!(sha256.as_deref(), Some(ABC_SHA256));
    }

    #[test]
    fn gzip_members_follow_each_other() {
        let (bytes, compression, _) = decompress(&[GZIP_ABC, GZIP_ABC].concat());
        assert_eq!((bytes.unwrap(), compression), (b"abcabc".to_vec(), Compression::Gzip));
    }

    #[test]
    fn zstd_and_lz4_frames_follow_each_other() {
        let frame = zstd::encode_all(&b"abc"[..], 3).unwrap();
        let (bytes, compression, _) = decompress(&[frame.clone(), frame].concat());
        assert_eq!((bytes.unwrap(), compression), (b"abcabc".to_vec(), Compression::Zstd));

        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        io::Write::write_all(&mut encoder, b"abc").unwrap();
        let frame = encoder.finish().unwrap();
        let (bytes, compression, _) = decompress(&[frame.clone(), frame].concat());
        assert_eq!((bytes.unwrap(), compression), (b"abcabc".to_vec(), Compression::Lz4));
    }

    #[test]
    fn bytes_after_a_damaged_stream_are_hashed_too() {
        let mut damaged = GZIP_ABC.to_vec();
        damaged[10] ^= 0xff;
        damaged.extend(vec![7; 300_000]);
        let expected = hexadecimal(&Sha256::digest(&damaged));
        let (bytes, _, sha256) = decompress(&damaged);
        assert!(bytes.is_err());
        assert_eq!(sha256, Some(expected));
    }
}
