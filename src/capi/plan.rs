//! Plans: many pairs at once.

use std::ffi::{c_char, c_void};
use std::mem;
use std::ptr;
use std::sync::Arc;

use super::arguments::{optional_token, text};
use super::client::fpga_assoc_client;
use super::config::Context;
use super::error::fpga_assoc_error;
use super::guard::{guard, outside};
use super::handle::{borrow, boxed, take_back};
use super::last_error;
use super::results::{PairResult, Results};
use crate::error::Error;
use crate::memory;
use crate::plan::{Job, Plan, Target, carry_out};
use crate::transport::{Guarded, LeftBehind, Process};

/// What is wanted of many pairs of an FPGA image and an ECS image: of each that the two are associated,
/// or that they are not.
///
/// A plan belongs to no client and no project; it may be carried out again and again, and pairs may be
/// added between. Its functions may be called from any thread; while it is carried out, those that
/// change it and another `fpga_assoc_client_apply` are refused, and its results can be read. A child that was
/// forked while another thread was in a function of the plan, or carried it out, can't change it, and
/// where a function was changing or reading it finds no pairs in it; make a new one there.
pub struct fpga_assoc_plan {
    inside: Guarded<Inside>,
}

struct Inside {
    plan: Arc<Plan>,
    results: Arc<Results>,
    progress: Option<Arc<Progress>>,
    /// The process whose thread carries it out just now.
    under_way: Option<Process>,
}

/// A function of the host that is told how far a plan is: `settled` of its `total` pairs have their
/// result.
///
/// `context` is what was given to `fpga_assoc_plan_set_progress`. It is called on the thread that
/// called `fpga_assoc_client_apply` or `fpga_assoc_client_compare`, never twice at once, at most five times
/// a second and at the end, where there was something new. It may call any function of this library but
/// free the plan or the client; `fpga_assoc_client_shutdown` stops the plan. It must return: no
/// exception, no longjmp and no pthread_exit may leave it. It may fork: where the child returns too, the
/// call ends there as `FPGA_ASSOC_INCOMPLETE`, with an outcome that is not known where it was to apply
/// the plan.
pub type fpga_assoc_progress_fn =
    Option<unsafe extern "C" fn(context: *mut c_void, settled: usize, total: usize)>;

struct Progress {
    progress: unsafe extern "C" fn(*mut c_void, usize, usize),
    context: Context,
}

/// A plan without pairs.
///
/// Returns the plan; free it with `fpga_assoc_plan_free`. NULL where memory ran out: what would
/// fill it or carry it out refuses that. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_plan_new() -> Option<Box<fpga_assoc_plan>> {
    let inside = || Inside {
        plan: Arc::default(),
        results: Arc::default(),
        progress: None,
        under_way: None,
    };
    guard(|| {
        let inside = Guarded::new(inside());
        boxed(fpga_assoc_plan { inside }).ok()
    })
    .ok()
    .flatten()
}

/// Frees a plan, its results and their errors. NULL is ignored.
///
/// Thread-safe, as long as nobody else uses the plan any more.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_plan_free(plan: Option<Box<fpga_assoc_plan>>) {
    match plan {
        // Nobody knows in what state a thread of the parent has left it.
        Some(plan) if plan.inside.is_left_behind() => mem::forget(plan),
        plan => take_back(plan),
    }
}

/// Adds a pair to a plan, and says what is wanted of it.
///
/// - `plan`: the plan.
/// - `fpga_id`, `ecs_id`: as for `fpga_associate`; borrowed for the call.
/// - `associated`: true where the two are to be associated, false where not.
///
/// The pair's index is the number of pairs that were added before. The same pair may be added twice, if
/// the same is wanted of it. A plan has at most 10,000,000 pairs; it takes about 60 bytes for each beside
/// its ids while it is carried out, and some hundred for the error of each that failed.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for ids that `fpga_associate` would refuse,
/// for a plan that is just being carried out, and for NULL; sets the thread's last error. Where it fails
/// nothing was added. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_plan_add(
    plan: *mut fpga_assoc_plan,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
    associated: bool,
) -> i32 {
    // SAFETY: the plan is alive and the texts end in NUL, as the header says.
    unsafe {
        change(plan, |inside| {
            let (fpga_id, ecs_id) = (text("fpga_id", fpga_id)?, text("ecs_id", ecs_id)?);
            inside.plan()?.add(fpga_id, ecs_id, associated)
        })
    }
}

