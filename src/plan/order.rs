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
    let bytes = one.bytes().map(|byte| byte.to_ascii_lowercase());
    bytes.cmp(other.bytes().map(|byte| byte.to_ascii_lowercase()))
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
        let mut pairs = Vec::new();
        memory::reserve_exact(&mut pairs, plan.len())?;
        pairs.extend(0..count);
        pairs.sort_unstable_by(|&one, &other| {
            compare(first(plan, one), first(plan, other))
                .then_with(|| compare(second(plan, one), second(plan, other)))
                .then(one.cmp(&other))
        });
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
        let mut all = Vec::new();
        memory::reserve_exact(&mut all, self.len())?;
        all.extend((0..).take(self.len()));
        all.sort_unstable_by_key(|&number| self.image(number).iter().min());
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
        let mut associated = Vec::new();
        for same in distinct(plan, by_ecs_image.image(image), Plan::fpga_id) {
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
            if wanted {
                memory::push(&mut associated, first)?;
            }
        }
        associated.sort_unstable();
        if let Some(&pair) = associated.get(LIMIT) {
            return Err(too_many(plan, pair));
        }
    }
    Ok(())
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
