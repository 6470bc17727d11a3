//! A stretch of the stream as bytes, and back.
//!
//! Out: records, each the number of its bytes (32 bits, little-endian) and a value in the postcard
//! format. The first holds what is not by flow and how many flows follow; then each flow with all
//! its runs, in the order of five-tuples, so that the same stretch gives the same bytes.
//!
//! Not here: a file around the records, and whether the same program reads them that wrote them,
//! without which they have no meaning. Nor the packets among which copies are looked for: a
//! stretch that is read back finds its copies among the packets that follow.

use std::io::{self, Read, Write};

use foldhash::fast::RandomState;
use serde::{Serialize, de::DeserializeOwned};

use super::{Counts, Partial, Routed, Shard, hash, shard_of};
use crate::decode::FlowKey;
use crate::flow::{FlowHistory, FragmentPool, QuoteLog, Tally};

/// What is stored of a stretch beside its flows, and how many flows follow.
type Rest = (Option<u64>, FragmentPool, QuoteLog, Counts, Tally, u64);

/// A stretch could not be stored or read back.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The bytes could not be written or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The stretch holds packets back for what lies before it.
    #[error("only a stretch from the begin of its stream can be stored")]
    NotFromBegin,
    /// A value has no form in bytes, or bytes are not the form of a value.
    #[error("record {record} is not what a fold holds: {reason}")]
    Record {
        /// Number of the record, from 0.
        record: u64,
        /// Why.
        reason: postcard::Error,
    },
}

impl Partial {
    /// Writes a stretch that has the begin of its stream.
    ///
    /// # Errors
    /// When the bytes cannot be written, or the stretch does not begin its stream.
    pub fn store(&self, out: &mut dyn Write) -> Result<(), StoreError> {
        if !self.begins_stream() {
            return Err(StoreError::NotFromBegin);
        }
        let Partial {
            hasher: _,
            copy_reach: _,
            first_ordinal,
            is_first: _,
            lead: _,
            shards,
            fragments,
            fragment_window: _,
            quotes,
            quote_window: _,
            quoted: _,
            seen_ahead: _,
            counts,
            blurred,
        } = self;
        let mut flows: Vec<_> = shards.iter().flat_map(|shard| shard.table.flows()).collect();
        flows.sort_unstable_by_key(|(key, _)| **key);
        let mut records = Writer { out, buffer: Vec::new(), record: 0 };
        let count = flows.len() as u64;
        records.write(&(first_ordinal, fragments, quotes, counts, blurred, count))?;
        flows.into_iter().try_for_each(|flow| records.write(&flow))
    }

    /// Reads back what [`store`](Partial::store) wrote, and no byte more. The hasher and the
    /// greatest distance of two copies need not be those of the stretch that was stored.
    ///
    /// # Errors
    /// When the bytes cannot be read, or are something else.
    pub fn restore(
        hasher: RandomState,
        copy_reach: u64,
        from: &mut dyn Read,
    ) -> Result<Partial, StoreError> {
        let mut records = Reader { from, buffer: Vec::new(), record: 0 };
        let (first_ordinal, fragments, quotes, counts, blurred, flows): Rest = records.read()?;
        let empty = Partial::new(hasher, copy_reach);
        let mut whole = Partial {
            first_ordinal,
            is_first: true,
            lead: Routed::new(),
            fragments,
            quotes,
            counts,
            blurred,
            ..empty
        };
        for _ in 0..flows {
            let (key, history): (FlowKey, FlowHistory) = records.read()?;
            let hash = hash(&whole.hasher, &key);
            if let Some(Shard { table, .. }) = whole.shards.get_mut(shard_of(hash)) {
                table.insert(hash, key, history);
            }
        }
        Ok(whole)
    }
}

struct Writer<'a> {
    out: &'a mut dyn Write,
    buffer: Vec<u8>,
    record: u64,
}

impl Writer<'_> {
    fn write(&mut self, value: &impl Serialize) -> Result<(), StoreError> {
        let record = self.record;
        self.record += 1;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        self.buffer = postcard::to_extend(value, buffer)
            .map_err(|reason| StoreError::Record { record, reason })?;
        let length = u32::try_from(self.buffer.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_le_bytes())?;
        Ok(self.out.write_all(&self.buffer)?)
    }
}

struct Reader<'a> {
    from: &'a mut dyn Read,
    buffer: Vec<u8>,
    record: u64,
}

impl Reader<'_> {
    fn read<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let record = self.record;
        self.record += 1;
        let mut length = [0; 4];
        self.from.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        self.buffer.clear();
        // Memory is taken as bytes come, whatever the length says.
        let read = Read::take(&mut *self.from, length).read_to_end(&mut self.buffer)?;
        if read as u64 != length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match postcard::take_from_bytes(&self.buffer) {
            Ok((value, [])) => Ok(value),
            Ok(_) => Err(postcard::Error::DeserializeBadEncoding),
            Err(reason) => Err(reason),
        }
        .map_err(|reason| StoreError::Record { record, reason })
    }
}
