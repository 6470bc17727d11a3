//! The shipped policy packs against the document, and the loaders against faulty files.

mod pack;
