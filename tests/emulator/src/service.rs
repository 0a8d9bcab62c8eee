//! The rules of the service: which pairs may come to be, and which may go.

use std::collections::HashMap;

use crate::images::{EcsImage, FpgaImage};
use crate::pairs::Pairs;
use crate::refusal::Refusal;

const FPGA_IMAGES_PER_ECS_IMAGE: usize = 10;

/// All that is kept: the images and their associations.
#[derive(Debug)]
pub(crate) struct Service {
    project_id: String,
    fpga_images: HashMap<String, FpgaImage>,
    ecs_images: HashMap<String, EcsImage>,
    pairs: Pairs,
    limit: usize,
}

impl Service {
    pub(crate) fn new(project_id: String) -> Self {
        Self {
            project_id,
            fpga_images: HashMap::new(),
            ecs_images: HashMap::new(),
            pairs: Pairs::default(),
            limit: FPGA_IMAGES_PER_ECS_IMAGE,
        }
    }

    pub(crate) fn associate(&mut self, fpga_id: &str, ecs_id: &str) -> Result<(), Refusal> {
        let fpga_image = self.fpga_image(fpga_id)?;
        if !fpga_image.ours {
            return Err(self.not_owner(fpga_id));
        }
        if !fpga_image.is_active() {
            return Err(Refusal::FpgaImageNotActive {
                tenant: self.tenant(),
                fpga_id: fpga_id.to_owned(),
            });
        }
        if self.ecs_image(ecs_id)? == EcsImage::Shared {
            return Err(Refusal::NotPrivate {
                tenant: self.tenant(),
                ecs_id: ecs_id.to_owned(),
            });
        }
        // Two causes, one refusal, as the service has it.
        if self.pairs.contains(ecs_id, fpga_id) || self.pairs.count(ecs_id) >= self.limit {
            return Err(Refusal::RelationExistsOrLimit {
                tenant: self.tenant(),
                fpga_id: fpga_id.to_owned(),
                ecs_id: ecs_id.to_owned(),
            });
        }
        self.pairs.insert(ecs_id, fpga_id);
        Ok(())
    }

    pub(crate) fn disassociate(&mut self, fpga_id: &str, ecs_id: &str) -> Result<(), Refusal> {
        if !self.fpga_image(fpga_id)?.ours {
            return Err(self.not_owner(fpga_id));
        }
        self.ecs_image(ecs_id)?;
        if !self.pairs.remove(ecs_id, fpga_id) {
            return Err(Refusal::NoRelation {
                tenant: self.tenant(),
                fpga_id: fpga_id.to_owned(),
                ecs_id: ecs_id.to_owned(),
            });
        }
        Ok(())
    }

    pub(crate) fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    pub(crate) fn fpga_image(&self, fpga_id: &str) -> Result<&FpgaImage, Refusal> {
        self.fpga_images
            .get(fpga_id)
            .ok_or_else(|| Refusal::NoFpgaImage {
                tenant: self.tenant(),
                fpga_id: fpga_id.to_owned(),
            })
    }

    fn ecs_image(&self, ecs_id: &str) -> Result<EcsImage, Refusal> {
        self.ecs_images
            .get(ecs_id)
            .copied()
            .ok_or_else(|| Refusal::NoEcsImage {
                tenant: self.tenant(),
                ecs_id: ecs_id.to_owned(),
            })
    }

    fn not_owner(&self, fpga_id: &str) -> Refusal {
        Refusal::NotOwner {
            tenant: self.tenant(),
            fpga_id: fpga_id.to_owned(),
        }
    }

    fn tenant(&self) -> String {
        self.project_id.clone()
    }
}

/// What no client can do.
impl Service {
    pub(crate) fn add_fpga_image(&mut self, fpga_id: String, image: FpgaImage) {
        self.fpga_images.insert(fpga_id, image);
    }

    pub(crate) fn add_ecs_image(&mut self, ecs_id: String, image: EcsImage) {
        self.ecs_images.insert(ecs_id, image);
    }

    pub(crate) fn force(&mut self, fpga_id: &str, ecs_id: &str) -> bool {
        self.fpga_images.contains_key(fpga_id)
            && self.ecs_images.contains_key(ecs_id)
            && self.pairs.insert(ecs_id, fpga_id)
    }

    pub(crate) fn associations(&self) -> Vec<(String, String)> {
        self.pairs
            .all()
            .map(|(ecs_id, fpga_id)| (fpga_id.to_owned(), ecs_id.to_owned()))
            .collect()
    }

    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(crate) fn clear(&mut self) {
        self.pairs.clear();
    }
}
