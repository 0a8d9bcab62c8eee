//! Lines about what a client does, for a host that asked for them.

use std::fmt;
use std::sync::Arc;

use crate::text;

const MAX_LINE: usize = 1023;

/// How much a line of the log matters.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// Spelled as in C, where each also carries the prefix FPGA_ASSOC_.
#[allow(non_camel_case_types, clippy::enum_variant_names)]
pub enum Level {
    /// A call failed.
    LOG_ERROR = 1,
    /// Something went wrong, and the call goes on.
    LOG_WARNING = 2,
    /// A connection was made, the list was asked, a call succeeded.
    LOG_INFO = 3,
    /// Each attempt.
    LOG_DEBUG = 4,
}

/// Where the lines go; nowhere by default.
#[derive(Clone, Default)]
pub struct Log(Option<Arc<Write>>);

type Write = dyn Fn(Level, &str) + Send + Sync;

impl Log {
    /// Sends each line there. It is called on the thread that makes the call, never while a lock is
    /// held.
    pub fn to(write: impl Fn(Level, &str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(write)))
    }

    /// Writes a line, which is made only where someone reads it.
    pub fn line(&self, level: Level, line: impl FnOnce() -> String) {
        if let Some(write) = &self.0 {
            write(level, &text::bounded(&text::one_line(&line()), MAX_LINE));
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Log")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_line_has_at_most_1023_bytes_and_no_break() {
        let (write, written) = mpsc::channel();
        let log = Log::to(move |_, line| write.send(line.to_owned()).unwrap());
        log.line(Level::LOG_INFO, || "a\nb".to_owned());
        log.line(Level::LOG_INFO, || "word ".repeat(1_000));
        drop(log);
        let lines: Vec<String> = written.iter().collect();
        assert!(!lines[0].contains('\n'), "{lines:?}");
        assert!((1_000..=1_023).contains(&lines[1].len()), "{lines:?}");
    }
}
