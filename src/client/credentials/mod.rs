//! What a client proves with who asks, where its calls bring no token of their own.
//!
//! - `source` says where credentials come from; `environment` and `agency` are two of the places.
//! - `held` are credentials in memory.
//! - `keyring` has those of one client, and gets others when `renewal` says that it is time, or the
//!   service refused them; `state` is what it knows of that, `asking` in whose name it does so.
//! - `caller` is one call's view of all that.

mod agency;
mod asking;
mod caller;
mod environment;
mod held;
mod keyring;
mod renewal;
mod source;
mod state;

pub use asking::Asking;
pub use caller::Caller;
pub use environment::{FromEnvironment, keys as keys_of_the_environment};
pub use held::Held;
pub use keyring::Keyring;
pub use source::{Ask, Reason, Source};
