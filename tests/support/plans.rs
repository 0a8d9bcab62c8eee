//! Plans as safe Rust, through the C exports, and a service to carry them out at.

use std::ffi::{CString, c_void};
use std::ptr;

use ecs_emulator::{Emulator, Settings};
use fpga_associate::capi;

use super::call::{self, Outcome};
use super::client::Client;

pub const OPEN: i32 = 0;
pub const AS_WANTED: i32 = 1;
pub const TO_CHANGE: i32 = 2;
pub const CHANGED: i32 = 3;
pub const FAILED: i32 = 4;

/// `fpga_assoc_plan`, freed when dropped.
pub struct Plan(*mut capi::fpga_assoc_plan);

// SAFETY: the header promises that any thread may use it.
unsafe impl Send for Plan {}
// SAFETY: as above.
unsafe impl Sync for Plan {}

/// Compare or apply.
pub type Job = unsafe extern "C" fn(
    *mut capi::fpga_assoc_client,
    *const std::ffi::c_char,
    *const std::ffi::c_char,
    *mut capi::fpga_assoc_plan,
    *mut *mut capi::fpga_assoc_error,
) -> i32;

impl Plan {
    pub fn new() -> Self {
        Self(Box::into_raw(capi::fpga_assoc_plan_new().unwrap()))
    }

    /// A plan for these pairs of an FPGA image and an ECS image.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str, bool)>) -> Self {
        let plan = Self::new();
        for (fpga_id, ecs_id, associated) in pairs {
            let outcome = plan.add(fpga_id, ecs_id, associated);
            assert_eq!(outcome.status, 0, "{outcome:?}");
        }
        plan
    }

    /// All of these pairs associated.
    pub fn associating(pairs: &[(String, String)]) -> Self {
        Self::of(
            pairs
                .iter()
                .map(|(fpga_id, ecs_id)| (&**fpga_id, &**ecs_id, true)),
        )
    }

    pub fn add(&self, fpga_id: &str, ecs_id: &str, associated: bool) -> Outcome {
        let [fpga_id, ecs_id] = [fpga_id, ecs_id].map(|id| CString::new(id).unwrap());
        // SAFETY: the plan is alive, and the texts live for the call.
        call::outcome(unsafe {
            capi::fpga_assoc_plan_add(self.0, fpga_id.as_ptr(), ecs_id.as_ptr(), associated)
        })
    }

    pub fn parallel(self, requests: u32) -> Self {
        // SAFETY: the plan is alive.
        let status = unsafe { capi::fpga_assoc_plan_set_parallel(self.0, requests) };
        assert_eq!(status, 0);
        self
    }

    pub fn timeout_ms(self, ms: u32) -> Self {
        // SAFETY: the plan is alive.
        let status = unsafe { capi::fpga_assoc_plan_set_timeout_ms(self.0, ms) };
        assert_eq!(status, 0);
        self
    }

    pub fn progress(self, progress: capi::fpga_assoc_progress_fn, context: *mut c_void) -> Self {
        // SAFETY: the plan is alive; the caller keeps the context.
        let status = unsafe { capi::fpga_assoc_plan_set_progress(self.0, progress, context) };
        assert_eq!(status, 0);
        self
    }

    pub fn len(&self) -> usize {
        // SAFETY: the plan is alive.
        capi::fpga_assoc_plan_len(unsafe { self.0.as_ref() })
    }

    pub fn result(&self, index: usize) -> i32 {
        // SAFETY: the plan is alive.
        capi::fpga_assoc_plan_result(unsafe { self.0.as_ref() }, index)
    }

    pub fn results(&self) -> Vec<i32> {
        (0..self.len()).map(|index| self.result(index)).collect()
    }

    /// How many pairs have this result.
    pub fn count(&self, result: i32) -> usize {
        self.results().iter().filter(|one| **one == result).count()
    }

    /// Why a pair failed.
    pub fn error(&self, index: usize) -> Option<Outcome> {
        // SAFETY: the plan is alive, and so is its error.
        unsafe {
            let error = capi::fpga_assoc_plan_error(self.0.as_ref(), index).as_ref()?;
            let status = capi::fpga_assoc_error_status(Some(error));
            Some(call::outcome_of(status, Some(error)))
        }
    }

    pub fn as_ptr(&self) -> *mut capi::fpga_assoc_plan {
        self.0
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        // SAFETY: made by `new`, and given back once.
        capi::fpga_assoc_plan_free(Some(unsafe { Box::from_raw(self.0) }));
    }
}

