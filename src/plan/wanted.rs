//! What is wanted of many pairs.

use std::time::Duration;

use crate::association::{self, Pair};
use crate::client::time;
use crate::error::Error;
use crate::memory;

/// Bounds what a plan can take of the host's memory, and lets a number of 32 bits name a pair.
const MAX_PAIRS: usize = 10_000_000;

/// As many as a client keeps connections.
const MAX_PARALLEL: u32 = 100;

/// The pairs in the order in which they were added, and how they are brought to what is wanted.
#[derive(Debug)]
pub struct Plan {
    pairs: Vec<Wanted>,
    /// The ids of all pairs, one behind the other.
    ids: String,
    parallel: u32,
    time: Option<Duration>,
}

/// One pair. Ids have at most 128 bytes.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// Where its ids begin, that of the FPGA image first.
    ids: usize,
    fpga_length: u8,
    ecs_length: u8,
    associated: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            pairs: Vec::new(),
            ids: String::new(),
            parallel: 8,
            time: None,
        }
    }
}

impl Plan {
    /// Adds a pair. Where that fails, nothing was added.
    pub fn add(&mut self, fpga_id: &str, ecs_id: &str, associated: bool) -> Result<(), Error> {
        association::check_images(fpga_id, ecs_id)?;
        let too_long = || Error::invalid_argument("fpga_id", "is too long");
        let fpga_length = fpga_id.len().try_into().map_err(|_| too_long())?;
        let ecs_length = ecs_id.len().try_into().map_err(|_| too_long())?;
        if self.pairs.len() >= MAX_PAIRS {
            let reason = format!("has {MAX_PAIRS} pairs, and can't have more");
            return Err(Error::invalid_argument("plan", &reason));
        }
        memory::reserve(&mut self.pairs, 1)?;
        let ids = self.ids.len();
        memory::add(&mut self.ids, &[fpga_id, ecs_id])?;
        self.pairs.push(Wanted {
            ids,
            fpga_length,
            ecs_length,
            associated,
        });
        Ok(())
    }

    /// How many calls may be made at once, 1 to 100.
    pub fn set_parallel(&mut self, requests: u32) -> Result<(), Error> {
        if !(1..=MAX_PARALLEL).contains(&requests) {
            let reason = format!("is not a number from 1 to {MAX_PARALLEL}");
            return Err(Error::invalid_argument("requests", &reason));
        }
        self.parallel = requests;
        Ok(())
    }

    /// The time for all of it, in milliseconds.
    pub fn set_timeout_ms(&mut self, ms: u32) -> Result<(), Error> {
        self.time = Some(time("timeout_ms", ms)?);
        Ok(())
    }

    /// How many pairs it has.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// How many calls may be made at once.
    pub fn parallel(&self) -> usize {
        self.parallel as usize
    }

    /// The time for all of it.
    pub fn time(&self) -> Option<Duration> {
        self.time
    }

    /// Whether a pair is wanted associated.
    pub fn wants_associated(&self, pair: u32) -> bool {
        self.wanted(pair).is_some_and(|wanted| wanted.associated)
    }

    /// The FPGA image of a pair.
    pub fn fpga_id(&self, pair: u32) -> &str {
        self.id(pair, |wanted| {
            (wanted.ids, wanted.ids + usize::from(wanted.fpga_length))
        })
    }

    /// The ECS image of a pair.
    pub fn ecs_id(&self, pair: u32) -> &str {
        self.id(pair, |wanted| {
            let begin = wanted.ids + usize::from(wanted.fpga_length);
            (begin, begin + usize::from(wanted.ecs_length))
        })
    }

    /// A pair as calls take it.
    pub fn pair<'a>(&'a self, project_id: &'a str, pair: u32) -> Result<Pair<'a>, Error> {
        Pair::new(project_id, self.fpga_id(pair), self.ecs_id(pair))
    }

    fn wanted(&self, pair: u32) -> Option<&Wanted> {
        self.pairs.get(pair as usize)
    }

    fn id(&self, pair: u32, place: impl FnOnce(&Wanted) -> (usize, usize)) -> &str {
        let place = self.wanted(pair).map(place);
        let id = place.and_then(|(begin, end)| self.ids.get(begin..end));
        id.unwrap_or_default()
    }
}
