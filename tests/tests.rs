//! Integration tests, one binary; the module list is the table of contents.

mod policy;
