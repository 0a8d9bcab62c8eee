//! What became of the pairs of a plan, as C reads it.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::error::{fpga_assoc_error, fpga_assoc_error_free};
use crate::memory::{self, OutOfMemory};
use crate::plan::{Outcome, Outcomes};

/// What became of a pair of a plan.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// Spelled as in C, where each also carries the prefix FPGA_ASSOC_.
#[allow(non_camel_case_types, clippy::enum_variant_names)]
pub enum PairResult {
    /// It was not looked at, or nothing was done for it: the plan was not carried out, or was stopped.
    RESULT_OPEN = 0,
    /// Nothing was to be done for it: it was as wanted, or somebody else brought it about meanwhile.
    RESULT_AS_WANTED = 1,
    /// It is not as wanted, as `fpga_assoc_client_compare` found.
    RESULT_TO_CHANGE = 2,
    /// It was not as wanted, and is now.
    RESULT_CHANGED = 3,
    /// It failed; `fpga_assoc_plan_error` says why, and whether it may have been changed all the same.
    RESULT_FAILED = 4,
}

/// One for each pair. A child of fork can read them, whatever its parent's threads were doing.
#[derive(Debug, Default)]
pub struct Results(Vec<Place>);

/// NULL while it is open, one of the marks, or the error of a pair that failed.
#[derive(Debug)]
struct Place(AtomicPtr<fpga_assoc_error>);

/// Their addresses alone matter.
static AS_WANTED: u8 = 1;
static TO_CHANGE: u8 = 2;
static CHANGED: u8 = 3;

fn mark(of: &'static u8) -> *mut fpga_assoc_error {
    ptr::from_ref(of).cast_mut().cast()
}

impl Results {
    /// All open.
    pub fn of(count: usize) -> Result<Self, OutOfMemory> {
        let mut places = Vec::new();
        memory::reserve_exact(&mut places, count)?;
        places.resize_with(count, || Place(AtomicPtr::new(ptr::null_mut())));
        Ok(Self(places))
    }

    /// What became of a pair.
    pub fn get(&self, pair: usize) -> PairResult {
        match self.pointer(pair) {
            pointer if pointer.is_null() => PairResult::RESULT_OPEN,
            pointer if pointer == mark(&AS_WANTED) => PairResult::RESULT_AS_WANTED,
            pointer if pointer == mark(&TO_CHANGE) => PairResult::RESULT_TO_CHANGE,
            pointer if pointer == mark(&CHANGED) => PairResult::RESULT_CHANGED,
            _ => PairResult::RESULT_FAILED,
        }
    }

    /// The error of a pair; NULL unless it failed. It lives as long as these do.
    pub fn error(&self, pair: usize) -> *const fpga_assoc_error {
        match self.get(pair) {
            PairResult::RESULT_FAILED => self.pointer(pair),
            _ => ptr::null(),
        }
    }

    fn pointer(&self, pair: usize) -> *mut fpga_assoc_error {
        let place = self.0.get(pair);
        place.map_or(ptr::null_mut(), |place| place.0.load(Ordering::Acquire))
    }
}

impl Outcomes for Results {
    fn settle(&self, pair: usize, outcome: Outcome<'_>) {
        let pointer = match outcome {
            Outcome::AsWanted => mark(&AS_WANTED),
            Outcome::ToChange => mark(&TO_CHANGE),
            Outcome::Changed => mark(&CHANGED),
            Outcome::Failed(error) => fpga_assoc_error::given(error).1,
        };
        if let Some(place) = self.0.get(pair) {
            free(place.0.swap(pointer, Ordering::AcqRel));
        }
    }
}

impl Drop for Results {
    fn drop(&mut self) {
        for place in &self.0 {
            free(place.0.load(Ordering::Relaxed));
        }
    }
}

fn free(pointer: *mut fpga_assoc_error) {
    let marks = [&AS_WANTED, &TO_CHANGE, &CHANGED].map(mark);
    if !marks.contains(&pointer) {
        // SAFETY: it is NULL, or comes from `fpga_assoc_error::given` and nobody else frees it.
        unsafe { fpga_assoc_error_free(pointer) };
    }
}
