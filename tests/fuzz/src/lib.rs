//! What the fuzz targets do with an input, and what they promise of it. tests/corpus.rs does the same with the
//! committed inputs, as far as that needs no insides of the library.

pub mod answers;
pub mod arguments;
pub mod grants;
pub mod keys;
pub mod lists;
pub mod outcome;
pub mod records;
pub mod refusals;
pub mod routes;
pub mod transport;

mod calendar;
mod environment;
mod exchanges;
mod http;
mod input;
mod open_tls;
mod retry_after;
mod told;
