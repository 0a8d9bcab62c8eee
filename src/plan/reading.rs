//! The first half: what there is.
//!
//! An ECS image has ten FPGA images at most, so that its list is one request. The list of an FPGA
//! image has any number of ECS images, a hundred in a request, and a last page that is empty; and
//! while it is read others may move what is on its pages, so that what several pages do not show may
//! be there all the same. Where such a pair is to be taken away, the list of its ECS image must tell.
//! (Where it is to be associated, the service's refusal would.)

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::calling::Broken;
use super::crew::{Left, Tick, Worker, share};
use super::order::{Order, with_id};
use super::run::Run;
use super::standing::{Outcome, State};
use super::wanted::Plan;
use crate::association::{Brought, Filter, LAST_PAGE, PAGE_SIZE};
use crate::error::Error;
use crate::memory;
use crate::status::Status;

/// The most pages of an ECS image's list, which is one where the service keeps its limit.
const MOST_PAGES: usize = 10;

/// Learns of each pair whether it is associated.
pub fn read(run: &Run<'_>, by_ecs_image: &Order, tick: Tick<'_>) -> Result<(), Error> {
    // Large plans take a while to be looked at.
    run.check();
    if run.is_stopped() {
        return Ok(());
    }
    let by_fpga_image = Order::by_fpga_image(run.plan)?;
    if requests_by_fpga_image(&by_fpga_image) < by_ecs_image.len() {
        let images = by_fpga_image.all()?;
        run.log(|| format!("reading the lists of {} FPGA images", images.len()));
        let left = AtomicUsize::new(by_ecs_image.len());
        let read = |image, worker: &mut Worker<'_>| {
            of_fpga_image(run, worker, by_fpga_image.image(image), &left)
        };
        share(run, images, &read, tick);
    }
    drop(by_fpga_image);
    read_ecs_images(run, by_ecs_image, tick)
}

/// Learns of each pair of which nothing is known whether it is associated, from its ECS image.
pub fn read_ecs_images(run: &Run<'_>, by_ecs_image: &Order, tick: Tick<'_>) -> Result<(), Error> {
    let mut images = by_ecs_image.all()?;
    let is_unknown = |&pair: &u32| run.state(pair) == State::Unknown;
    images.retain(|&image| by_ecs_image.image(image).iter().any(is_unknown));
    if !images.is_empty() {
        run.log(|| format!("reading the lists of {} ECS images", images.len()));
        let read =
            |image, worker: &mut Worker<'_>| of_ecs_image(run, worker, by_ecs_image.image(image));
        share(run, images, &read, tick);
    }
    Ok(())
}

/// How many requests it takes to read the lists of the FPGA images, where these are at the ECS images
/// of the plan and no others; those of ECS images are one for each. The fewer are sent. Where the FPGA
/// images turn out to be at many others they are given up after as many requests as the ECS images take,
/// so that the two together are never more than twice that.
fn requests_by_fpga_image(by_fpga_image: &Order) -> usize {
    let pages = |pairs: &[u32]| pairs.len().div_ceil(PAGE_SIZE) + 1;
    by_fpga_image.images().map(pages).sum()
}

/// What the pages of a list have shown.
struct Shown {
    /// The pairs of the plan that are associated, of those that are the same the first.
    pairs: Vec<u32>,
    extent: Extent,
}

/// How much of a list was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// All of it, as it was at one moment.
    OnePage,
    /// All its pages, one after the other.
    Pages,
    /// What a service that does not know paging has for a page.
    Unpaged,
    /// Some of its pages.
    Cut,
}

fn of_ecs_image(run: &Run<'_>, worker: &mut Worker<'_>, pairs: &[u32]) -> Left {
    let Some(&one) = pairs.first() else {
        return Left::Nothing;
    };
    let plan = run.plan;
    let filter = Filter::new(run.project_id, None, Some(plan.ecs_id(one)));
    let find = |_: &str, fpga_id: &str| with_id(plan, pairs, Plan::fpga_id, fpga_id);
    let shown = filter
        .map_err(Broken::Failed)
        .and_then(|filter| pages(run, worker, filter, &AtomicUsize::new(MOST_PAGES), &find))
        .and_then(|shown| match shown.extent {
            Extent::Cut => Err(Broken::Failed(endless(plan.ecs_id(one)))),
            _ => Ok(shown),
        });
    note(run, pairs, shown, &find, &|_| State::Apart)
}