/// Sets how many requests of a plan may be under way at once, 1 to 100. The default is 8.
///
/// Each has a connection and a thread of the library's own, with no more than a megabyte of stack; all of
/// these have ended when the call returns. Where the system gives fewer, there are fewer. With 1
/// there is none: everything but the lookup of a host name, callbacks too, happens on the thread that
/// calls.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for another number, for a plan that is
/// just being carried out, and for a `plan` that is NULL; sets the thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_plan_set_parallel(
    plan: *mut fpga_assoc_plan,
    requests: u32,
) -> i32 {
    // SAFETY: the plan is alive, as the header says.
    unsafe { change(plan, |inside| inside.plan()?.set_parallel(requests)) }
}

/// Sets the time for a whole plan in milliseconds, 1 to 2,147,483,647. The default is none: a plan
/// takes as long as it takes. The time for a whole call that the client has
/// (`fpga_assoc_config_set_timeout_ms`) bounds each call of the plan, not the plan.
///
/// When it has passed no more is sent, and what is under way ends with it: a change that had begun may
/// then fail with an outcome that is not known.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for another number, for a plan that is
/// just being carried out, and for a `plan` that is NULL; sets the thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_plan_set_timeout_ms(
    plan: *mut fpga_assoc_plan,
    ms: u32,
) -> i32 {
    // SAFETY: the plan is alive, as the header says.
    unsafe { change(plan, |inside| inside.plan()?.set_timeout_ms(ms)) }
}

/// Sets a function that is told how far a plan is. The default, and NULL, is none.
///
/// `context` is handed to the function as it is; it may be NULL. Both must stay usable while the plan
/// is carried out.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a plan that is just being carried out,
/// and for a `plan` that is NULL; sets the thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_plan_set_progress(
    plan: *mut fpga_assoc_plan,
    progress: fpga_assoc_progress_fn,
    context: *mut c_void,
) -> i32 {
    let context = Context::new(context);
    // SAFETY: the plan is alive, as the header says.
    unsafe {
        change(plan, |inside| {
            let progress = progress.map(|progress| Arc::new(Progress { progress, context }));
            memory::check()?;
            inside.progress = progress;
            Ok(())
        })
    }
}

/// Compares a plan with what there is, and changes nothing.
///
/// - `client`: makes the calls, with its settings.
/// - `token`: as for `fpga_assoc_client_associate`; it may be NULL where the client has credentials of its
///   own.
/// - `project_id`: as for `fpga_associate`.
/// - `plan`: receives a result for each pair: `FPGA_ASSOC_RESULT_AS_WANTED`,
///   `FPGA_ASSOC_RESULT_TO_CHANGE`, or `FPGA_ASSOC_RESULT_FAILED` where what there is could not be read.
///   Results and errors of an earlier call are gone when this one begins.
/// - `error`: as for `fpga_assoc_client_associate`.
///
/// The texts are borrowed for the call. It asks for the list of each ECS image of the plan, or of each FPGA
/// image where that takes fewer requests, and needs the IAM action
/// `ecs:cloudServerFpgaImages:getRelations`.
///
/// Returns `FPGA_ASSOC_OK` where every pair was compared, whether it is as wanted or not;
/// `FPGA_ASSOC_INCOMPLETE` where not, as for `fpga_assoc_client_apply`; or `FPGA_ASSOC_INVALID_ARGUMENT`
/// as there.
///
/// Thread-safe. Blocks the calling thread until the plan has come to its end.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_client_compare(
    client: *mut fpga_assoc_client,
    token: *const c_char,
    project_id: *const c_char,
    plan: *mut fpga_assoc_plan,
    error: *mut *mut fpga_assoc_error,
) -> i32 {
    // SAFETY: client and plan are alive, the texts end in NUL, and `error` may be written to, as the header
    // says.
    unsafe { begin(client, token, project_id, plan, error, Job::Compare) }
}