impl Client {
    pub fn apply(&self, token: &str, project_id: &str, plan: &Plan) -> Outcome {
        self.plan(capi::fpga_assoc_client_apply, Some(token), project_id, plan)
    }

    pub fn compare(&self, token: &str, project_id: &str, plan: &Plan) -> Outcome {
        self.plan(
            capi::fpga_assoc_client_compare,
            Some(token),
            project_id,
            plan,
        )
    }

    /// With the client's own credentials where no token is given.
    pub fn plan(&self, job: Job, token: Option<&str>, project_id: &str, plan: &Plan) -> Outcome {
        let token = token.map(|token| CString::new(token).unwrap());
        let token = token.as_ref().map_or(ptr::null(), |token| token.as_ptr());
        let project_id = CString::new(project_id).unwrap();
        let mut error = ptr::null_mut();
        // SAFETY: all pointers are good for the call, and the error is freed once.
        unsafe {
            let status = job(
                self.as_ptr(),
                token,
                project_id.as_ptr(),
                plan.0,
                &raw mut error,
            );
            let outcome = call::outcome_of(status, error.as_ref());
            capi::fpga_assoc_error_free(error);
            outcome
        }
    }
}

/// A service with so many more images.
pub fn service(fpga_images: usize, ecs_images: usize) -> Service {
    let emulator = Emulator::start_with(Settings {
        tls: false,
        ..Settings::default()
    })
    .unwrap();
    let fpga_ids = emulator.add_fpga_images(fpga_images);
    let ecs_ids = emulator.add_ecs_images(ecs_images);
    emulator.clear_requests();
    Service {
        emulator,
        fpga_ids,
        ecs_ids,
    }
}

pub struct Service {
    pub emulator: Emulator,
    pub fpga_ids: Vec<String>,
    pub ecs_ids: Vec<String>,
}

impl Service {
    /// The first so many FPGA images at each ECS image.
    pub fn pairs(&self, fpga_images: usize) -> Vec<(String, String)> {
        let ecs_ids = self.ecs_ids.iter();
        ecs_ids
            .flat_map(|ecs_id| {
                let fpga_ids = self.fpga_ids.iter().take(fpga_images);
                fpga_ids.map(|fpga_id| (fpga_id.clone(), ecs_id.clone()))
            })
            .collect()
    }

    pub fn client(&self) -> Client {
        super::client::config().client(self.emulator.endpoint())
    }

    pub fn apply(&self, plan: &Plan) -> Outcome {
        self.apply_with(&self.client(), plan)
    }

    pub fn apply_with(&self, client: &Client, plan: &Plan) -> Outcome {
        client.apply(self.emulator.token(), self.emulator.project_id(), plan)
    }

    pub fn compare(&self, plan: &Plan) -> Outcome {
        let (token, project_id) = (self.emulator.token(), self.emulator.project_id());
        self.client().compare(token, project_id, plan)
    }

    /// That what a plan reports is what the service has: all that is told as changed, and of the rest only
    /// what is told as not known.
    pub fn assert_told_truly(&self, plan: &Plan, pairs: &[(String, String)], outcome: &Outcome) {
        let there = self.emulator.associations();
        let mut is_unknown = false;
        for (index, pair) in pairs.iter().enumerate() {
            let is_there = there.contains(pair);
            match plan.result(index) {
                AS_WANTED | CHANGED => assert!(is_there, "{index}"),
                OPEN => assert!(!is_there, "{index}"),
                FAILED => {
                    let error = plan.error(index).unwrap();
                    is_unknown |= error.outcome_unknown;
                    assert!(error.outcome_unknown || !is_there, "{index}: {error:?}");
                }
                other => panic!("{index}: {other}"),
            }
        }
        assert_eq!(outcome.outcome_unknown, is_unknown, "{outcome:?}");
    }

    /// That the plan goes on where it ended, and comes to its end.
    pub fn assert_goes_on(&self, plan: &Plan) {
        let before = plan.count(CHANGED);
        let outcome = self.apply(plan);
        assert!(
            outcome.is(fpga_associate::status::Status::OK),
            "{outcome:?}"
        );
        assert!(plan.count(AS_WANTED) >= before);
        assert_eq!(plan.count(OPEN) + plan.count(FAILED), 0);
        assert_eq!(self.emulator.associations().len(), plan.len());
    }
}
