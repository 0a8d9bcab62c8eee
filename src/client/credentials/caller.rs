//! Who makes one call: what its requests prove that with, and what has come of it so far.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::asking::Asking;
use super::held::{Held, Revealed, traces};
use super::keyring::Keyring;
use super::renewal::now;
use crate::association::{Credentials, Denial, Token};
use crate::error::Error;
use crate::secret::Traces;
use crate::status::Status;

/// So many signatures of a call are known where an answer repeats them, and so many of the credentials
/// that it used.
const MOST_SIGNATURES: usize = 16;
const MOST_USED: usize = 4;

/// Who makes a call.
pub struct Caller<'a> {
    /// A token that was given in the call wins.
    given: Option<Token<'a>>,
    keyring: Option<&'a Keyring>,
    so_far: RefCell<SoFar>,
}

/// What has come of a call so far.
#[derive(Default)]
struct SoFar {
    /// What the latest request used, and those before.
    used: Option<Arc<Held>>,
    earlier: Vec<Arc<Held>>,
    /// When the latest came, in seconds since 1970.
    came: i64,
    /// What the next request uses, where that is settled already.
    next: Option<Arc<Held>>,
    /// The latest signatures.
    signatures: Vec<[u8; 64]>,
    /// What gives all that away, where it was asked for.
    traces: Option<Rc<Traces>>,
    /// Whether others were asked for because the service refused those that it had.
    has_renewed: bool,
    /// Whether others may be accepted where the latest were refused.
    may_others_do: bool,
    /// Whether nothing more is sent: there are no credentials, or an access key was refused, which
    /// would be locked in the end.
    is_spent: bool,
}

/// What one request proves with who asks.
pub enum Proof<'a> {
    /// The token that was given in the call.
    Given(Token<'a>),
    /// The client's own.
    Own(Revealed),
}

impl<'a> Caller<'a> {
    /// Who brings this token, or has the client's credentials.
    pub fn new(given: Option<Token<'a>>, keyring: Option<&'a Keyring>) -> Result<Self, Error> {
        if keyring.is_some_and(Keyring::is_asking_here) {
            let reason = "is called by its own credentials callback, which it waits for";
            return Err(Error::invalid_argument("client", reason));
        }
        if given.is_none() && keyring.is_none() {
            let reason = "is NULL, and the client has no credentials of its own";
            return Err(Error::invalid_argument("token", reason));
        }
        Ok(Self {
            given,
            keyring,
            so_far: RefCell::default(),
        })
    }

