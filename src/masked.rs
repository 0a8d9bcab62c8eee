//! A text that memory has masked alone, for as long as nobody needs it.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};

use crate::memory::{self, OutOfMemory};

/// A text and a mask of random bytes, each of which tells nothing without the other. What hides it
/// from who reads memory by chance, in a dump or a block that was freed, not from who looks for it.
#[derive(Clone)]
pub struct Masked {
    masked: Vec<u8>,
    mask: Vec<u8>,
}

impl Masked {
    /// The text, masked.
    pub fn new(text: impl AsRef<[u8]>) -> Result<Self, OutOfMemory> {
        let text = text.as_ref();
        let random = RandomState::new();
        let bits = (0..text.len().div_ceil(8)).flat_map(|at| {
            let mut hasher = random.build_hasher();
            hasher.write_usize(at);
            hasher.finish().to_ne_bytes()
        });
        let mut mask = Vec::new();
        memory::reserve_exact(&mut mask, text.len())?;
        mask.extend(bits.take(text.len()));
        let masked = exclusive_or(text, &mask)?;
        Ok(Self { masked, mask })
    }

    /// The text in the clear, for as short a time as can be.
    pub fn reveal(&self) -> Result<String, OutOfMemory> {
        let bytes = exclusive_or(&self.masked, &self.mask)?;
        Ok(String::from_utf8(bytes).unwrap_or_default())
    }
}

fn exclusive_or(one: &[u8], other: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
    let mut bytes = Vec::new();
    memory::reserve_exact(&mut bytes, one.len())?;
    bytes.extend(one.iter().zip(other).map(|(one, other)| one ^ other));
    Ok(bytes)
}

impl fmt::Debug for Masked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Masked(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_masked_is_hidden_and_comes_back() {
        for text in ["", "x", "user:password", "密码 with more than eight bytes"] {
            let masked = Masked::new(text).unwrap();
            assert_eq!(masked.reveal().unwrap(), text);
            assert!(text.len() < 8 || masked.masked != text.as_bytes());
            assert_ne!(format!("{masked:?}"), text);
        }
    }
}
