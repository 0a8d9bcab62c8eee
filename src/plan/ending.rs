//! What is said of a plan at its end.

use std::sync::atomic::Ordering;

use super::run::{Job, Run};
use crate::error::Error;
use crate::log::Level;
use crate::status::Status;

impl Run<'_> {
    /// The error of a plan whose pairs are not all as wanted; those that failed have their own.
    pub fn ending(&self) -> Result<(), Error> {
        let (total, name) = (self.plan.len(), self.job.name());
        let settled = self.settled();
        let failed = self.failed.load(Ordering::Relaxed);
        let (done, open) = (
            settled.saturating_sub(failed),
            total.saturating_sub(settled),
        );
        if done == total {
            self.log(|| format!("{total} pairs: done"));
            return Ok(());
        }
        let what = match self.job {
            Job::Compare => "could be compared",
            Job::Apply => "are as wanted",
        };
        let line =
            format!("{name}: {done} of {total} pairs {what}, {failed} failed, {open} are open");
        let error = Error::new(Status::INCOMPLETE, &line);
        let error = match (self.stop.get(), self.failure.get()) {
            (Some(cause), _) => Error {
                status: match cause.status {
                    Status::OUT_OF_MEMORY => Status::OUT_OF_MEMORY,
                    _ => Status::INCOMPLETE,
                },
                http_status: cause.http_status,
                code: cause.code.clone(),
                request_id: cause.request_id.clone(),
                retry_after_ms: cause.retry_after_ms,
                attempts: cause.attempts,
                ..error.explained(&format!("it was stopped: {}", cause.message))
            },
            (None, Some((pair, cause))) => {
                let (fpga_id, ecs_id) = (self.plan.fpga_id(*pair), self.plan.ecs_id(*pair));
                error.explained(&format!(
                    "the first that failed, FPGA image {fpga_id} and ECS image {ecs_id}: {}",
                    cause.message
                ))
            }
            (None, None) => error,
        };
        let error = Error {
            outcome_unknown: self.outcome_unknown.load(Ordering::Relaxed),
            ..error
        };
        self.batch.log(Level::LOG_ERROR, || error.message.clone());
        Err(error)
    }
}
