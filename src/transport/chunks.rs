//! The lines between the parts of a chunked body, made fit for the HTTP library.
//!
//! ureq reads no size line over 20 bytes, extensions included. What it needs of one is the size.

use std::io::Write;

use httparse::{Status, parse_chunk_size};

/// Where in a chunked body the next byte belongs.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunks {
    /// Into a size line.
    Size,
    /// Into a part, of which so much is still to come.
    Data(u64),
    /// Into what ends a part.
    End,
    /// Behind the last part; trailers are as they are.
    Rest,
}

impl Chunks {
    /// Moves what is fit to be read from what came; a part of a line stays. The error says what is
    /// wrong.
    pub fn pass(&mut self, came: &mut Vec<u8>, fit: &mut Vec<u8>) -> Result<(), &'static str> {
        const END: usize = "\r\n".len();
        let mut rest = came.as_slice();
        loop {
            let (length, next) = match *self {
                Self::Size => {
                    // A line without a number would be a size of 0.
                    let has_number = rest.first().is_none_or(u8::is_ascii_hexdigit);
                    match parse_chunk_size(rest) {
                        Ok(Status::Partial) if has_number => break,
                        Ok(Status::Complete((length, size))) if has_number => {
                            // Writing to memory does not fail.
                            write!(fit, "{size:x}\r\n").ok();
                            rest = rest.get(length..).unwrap_or_default();
                            *self = match size {
                                0 => Self::Rest,
                                size => Self::Data(size),
                            };
                            continue;
                        }
                        _ => return Err("a chunk of the body has no size that can be read"),
                    }
                }
                Self::Data(left) => {
                    let length = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    let next = match left.saturating_sub(length as u64) {
                        0 => Self::End,
                        left => Self::Data(left),
                    };
                    (length, next)
                }
                // Whether it is one is seen by ureq.
                Self::End if rest.len() < END => break,
                Self::End => (END, Self::Size),
                Self::Rest => (rest.len(), Self::Rest),
            };
            let (now, later) = rest.split_at(length.min(rest.len()));
            fit.extend_from_slice(now);
            rest = later;
            *self = next;
            if rest.is_empty() {
                break;
            }
        }
        let passed = came.len().saturating_sub(rest.len());
        came.drain(..passed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "1;a=b\r\n{\r\n00A \r\n0123456789\r\n0;last\r\nT: v\r\n\r\nmore";
    const FIT: &str = "1\r\n{\r\na\r\n0123456789\r\n0\r\nT: v\r\n\r\nmore";

    #[test]
    fn sizes_are_kept_and_extensions_left_out_however_the_bytes_come() {
        for length in 1..=BODY.len() {
            let (mut chunks, mut came, mut fit) = (Chunks::Size, Vec::new(), Vec::new());
            for piece in BODY.as_bytes().chunks(length) {
                came.extend_from_slice(piece);
                chunks.pass(&mut came, &mut fit).unwrap();
            }
            assert_eq!(String::from_utf8(fit).unwrap(), FIT);
            assert!(came.is_empty());
        }
    }

    #[test]
    fn a_line_without_a_size_is_an_error_and_no_end() {
        for line in [
            "\r\n",
            ";x\r\n",
            " \r\n",
            "x\r\n",
            "-1\r\n",
            "1x\r\n",
            "11111111111111111\r\n",
        ] {
            let mut came = line.as_bytes().to_vec();
            let result = Chunks::Size.pass(&mut came, &mut Vec::new());
            assert!(result.is_err(), "{line:?}");
        }
    }
}