    /// What the next request proves it with.
    pub fn proof(&self, asking: &Asking<'_>) -> Result<Proof<'a>, Error> {
        let keyring = match (self.given, self.keyring) {
            (None, Some(keyring)) => keyring,
            (given, _) => return given.map(Proof::Given).ok_or_else(|| none(asking)),
        };
        let kept = self.so_far.borrow_mut().kept();
        let held = match kept {
            Some(held) => Ok(held),
            None => keyring.take(None, asking),
        };
        let held = held.map_err(|error| self.without_secrets(error, asking));
        let mut so_far = self.so_far.borrow_mut();
        so_far.is_spent = held.is_err();
        let held = held?;
        let revealed = held.reveal()?;
        so_far.use_next(held);
        Ok(Proof::Own(revealed))
    }

    /// A request went out with this signature.
    pub fn signed(&self, signature: [u8; 64]) {
        let mut so_far = self.so_far.borrow_mut();
        if so_far.signatures.len() == MOST_SIGNATURES {
            so_far.signatures.remove(0);
        }
        so_far.signatures.push(signature);
        so_far.traces = None;
    }

    /// Whether the latest request was signed.
    pub fn signs(&self) -> bool {
        let so_far = self.so_far.borrow();
        so_far
            .used
            .as_ref()
            .is_some_and(|held| held.access_key().is_some())
    }

    /// The service answered 401 to it, for this reason where it was signed.
    pub fn denied(&self, denial: Option<Denial>) {
        let mut so_far = self.so_far.borrow_mut();
        so_far.may_others_do = matches!(denial, None | Some(Denial::Key));
        so_far.is_spent = denial.is_some();
        if denial == Some(Denial::Locked)
            && let (Some(keyring), Some(held)) = (self.keyring, &so_far.used)
        {
            keyring.lock_out(held);
        }
    }

    /// Whether nothing more may be sent.
    pub fn is_spent(&self) -> bool {
        self.so_far.borrow().is_spent
    }

    /// Whether others may be asked for in place of those that were refused: once in a call.
    pub fn may_renew(&self) -> bool {
        let so_far = self.so_far.borrow();
        let keyring = self.keyring.filter(|_| self.given.is_none());
        so_far.may_others_do
            && !so_far.has_renewed
            && keyring.is_some_and(|keyring| keyring.source().can_renew())
    }

    /// Asks for others; whether there are any.
    pub fn renew(&self, asking: &Asking<'_>) -> Result<bool, Error> {
        let refused = {
            let mut so_far = self.so_far.borrow_mut();
            so_far.has_renewed = true;
            so_far.used.clone()
        };
        let (Some(keyring), Some(refused)) = (self.keyring, refused) else {
            return Ok(false);
        };
        let others = keyring.take(Some(&refused), asking);
        let others = others.map_err(|error| self.without_secrets(error, asking));
        let mut so_far = self.so_far.borrow_mut();
        so_far.is_spent |= others.is_err();
        let others = others?;
        // The same would be refused once more.
        let are_others = !others.says_the_same_as(&refused)?;
        if are_others {
            so_far.is_spent = false;
            so_far.next = Some(others);
        }
        Ok(are_others)
    }

    /// What gives away where a text has it what the call proved itself with.
    pub fn traces(&self) -> Rc<Traces> {
        let mut so_far = self.so_far.borrow_mut();
        if let Some(traces) = &so_far.traces {
            return Rc::clone(traces);
        }
        let traces = Rc::new(self.traces_of(&so_far));
        so_far.traces = Some(Rc::clone(&traces));
        traces
    }

    /// Whether its client may sign, so that an answer may show signed requests: this, or the rest of an
    /// earlier one.
    pub fn may_sign(&self) -> bool {
        self.keyring.is_some()
    }

    fn traces_of(&self, so_far: &SoFar) -> Traces {
        let known = self.keyring.map(Keyring::known).unwrap_or_default();
        let held = so_far
            .earlier
            .iter()
            .chain(&so_far.used)
            .chain(&so_far.next)
            .chain(&known);
        let signatures = so_far.signatures.iter().map(<[u8; 64]>::as_slice);
        traces(held, signatures.chain(self.given.map(Token::value)))
    }

    /// An error with words of the host's, which may repeat what it granted.
    fn without_secrets(&self, error: Error, asking: &Asking<'_>) -> Error {
        asking.without(&self.traces_of(&self.so_far.borrow()), error)
    }
}

impl SoFar {
    /// What the next request uses as a part of the same call: what was settled, or what the last one
    /// used, unless it has expired since.
    fn kept(&mut self) -> Option<Arc<Held>> {
        let last = || {
            let held = self.used.as_ref()?;
            let has_expired = held
                .expires_at()
                .is_some_and(|end| self.came < end && end <= now());
            (!has_expired).then(|| Arc::clone(held))
        };
        self.next.take().or_else(last)
    }

    fn use_next(&mut self, held: Arc<Held>) {
        if self
            .used
            .as_ref()
            .is_some_and(|last| Arc::ptr_eq(last, &held))
        {
            return;
        }
        if self.earlier.len() == MOST_USED {
            self.earlier.remove(0);
        }
        self.earlier.extend(self.used.replace(held));
        self.came = now();
        self.traces = None;
    }
}

impl Proof<'_> {
    /// The same, as a request takes it.
    pub fn credentials(&self) -> Credentials<'_> {
        match self {
            Self::Given(token) => Credentials::Token(*token),
            Self::Own(revealed) => revealed.credentials(),
        }
    }
}

fn none(asking: &Asking<'_>) -> Error {
    asking.failed(Status::CREDENTIALS_FAILED, "there are none")
}