fn of_fpga_image(
    run: &Run<'_>,
    worker: &mut Worker<'_>,
    pairs: &[u32],
    left: &AtomicUsize,
) -> Left {
    let Some(&one) = pairs.first() else {
        return Left::Nothing;
    };
    let plan = run.plan;
    let filter = Filter::new(run.project_id, Some(plan.fpga_id(one)), None);
    let find = |ecs_id: &str, _: &str| with_id(plan, pairs, Plan::ecs_id, ecs_id);
    let shown = filter
        .map_err(Broken::Failed)
        .and_then(|filter| pages(run, worker, filter, left, &find));
    let extent = shown.as_ref().map_or(Extent::Cut, |shown| shown.extent);
    note(run, pairs, shown, &find, &|pair| match extent {
        Extent::OnePage => State::Apart,
        // The service would refuse what is there, and then it is as wanted.
        Extent::Pages if plan.wants_associated(pair) => State::Apart,
        Extent::Pages | Extent::Unpaged | Extent::Cut => State::Unknown,
    })
}

fn endless(ecs_id: &str) -> Error {
    let line = format!("list: ECS image {ecs_id} has no end of FPGA images");
    Error::new(Status::BAD_RESPONSE, &line)
}

/// Those pairs of the plan that these ids name, the same all of them.
type Find<'a> = &'a dyn Fn(&str, &str) -> &'a [u32];

/// Reads the pages of a list, as many as are left.
fn pages(
    run: &Run<'_>,
    worker: &mut Worker<'_>,
    filter: Filter<'_>,
    left: &AtomicUsize,
    find: Find<'_>,
) -> Result<Shown, Broken> {
    let take_one = |left: usize| left.checked_sub(1);
    let mut shown = Shown {
        pairs: Vec::new(),
        extent: Extent::OnePage,
    };
    let mut first_before = String::new();
    for number in 1..LAST_PAGE {
        if left.fetch_update(Relaxed, Relaxed, take_one).is_err() {
            break;
        }
        let mut here = Vec::new();
        let mut first = String::new();
        let mut count = 0;
        run.call(worker, &mut |turn| {
            run.batch.page(turn, filter, number, &mut |page| {
                here.clear();
                first.clear();
                let mut room = Ok(());
                count = page.for_each_pair(filter, &mut |ecs_id, fpga_id| {
                    if first.is_empty() {
                        first = [ecs_id, " ", fpga_id].concat();
                    }
                    let same = find(ecs_id, fpga_id);
                    if let Some(&pair) = same.first() {
                        room = room.and_then(|()| memory::push(&mut here, pair));
                    }
                })?;
                Ok(room?)
            })
        })?;
        let append = memory::reserve(&mut shown.pairs, here.len());
        append.map_err(|refused| Broken::Failed(refused.into()))?;
        shown.pairs.append(&mut here);
        // A service that does not know paging has one page, whatever it is asked for.
        if count > 0 && first == first_before {
            shown.extent = Extent::Unpaged;
            return Ok(shown);
        }
        // Of a full page a part may have been on the next one a moment later, or earlier.
        if count >= PAGE_SIZE || (count > 0 && number > 1) {
            shown.extent = Extent::Pages;
        }
        let brought = Brought {
            pairs: count,
            new: count,
            repeated: 0,
        };
        if !filter.goes_on_after(brought) {
            return Ok(shown);
        }
        first_before = first;
    }
    shown.extent = Extent::Cut;
    Ok(shown)
}

/// Notes what a list has shown of the pairs, and of those that it did not show what that means.
fn note(
    run: &Run<'_>,
    pairs: &[u32],
    shown: Result<Shown, Broken>,
    find: Find<'_>,
    unshown: &dyn Fn(u32) -> State,
) -> Left {
    match shown {
        Ok(shown) => {
            for pair in shown.pairs {
                for &same in find(run.plan.ecs_id(pair), run.plan.fpga_id(pair)) {
                    run.learn(same, State::Associated);
                }
            }
            for &pair in pairs {
                run.learn(pair, unshown(pair));
            }
        }
        Err(Broken::Failed(error)) => {
            for &pair in pairs {
                if run.state(pair) == State::Unknown {
                    run.settle(pair, Outcome::Failed(&error));
                }
            }
        }
        Err(Broken::Stopped) => {}
        Err(Broken::NoWay) => return Left::Rest,
    }
    Left::Nothing
}
