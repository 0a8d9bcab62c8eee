//! Where a client's credentials come from.

use std::fmt;
use std::sync::Arc;

use super::agency;
use super::asking::Asking;
use super::held::Held;
use crate::error::Error;

/// Why the host is asked for credentials.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// Spelled as in C, where each also carries the prefix FPGA_ASSOC_.
#[allow(non_camel_case_types, clippy::enum_variant_names)]
pub enum Reason {
    /// The client has none yet.
    REASON_FIRST = 1,
    /// Those that it has expire soon, or have expired.
    REASON_EXPIRING = 2,
    /// The service answered HTTP 401 to those that it has.
    REASON_REFUSED = 3,
}

/// Asks the host for credentials.
pub type Ask = dyn Fn(Reason) -> Result<Held, Error> + Send + Sync;

/// One kind of credentials; the last that is set counts.
#[derive(Clone)]
pub enum Source {
    /// These, for the whole life of the client.
    Fixed(Arc<Held>),
    /// Those that a function of the host gives.
    Callback(Arc<Ask>),
    /// Those of the agency of the ECS server that this runs on.
    EcsAgency,
}

impl Source {
    /// Whether it may have others later.
    pub fn can_renew(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }

    /// Whether it is known now that requests will be signed.
    pub fn signs(&self) -> bool {
        match self {
            Self::Fixed(held) => held.access_key().is_some(),
            Self::Callback(_) => false,
            Self::EcsAgency => true,
        }
    }

    /// Gets credentials. The error says what failed.
    pub fn get(&self, reason: Reason, asking: &Asking<'_>) -> Result<Arc<Held>, Error> {
        match self {
            Self::Fixed(held) => Ok(Arc::clone(held)),
            Self::Callback(ask) => ask(reason)
                .map(Arc::new)
                .map_err(|error| asking.failed(error.status, &error.message)),
            Self::EcsAgency => agency::keys(asking).map(Arc::new),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fixed(_) => "Fixed(***)",
            Self::Callback(_) => "Callback",
            Self::EcsAgency => "EcsAgency",
        })
    }
}
