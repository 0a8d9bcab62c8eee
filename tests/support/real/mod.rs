//! Software of Debian's between the library and the service, as its packages bring it.

pub mod daemon;
pub mod forward;
pub mod front;
pub mod load;
pub mod openssl;
pub mod s_server;
