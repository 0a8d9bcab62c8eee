//! The credentials of one client: one thread at a time gets others, and those that need them wait for
//! it.

use std::cell::Cell;
use std::iter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::asking::Asking;
use super::held::{Held, traces};
use super::source::{Reason, Source};
use super::state::{Found, State};
use crate::error::Error;
use crate::log::Level;
use crate::memory::{self, OutOfMemory};
use crate::status::Status;
use crate::transport::{Gate, PerProcess};

thread_local! {
    /// The keyring for which this thread asks the host; of several, the latest.
    static ASKING: Cell<usize> = const { Cell::new(0) };
}

/// The credentials that a client has, and where it gets others. A child of fork has its own.
#[derive(Debug)]
pub struct Keyring {
    source: Source,
    own: PerProcess<Own>,
}

#[derive(Debug, Default)]
struct Own {
    state: Mutex<State>,
    /// Through which who gets others goes.
    gate: Gate,
}

impl Keyring {
    /// Empty, if it is to be filled from elsewhere.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            own: PerProcess::new(),
        }
    }

    /// Where it gets credentials.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Wakes those who wait for another thread; the client was shut down.
    pub fn wake_all(&self) {
        if let Some(own) = self.own.get() {
            own.gate.wake_all();
        }
    }

    /// All that it has, and had last: what must not be shown.
    pub fn known(&self) -> Vec<Arc<Held>> {
        let mut known = Vec::new();
        if let Source::Fixed(held) = &self.source {
            known.push(Arc::clone(held));
        }
        if let Some(own) = self.own.get() {
            known.extend(own.locked().known());
        }
        known
    }

    /// Whether this very thread is asking the host for this client's credentials just now.
    pub fn is_asking_here(&self) -> bool {
        let asking = self.own.get().and_then(|own| own.locked().asking());
        // A child of fork knows nothing of what its parent's threads do.
        asking == Some(this_thread()) || ASKING.get() == self.number()
    }

    /// The key was locked by the service.
    pub fn lock_out(&self, held: &Held) {
        if let (Some(own), Some(access_key)) = (self.own.get(), held.access_key()) {
            own.locked().lock_out(access_key);
        }
    }

    /// Credentials to send a request with; others than those that were refused, where there are any.
    pub fn take(
        &self,
        refused: Option<&Arc<Held>>,
        asking: &Asking<'_>,
    ) -> Result<Arc<Held>, Error> {
        let held = if !self.source.can_renew() {
            self.source.get(Reason::REASON_FIRST, asking)?
        } else {
            let held = self.current(refused, asking)?;
            match self.locked_for(&held)? {
                None => return Ok(held),
                // There may be another.
                Some(_) => self.current(Some(&held), asking)?,
            }
        };
        match self.locked_for(&held)? {
            None => Ok(held),
            Some(left) => {
                let seconds = left.as_secs() + 1;
                let reason = format!(
                    "the service has locked the access key after failures; it is not tried again for {seconds} s"
                );
                Err(asking.failed(Status::CREDENTIALS_FAILED, &reason))
            }
        }
    }

    fn locked_for(&self, held: &Held) -> Result<Option<Duration>, OutOfMemory> {
        Ok(self.own()?.locked().locked_for(held))
    }

    /// A number that no other client's has now.
    fn number(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// What this process has. Whoever asks the host may come back from it in a child.
    fn own(&self) -> Result<&Own, OutOfMemory> {
        self.own.get_or_make(|| Ok(Own::default()))
    }

    fn current(
        &self,
        refused: Option<&Arc<Held>>,
        asking: &Asking<'_>,
    ) -> Result<Arc<Held>, Error> {
        let own = self.own()?;
        let found = own.locked().look(refused);
        match found {
            Found::Good(held) => Ok(held),
            Found::Old(held) => Ok(self.renewed(own, held, asking)),
            Found::Nothing(_, ends) => {
                let mut done = || {
                    let state = own.locked();
                    match state.look_again(refused, ends) {
                        Ok(Found::Good(held) | Found::Old(held)) => Some(Ok(held)),
                        Ok(Found::Nothing(..)) => None,
                        Err(error) => Some(Err(error)),
                    }
                };
                let pass = asking.transport.pass(&own.gate, asking.deadline, &mut done);
                let pass = match pass.map_err(|failure| asking.interrupted(&failure))? {
                    Ok(pass) => pass,
                    Err(done) => return done,
                };
                let found = own.locked().look(refused);
                let reason = match found {
                    Found::Good(held) | Found::Old(held) => return Ok(held),
                    Found::Nothing(reason, _) => reason,
                };
                let result = self.get(own, reason, asking);
                // The host's functions may call this client.
                drop(pass);
                asking.tell(&result);
                // A call that was shut down, or has no time, learns that.
                result.map_err(|error| match asking.transport.check(asking.deadline) {
                    Err(failure) => asking.interrupted(&failure),
                    Ok(()) => error,
                })
            }
        }
    }

    /// Others, where they can be had now; else these.
    fn renewed(&self, own: &Own, held: Arc<Held>, asking: &Asking<'_>) -> Arc<Held> {
        // Whoever is there already sees to it.
        let Some(pass) = own.gate.try_pass() else {
            return held;
        };
        let found = own.locked().look(None);
        if let Found::Good(held) = found {
            return held;
        }
        // The call itself needs most of its time.
        let deadline = asking.deadline.within(asking.deadline.left() / 4);
        let others = self.get(
            own,
            Reason::REASON_EXPIRING,
            &Asking {
                deadline,
                ..*asking
            },
        );
        drop(pass);
        asking.tell(&others);
        others.unwrap_or_else(|error| {
            asking.log.line(Level::LOG_WARNING, || {
                let known = self.known();
                let secrets = traces(known.iter().chain([&held]), iter::empty());
                let message = asking.without(&secrets, error).message;
                format!("{message}; those that are there still do")
            });
            held
        })
    }

    /// Gets others, for whom it is the turn.
    fn get(&self, own: &Own, reason: Reason, asking: &Asking<'_>) -> Result<Arc<Held>, Error> {
        own.locked().begin(this_thread());
        let outer = ASKING.replace(self.number());
        let result = self.source.get(reason, asking);
        ASKING.set(outer);
        // What lives on must not be in the allocator's reserve.
        let result = result.and_then(|held| memory::check().map(|()| held).map_err(Error::from));
        // Who forked meanwhile leaves what is its parent's alone.
        if !self.own.get().is_some_and(|now| std::ptr::eq(now, own)) {
            return result;
        }
        own.locked().end(&result);
        result
    }
}

impl Own {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that no other thread has now.
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}
