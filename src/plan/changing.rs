//! The second half: what is not as wanted is changed, at each ECS image one pair after the other.

use super::calling::Broken;
use super::crew::{Left, Tick, Worker, share};
use super::order::{Order, distinct};
use super::run::Run;
use super::standing::Outcome;
use super::wanted::Plan;
use crate::error::Error;
use crate::status::Status;

/// Sends the differences.
pub fn change(run: &Run<'_>, by_ecs_image: &Order, tick: Tick<'_>) -> Result<(), Error> {
    let mut images = by_ecs_image.all()?;
    let differs = |&pair: &u32| run.differs(pair);
    images.retain(|&image| by_ecs_image.image(image).iter().any(differs));
    if !images.is_empty() {
        run.log(|| format!("changing pairs of {} ECS images", images.len()));
        let change =
            |image, worker: &mut Worker<'_>| of_ecs_image(run, worker, by_ecs_image.image(image));
        share(run, images, &change, tick);
    }
    Ok(())
}

/// What is taken away goes first, so that there is room for the rest; else the order is the plan's.
fn of_ecs_image(run: &Run<'_>, worker: &mut Worker<'_>, pairs: &[u32]) -> Left {
    for associated in [false, true] {
        let is_next =
            |pair: u32| run.differs(pair) && run.plan.wants_associated(pair) == associated;
        let next = || {
            let all = distinct(run.plan, pairs, Plan::fpga_id);
            let next = all.filter(|same| same.first().is_some_and(|&pair| is_next(pair)));
            next.min_by_key(|same| same.first())
        };
        while let Some(same) = next() {
            let Some(&pair) = same.first() else { break };
            let result = match bring_about(run, worker, pair, associated) {
                Err(Broken::Stopped) => return Left::Nothing,
                Err(Broken::NoWay) => return Left::Rest,
                Err(Broken::Failed(error)) => Err(error),
                Ok(()) => Ok(()),
            };
            let outcome = match &result {
                Ok(()) => Outcome::Changed,
                // Somebody else did the same meanwhile.
                Err(error) if is_as_wanted(error.status, associated) => Outcome::AsWanted,
                Err(error) => Outcome::Failed(error),
            };
            for &pair in same {
                run.settle(pair, outcome);
            }
            (worker.tick)();
        }
    }
    Left::Nothing
}

fn bring_about(
    run: &Run<'_>,
    worker: &mut Worker<'_>,
    pair: u32,
    associated: bool,
) -> Result<(), Broken> {
    let ids = run.plan.pair(run.project_id, pair);
    let ids = ids.map_err(Broken::Failed)?;
    run.call(worker, &mut |turn| {
        if associated {
            run.batch.associate(turn, ids)
        } else {
            run.batch.disassociate(turn, ids)
        }
    })
}

fn is_as_wanted(status: Status, associated: bool) -> bool {
    match status {
        Status::ALREADY_ASSOCIATED => associated,
        Status::NOT_ASSOCIATED => !associated,
        _ => false,
    }
}
