//! What the service's documents say, as pure functions: identifiers, the request, its signature,
//! statuses and error bodies.
//!
//! Read it beside "Associating an FPGA Image with an ECS Image" of the Elastic Cloud Server API
//! reference and its "Returned Values for General Requests". Nothing here does I/O or knows of C or
//! of the HTTP library.

mod agency;
mod answer;
mod credentials;
mod denial;
mod document;
mod error_body;
mod identifiers;
mod list;
mod page;
mod request;
mod sign;
mod signature;
mod time;
mod token;

pub use agency::{AGENCY_KEYS_PATH, AgencyKeys, METADATA_TOKEN_PATH, is_page, says_no_agency};
pub use answer::{Meaning, Refusal, outcome, reason, refusal};
pub use credentials::{AccessKey, Credentials};
pub use denial::{Denial, denial, without_echo};
pub use error_body::looks_like_code;
pub use identifiers::{Filter, Pair, check_images, check_project};
pub use list::{Association, Brought, List, WITHHELD};
pub use page::{Fill, LIMIT, Page, Unusable};
pub use request::{LAST_PAGE, Method, PAGE_SIZE, Request, associate, disassociate, list};
pub use signature::{DATE_HEADER, Signable, Signed};
pub use time::date;
pub use token::Token;
