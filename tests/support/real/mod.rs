//! Software of Debian's between the library and the service, as its packages bring it.

pub mod daemon;
pub mod front;
pub mod load;
