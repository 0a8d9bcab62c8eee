//! The associations, kept in both orders: a list by either image walks over that image's pairs
//! alone, however many others there are.

use std::collections::{BTreeMap, BTreeSet};

/// From each image to its partners. Sorted, so that a page begins where the page before it ended.
type Index = BTreeMap<String, BTreeSet<String>>;

/// A pair is (ECS image, FPGA image).
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    by_ecs_image: Index,
    by_fpga_image: Index,
}

impl Pairs {
    /// False when it is there already.
    pub(crate) fn insert(&mut self, ecs_id: &str, fpga_id: &str) -> bool {
        insert(&mut self.by_fpga_image, fpga_id, ecs_id);
        insert(&mut self.by_ecs_image, ecs_id, fpga_id)
    }

    /// False when there is none.
    pub(crate) fn remove(&mut self, ecs_id: &str, fpga_id: &str) -> bool {
        remove(&mut self.by_fpga_image, fpga_id, ecs_id);
        remove(&mut self.by_ecs_image, ecs_id, fpga_id)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn contains(&self, ecs_id: &str, fpga_id: &str) -> bool {
        self.by_ecs_image
            .get(ecs_id)
            .is_some_and(|fpga_ids| fpga_ids.contains(fpga_id))
    }

    /// How many FPGA images the ECS image has.
    pub(crate) fn count(&self, ecs_id: &str) -> usize {
        self.by_ecs_image.get(ecs_id).map_or(0, BTreeSet::len)
    }

    /// By ECS image, then by FPGA image.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_ecs_image.iter().flat_map(|(ecs_id, fpga_ids)| {
            fpga_ids
                .iter()
                .map(move |fpga_id| (ecs_id.as_str(), fpga_id.as_str()))
        })
    }

    pub(crate) fn of_ecs_image<'a>(
        &'a self,
        ecs_id: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        partners(&self.by_ecs_image, ecs_id).map(move |fpga_id| (ecs_id, fpga_id))
    }

    pub(crate) fn of_fpga_image<'a>(
        &'a self,
        fpga_id: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        partners(&self.by_fpga_image, fpga_id).map(move |ecs_id| (ecs_id, fpga_id))
    }
}

fn insert(index: &mut Index, id: &str, partner: &str) -> bool {
    index
        .entry(id.to_owned())
        .or_default()
        .insert(partner.to_owned())
}

fn remove(index: &mut Index, id: &str, partner: &str) -> bool {
    index
        .get_mut(id)
        .is_some_and(|partners| partners.remove(partner))
}

fn partners<'a>(index: &'a Index, id: &str) -> impl Iterator<Item = &'a str> {
    index.get(id).into_iter().flatten().map(String::as_str)
}
