//! Files that a host names: certificates, keys.

use std::io::{self, Read};
use std::path::Path;

use super::system;

/// A file that was read to its end.
pub struct WholeFile {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether everyone on this machine may read it.
    pub is_readable_by_all: bool,
}

/// Reads a file of at most so many KiB, which must be a regular one: nothing else has an end that one
/// can wait for.
pub fn read_file(path: &Path, most_kib: u64) -> io::Result<WholeFile> {
    let most = most_kib * 1024;
    let file = system::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let size = match most_kib {
            1024.. => format!("{} MiB", most_kib / 1024),
            _ => format!("{most_kib} KiB"),
        };
        return Err(io::Error::other(format!("is over {size} long")));
    }
    Ok(WholeFile {
        bytes,
        is_readable_by_all: system::is_readable_by_all(&metadata),
    })
}