/// Brings the pairs of a plan to what is wanted of them.
///
/// The arguments are those of `fpga_assoc_client_compare`. The results are
/// `FPGA_ASSOC_RESULT_AS_WANTED` where nothing was to be done, `FPGA_ASSOC_RESULT_CHANGED`,
/// `FPGA_ASSOC_RESULT_FAILED` with an error, for which all is true that is said of
/// `fpga_assoc_client_associate` and its error, and `FPGA_ASSOC_RESULT_OPEN` where the plan was stopped
/// before anything was done for the pair.
///
/// What there is is read first, and the differences alone are sent: a plan that is carried out once more
/// sends no change, and one that was stopped, or whose process was killed, goes on where it ended. At one
/// ECS image one pair is changed after the other, and what is to be taken away goes first, so that there is
/// room for the rest. A pair that somebody else brings to what is wanted meanwhile is as wanted;
/// or changed, where the service had refused the plan's own request for it before (HTTP 409, 429), so
/// that whose it is can't be told.
///
/// So many requests as `fpga_assoc_plan_set_parallel` says are under way at once, on threads of the
/// library's own that have ended when the call returns; the functions for the log and for credentials are
/// called there. (A child that one of them forks may not return: its process would end with that
/// thread.) Where the service is too busy (HTTP 429, flow control) all of them slow down, wait as long as
/// it asks, and grow faster again with the time; the pair is sent again.
///
/// A plan stops, and leaves the rest of its pairs open, when its time is over
/// (`fpga_assoc_plan_set_timeout_ms`), the client is shut down, memory runs out, who asks is refused
/// (HTTP 401, no credentials), or the service is dead: for ten seconds none of the calls brought anything
/// of use (it could not be reached, or answered what can't be used, HTTP 5xx or HTTP 403), or for five
/// minutes it was too busy for all of them without asking for a pause. A pair that fails for such a
/// reason does not stop the others. One at which another change is under way (HTTP 409) is tried up to
/// six times; one whose change is in doubt and could not be asked about, as when the service starts anew, is
/// looked at once more when the others have come to their end.
///
/// Returns `FPGA_ASSOC_OK` where every pair is as wanted, and for a plan without pairs;
/// `FPGA_ASSOC_INCOMPLETE` where not, also where the plan was stopped (`FPGA_ASSOC_OUT_OF_MEMORY` where
/// memory ran out), with an error that counts the pairs and says why it was stopped: its HTTP status, code,
/// request id and time to wait are then those of that reason, and its outcome is unknown where that of a
/// pair is. `FPGA_ASSOC_INVALID_ARGUMENT` means that nothing was sent: for an argument that
/// `fpga_assoc_client_associate` would refuse, a `plan` that is NULL or is just being carried out, one that
/// wants a pair both ways, and one that wants more than ten FPGA images at one ECS image; the message
/// names the pair. `FPGA_ASSOC_CANCELLED` means that the client was shut down before.
///
/// Thread-safe: one client may carry out several plans at once, beside other calls. Blocks the calling
/// thread until the plan has come to its end. (In a child of `_Fork` or `clone`, not of `fork`, the C library
/// can't begin threads where another thread of the parent was beginning one.)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_client_apply(
    client: *mut fpga_assoc_client,
    token: *const c_char,
    project_id: *const c_char,
    plan: *mut fpga_assoc_plan,
    error: *mut *mut fpga_assoc_error,
) -> i32 {
    // SAFETY: client and plan are alive, the texts end in NUL, and `error` may be written to, as the header
    // says.
    unsafe { begin(client, token, project_id, plan, error, Job::Apply) }
}

/// How many pairs a plan has; 0 for NULL.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_plan_len(plan: Option<&fpga_assoc_plan>) -> usize {
    let mut len = 0;
    look(plan, &mut |inside| len = inside.plan.len());
    len
}

/// What became of the pair with this index, an `fpga_assoc_result`; `FPGA_ASSOC_RESULT_OPEN` for an
/// index past the end, and for NULL. While the plan is carried out it is what is known so far.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_plan_result(plan: Option<&fpga_assoc_plan>, index: usize) -> i32 {
    let mut result = PairResult::RESULT_OPEN;
    look(plan, &mut |inside| result = inside.results.get(index));
    result as i32
}

