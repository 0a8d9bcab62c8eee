//! What the service's documents say, as pure functions: identifiers, the request, statuses and
//! error bodies.
//!
//! Read it beside "Associating an FPGA Image with an ECS Image" of the Elastic Cloud Server API
//! reference and its "Returned Values for General Requests". Nothing here does I/O or knows of C or
//! of the HTTP library.

mod answer;
mod error_body;
mod identifiers;
mod list;
mod request;
mod token;

pub use answer::{Refusal, outcome, reason};
pub use identifiers::{Filter, Pair};
pub use list::{Association, Brought, List};
pub use request::{LAST_PAGE, Method, PAGE_SIZE, Request, associate, disassociate, list};
pub use token::Token;
