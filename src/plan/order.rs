//! The pairs of a plan from the side of their images, and what can't be of them.

use std::cmp::Ordering;

use super::wanted::Plan;
use crate::association::LIMIT;
use crate::error::Error;
use crate::memory::{self, OutOfMemory};

/// The pairs, those of one image together.
#[derive(Debug)]
pub struct Order {
    pairs: Vec<u32>,
    /// Where those of each image end.
    ends: Vec<u32>,
}

/// An id of a pair.
type Id = for<'a> fn(&'a Plan, u32) -> &'a str;

/// The service may spell an id in another letter case.
fn compare(one: &str, other: &str) -> Ordering {
    if one == other {
        return Ordering::Equal;
    }
    let bytes = one.bytes().map(|byte| byte.to_ascii_lowercase());
    bytes.cmp(other.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// The beginning of an id as a number of the same order.
fn beginning(id: &str) -> u64 {
    let mut beginning = [0; 8];
    for (place, byte) in beginning.iter_mut().zip(id.bytes()) {
        *place = byte.to_ascii_lowercase();
    }
    u64::from_be_bytes(beginning)
}

impl Order {
    /// By ECS image, and the pairs of one by FPGA image.
    pub fn by_ecs_image(plan: &Plan) -> Result<Self, OutOfMemory> {
        Self::by(plan, Plan::ecs_id, Plan::fpga_id)
    }

    /// The other way round.
    pub fn by_fpga_image(plan: &Plan) -> Result<Self, OutOfMemory> {
        Self::by(plan, Plan::fpga_id, Plan::ecs_id)
    }

    fn by(plan: &Plan, first: Id, second: Id) -> Result<Self, OutOfMemory> {
        let count = u32::try_from(plan.len()).unwrap_or(u32::MAX);
        // Most ids differ in their beginnings, so that they are not looked up to be compared.
        let mut keys = Vec::new();
        memory::reserve_exact(&mut keys, plan.len())?;
        keys.extend((0..count).map(|pair| {
            let [first, second] = [first(plan, pair), second(plan, pair)].map(beginning);
            (first, second, pair)
        }));
        keys.sort_unstable_by(|one, other| {
            let ids = |id: Id| compare(id(plan, one.2), id(plan, other.2));
            one.0
                .cmp(&other.0)
                .then_with(|| ids(first))
                .then_with(|| one.1.cmp(&other.1))
                .then_with(|| ids(second))
                .then_with(|| one.2.cmp(&other.2))
        });
        let mut pairs = Vec::new();
        memory::reserve_exact(&mut pairs, plan.len())?;
        pairs.extend(keys.iter().map(|&(_, _, pair)| pair));
        drop(keys);
        let mut ends = Vec::new();
        let mut end = 0;
        for image in pairs.chunk_by(|&one, &other| {
            compare(first(plan, one), first(plan, other)) == Ordering::Equal
        }) {
            end += u32::try_from(image.len()).unwrap_or(u32::MAX);
            memory::push(&mut ends, end)?;
        }
        Ok(Self { pairs, ends })
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Their numbers, in the order in which the plan names them first.
    pub fn all(&self) -> Result<Vec<u32>, OutOfMemory> {
        // Of each pair that is the first of its image, which that is.
        let mut first_of = Vec::new();
        memory::reserve_exact(&mut first_of, self.pairs.len())?;
        first_of.resize(self.pairs.len(), None);
        for (number, image) in (0..).zip(self.images()) {
            let first = image.iter().min();
            if let Some(place) = first.and_then(|&first| first_of.get_mut(first as usize)) {
                *place = Some(number);
            }
        }
        let mut all = Vec::new();
        memory::reserve_exact(&mut all, self.len())?;
        all.extend(first_of.into_iter().flatten());
        Ok(all)
    }

    /// The pairs of one of them.
    pub fn image(&self, number: u32) -> &[u32] {
        let number = number as usize;
        let end = |number: usize| self.ends.get(number).map(|&end| end as usize);
        let begin = number.checked_sub(1).map_or(Some(0), end);
        let place = begin.zip(end(number));
        let pairs = place.and_then(|(begin, end)| self.pairs.get(begin..end));
        pairs.unwrap_or_default()
    }

    /// The pairs of each.
    pub fn images(&self) -> impl Iterator<Item = &[u32]> {
        (0..).take(self.len()).map(|number| self.image(number))
    }
}

/// Those of the pairs, in the order of these ids, that have this one: more than one where the plan has
/// a pair twice.
pub fn with_id<'a>(plan: &Plan, pairs: &'a [u32], id: Id, wanted: &str) -> &'a [u32] {
    let begin = pairs.partition_point(|&pair| compare(id(plan, pair), wanted) == Ordering::Less);
    let pairs = pairs.get(begin..).unwrap_or_default();
    let end = pairs.partition_point(|&pair| compare(id(plan, pair), wanted) == Ordering::Equal);
    pairs.get(..end).unwrap_or_default()
}

/// Each of an image's pairs once, with those that are the same.
pub fn distinct<'a>(plan: &'a Plan, pairs: &'a [u32], id: Id) -> impl Iterator<Item = &'a [u32]> {
    pairs.chunk_by(move |&one, &other| compare(id(plan, one), id(plan, other)) == Ordering::Equal)
}

/// Refuses what no service can bring about: a pair that is wanted both ways, and more FPGA images at an
/// ECS image than it can have.
pub fn check(plan: &Plan, by_ecs_image: &Order) -> Result<(), Error> {
    for image in by_ecs_image.all()? {
        let image = by_ecs_image.image(image);
        for same in distinct(plan, image, Plan::fpga_id) {
            let Some((&first, others)) = same.split_first() else {
                continue;
            };
            let wanted = plan.wants_associated(first);
            if let Some(&other) = others
                .iter()
                .find(|&&other| plan.wants_associated(other) != wanted)
            {
                return Err(contradiction(plan, first, other));
            }
        }
        if let Some(pair) = one_too_many(plan, image) {
            return Err(too_many(plan, pair));
        }
    }
    Ok(())
}

/// The first pair of an ECS image that is more than it can have.
fn one_too_many(plan: &Plan, image: &[u32]) -> Option<u32> {
    let firsts = || distinct(plan, image, Plan::fpga_id).filter_map(|same| same.first().copied());
    let associated = || firsts().filter(|&pair| plan.wants_associated(pair));
    if associated().count() <= LIMIT {
        return None;
    }
    let mut latest = None;
    for _ in 0..=LIMIT {
        latest = associated().filter(|&pair| Some(pair) > latest).min();
    }
    latest
}

fn contradiction(plan: &Plan, first: u32, other: u32) -> Error {
    let (fpga_id, ecs_id) = (plan.fpga_id(first), plan.ecs_id(first));
    Error::invalid_argument(
        "plan",
        &format!(
            "wants FPGA image {fpga_id} and ECS image {ecs_id} both associated and not (indices {first} and {other})"
        ),
    )
}

fn too_many(plan: &Plan, pair: u32) -> Error {
    let (fpga_id, ecs_id) = (plan.fpga_id(pair), plan.ecs_id(pair));
    Error::invalid_argument(
        "plan",
        &format!(
            "wants FPGA image {fpga_id} (index {pair}) as number {} at ECS image {ecs_id}, which can have {LIMIT}",
            LIMIT + 1
        ),
    )
}
