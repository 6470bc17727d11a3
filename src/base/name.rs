//! Names that are written in the program, and come back from a file in which they were stored.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::de::{Deserialize, Deserializer, Error};

/// A name that is written in the program.
pub type Name = &'static str;

/// Most names that are read back, and most bytes of one: what is read stays for good.
const MOST: usize = 65_536;
const LONGEST: usize = 64;

/// The names read back so far.
static NAMES: Mutex<BTreeSet<Name>> = Mutex::new(BTreeSet::new());

/// Reads a name back.
///
/// # Errors
/// When there are more names, or longer ones, than the program has.
pub fn read_name<'de, D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
    let name = String::deserialize(from)?;
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name.as_str()) {
        return Ok(known);
    }
    if names.len() >= MOST || name.len() > LONGEST {
        return Err(Error::custom("a name that the program does not have"));
    }
    let name = Box::leak(name.into_boxed_str());
    names.insert(name);
    Ok(name)
}
