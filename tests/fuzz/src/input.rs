//! What a target takes from its input, a part after the other; nothing where it has ended. Parts are lines, so that
//! people can write an input.

use std::ffi::{CString, c_char};
use std::ptr;

pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One byte; 0 at the end.
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((byte, rest)) => {
                self.0 = rest;
                *byte
            }
            None => 0,
        }
    }

    /// As far as the next line.
    pub fn line(&mut self) -> &'a [u8] {
        self.until(b'\n')
    }

    /// As far as the next of these bytes.
    pub fn until(&mut self, mark: u8) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == mark);
        let (part, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        part
    }

    /// A line as C has it.
    pub fn text(&mut self) -> Text {
        Text::of(self.line())
    }

    /// A line that is a number; 0 where it is none.
    pub fn number(&mut self) -> i64 {
        let line = std::str::from_utf8(self.line()).unwrap_or_default();
        line.parse().unwrap_or_default()
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// A text as C has it; a line with a NUL byte in it is NULL.
pub struct Text(Option<CString>);

impl Text {
    pub fn of(bytes: &[u8]) -> Self {
        Self(CString::new(bytes).ok())
    }

    pub fn pointer(&self) -> *const c_char {
        self.0.as_ref().map_or(ptr::null(), |text| text.as_ptr())
    }

    /// Nothing for NULL.
    pub fn bytes(&self) -> Option<&[u8]> {
        Some(self.0.as_ref()?.as_bytes())
    }
}
