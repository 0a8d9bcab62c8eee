//! Schedules of faults from a seed.

use super::answers::{BUSY, DONE, DOUBTS, REFUSALS, WORDS, Words};
use super::cases::{CHANGES, Case, Change};
use super::fault::{Acts, Fault, LATE, MANNERS, Manner, PLACES, Place, Step, VERY_LATE, is_read};
use super::listing::{LISTINGS, Listing};

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to one less.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit
    }

    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let place = self.below(choices.len().max(1) as u64);
        choices.get(place as usize)
    }

    fn is_one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// The case of a seed: another fault for each request, and another list for each question.
pub fn case(seed: u64) -> Case {
    let mut random = Random::new(seed);
    let steps = random.below(4) + 1;
    let listings = random.below(4) + 1;
    let is_honest = random.is_one_in(3);
    Case {
        number: seed,
        change: random
            .one_of(&CHANGES)
            .copied()
            .unwrap_or(Change::Associate),
        steps: (0..steps).map(|_| step(&mut random)).collect(),
        listings: (0..listings)
            .map(|_| match random.one_of(LISTINGS) {
                Some(listing) if !is_honest => *listing,
                _ => Listing::Truthful,
            })
            .collect(),
        words: random.one_of(&WORDS).copied().unwrap_or(Words::Documented),
        attempts: random.below(4) as u32 + 1,
        confirms: !random.is_one_in(4),
        is_kept: random.is_one_in(2),
        was_as_wanted: random.is_one_in(5),
    }
}

fn step(random: &mut Random) -> Step {
    let (fault, acts) = match random.below(10) {
        0 => (Fault::None, Acts::Never),
        1..5 => {
            let place = random
                .one_of(PLACES)
                .copied()
                .unwrap_or(Place::AfterRequest);
            let manner = random.one_of(MANNERS).copied().unwrap_or(Manner::Close);
            let acts = if is_read(place, manner) {
                acts(random)
            } else {
                Acts::Never
            };
            (Fault::Break(place, manner), acts)
        }
        5..8 => (answer(random, DOUBTS), acts(random)),
        8 if random.is_one_in(2) => (answer(random, BUSY), Acts::Never),
        8 => (answer(random, REFUSALS), Acts::Never),
        _ => (answer(random, DONE), Acts::BeforeItAnswers),
    };
    Step { fault, acts }
}

fn answer(random: &mut Random, answers: &'static [super::answers::Answer]) -> Fault {
    random.one_of(answers).map_or(Fault::None, Fault::Answer)
}

fn acts(random: &mut Random) -> Acts {
    match random.below(4) {
        0 => Acts::Never,
        1 => Acts::BeforeItAnswers,
        2 => random
            .one_of(&LATE)
            .copied()
            .map_or(Acts::Never, Acts::Late),
        _ => Acts::Late(VERY_LATE),
    }
}