/// Why the pair with this index failed.
///
/// Returns the error; NULL unless the pair's result is `FPGA_ASSOC_RESULT_FAILED`, for an index past
/// the end, and for NULL. It belongs to the plan (do not free it) and lives until the plan is
/// carried out or compared again, or freed. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_plan_error(
    plan: Option<&fpga_assoc_plan>,
    index: usize,
) -> *const fpga_assoc_error {
    let mut error = ptr::null();
    look(plan, &mut |inside| error = inside.results.error(index));
    error
}

/// Nothing is seen of a plan that is NULL, or that a child of fork can't look into.
fn look(plan: Option<&fpga_assoc_plan>, look: &mut dyn FnMut(&Inside)) {
    if let Some(plan) = plan {
        guard(|| plan.inside.with(|inside| look(inside)).ok()).ok();
    }
}

/// # Safety
/// `plan` is NULL or alive.
unsafe fn change(
    plan: *mut fpga_assoc_plan,
    change: impl FnOnce(&mut Inside) -> Result<(), Error>,
) -> i32 {
    last_error::keep(|| {
        // SAFETY: the caller's promise.
        let plan = unsafe { borrow("plan", plan)? };
        plan.with(|inside| {
            inside.check_idle()?;
            change(inside)
        })
    })
}

/// # Safety
/// As the header says of the exports that call it.
unsafe fn begin(
    client: *mut fpga_assoc_client,
    token: *const c_char,
    project_id: *const c_char,
    plan: *mut fpga_assoc_plan,
    error: *mut *mut fpga_assoc_error,
    job: Job,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        last_error::deliver(error, || {
            let client = borrow("client", client)?;
            let target = Target {
                client: &client.client,
                endpoint: &client.endpoint,
                token: optional_token(token)?,
                project_id: text("project_id", project_id)?,
            };
            borrow("plan", plan)?.carry_out(job, target)
        })
    }
}

impl fpga_assoc_plan {
    fn with<T>(&self, work: impl FnOnce(&mut Inside) -> Result<T, Error>) -> Result<T, Error> {
        self.inside.with(work)?
    }

    fn carry_out(&self, job: Job, target: Target<'_>) -> Result<(), Error> {
        let (plan, results, progress) = self.with(|inside| {
            inside.check_idle()?;
            inside.results = Arc::new(Results::of(inside.plan.len())?);
            inside.under_way = Some(Process::current());
            Ok((
                Arc::clone(&inside.plan),
                Arc::clone(&inside.results),
                inside.progress.clone(),
            ))
        })?;
        let ended = Ended(self);
        let mut tell = progress.map(|progress| move |settled, total| progress.tell(settled, total));
        let tell = tell.as_mut().map(|tell| tell as _);
        let result = carry_out(&plan, job, target, &*results, tell);
        // The plan can be changed only where nobody else has it.
        drop((plan, results));
        drop(ended);
        result
    }
}

/// Whoever carries the plan out is at an end, however that came.
struct Ended<'a>(&'a fpga_assoc_plan);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.inside.with(|inside| inside.under_way = None).ok();
    }
}

impl Inside {
    fn check_idle(&self) -> Result<(), Error> {
        match self.under_way {
            Some(process) if process.is_current() => Err(Error::invalid_argument(
                "plan",
                "is being carried out; it can be changed when that call has returned",
            )),
            _ => Ok(()),
        }
    }

    /// The plan, to be changed.
    fn plan(&mut self) -> Result<&mut Plan, Error> {
        let reason = "was being carried out when this process was forked; make a new one";
        Arc::get_mut(&mut self.plan).ok_or_else(|| Error::invalid_argument("plan", reason))
    }
}

impl Progress {
    fn tell(&self, settled: usize, total: usize) {
        last_error::aside(|| {
            // SAFETY: the host promised that both stay usable while the plan is carried out.
            outside(|| unsafe { (self.progress)(self.context.pointer(), settled, total) });
        });
    }
}

impl From<LeftBehind> for Error {
    fn from(_: LeftBehind) -> Self {
        let reason = "was being changed when this process was forked; make a new one";
        Self::invalid_argument("plan", reason)
    }
}
