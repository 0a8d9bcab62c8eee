//! The images that the service knows.

use serde_json::{Value, json};

/// One FPGA image, without its id.
#[derive(Debug)]
pub(crate) struct FpgaImage {
    name: String,
    description: String,
    status: &'static str,
    size: u32,
    created_at: String,
    log_directory: Option<&'static str>,
    pub(crate) ours: bool,
}

/// Whose an ECS image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EcsImage {
    Private,
    Shared,
}

impl FpgaImage {
    /// The tenant's `nth` image, ready for use.
    pub(crate) fn active(nth: usize) -> Self {
        Self {
            name: format!("vu9p-kernel-{}", nth + 1),
            description: format!("Kernel {}, 250 MHz", nth + 1),
            status: "active",
            size: 40,
            created_at: format!("2017-10-16 {:02}:{:02}:06", 7 + nth / 60 % 12, nth % 60),
            // The field may be null: let clients meet both.
            log_directory: nth.is_multiple_of(2).then_some("obs-fpga:vu9p/log"),
            ours: true,
        }
    }

    pub(crate) fn creating() -> Self {
        Self {
            name: "vu9p-kernel-next".to_owned(),
            status: "creating",
            ..Self::active(0)
        }
    }

    pub(crate) fn foreign() -> Self {
        Self {
            name: "another-tenants-kernel".to_owned(),
            ours: false,
            ..Self::active(0)
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.status == "active"
    }

    /// As the list shows it. It shows associated images only, and those are protected.
    pub(crate) fn to_json(&self, id: &str) -> Value {
        json!({
            "id": id,
            "name": self.name,
            "description": self.description,
            "status": self.status,
            "size": self.size,
            "createdAt": self.created_at,
            "protected": true,
            "message": null,
            "metadata": {"shell_type": "OCL", "shell_version": "1.0"},
            "log_directory": self.log_directory,
        })
    }
}
