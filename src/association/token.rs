//! The IAM token: checked once, and never shown.

use std::fmt;

use crate::error::Error;

const MAX_LENGTH: usize = 65_536;

/// An IAM token of project scope.
#[derive(Clone, Copy)]
pub struct Token<'a>(&'a [u8]);

impl<'a> Token<'a> {
    /// Checks that the token can stand in a header; the error never repeats any of it.
    pub fn new(token: &'a [u8]) -> Result<Self, Error> {
        Self::named("token", token)
    }

    /// The same for what goes by another name.
    pub(super) fn named(argument: &str, token: &'a [u8]) -> Result<Self, Error> {
        let reason = if token.is_empty() {
            "is empty".to_owned()
        } else if token.len() > MAX_LENGTH {
            format!(
                "is {} bytes long; at most {MAX_LENGTH} are allowed",
                token.len()
            )
        } else if !is_visible(token) {
            let at = token.iter().position(|byte| !byte.is_ascii_graphic());
            let at = at.unwrap_or_default().saturating_add(1);
            format!("byte {at} is not visible ASCII")
        } else {
            return Ok(Self(token));
        };
        Err(Error::invalid_argument(argument, &reason))
    }

    /// A token that was checked before.
    pub fn of_checked(token: &'a str) -> Self {
        Self(token.as_bytes())
    }

    /// The header's value.
    pub fn value(self) -> &'a [u8] {
        self.0
    }
}

/// Looks at every byte, which compiles to vector instructions: a tenth of the cost of stopping at
/// the first.
fn is_visible(token: &[u8]) -> bool {
    let worst = token
        .iter()
        .map(|byte| byte.wrapping_sub(b'!'))
        .fold(0, u8::max);
    worst <= b'~' - b'!'
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(***)")
    }
}
