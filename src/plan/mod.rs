//! A plan: what is wanted of many pairs, and how they are brought to it with many calls of a client.
//!
//! - `wanted` is what was asked for; `order` looks at it from the side of each image, and refuses what
//!   can't be.
//! - `run` has both halves of the work done, each by a `crew` of threads: `reading` learns what there is,
//!   `changing` sends the differences. `calling` makes their calls, `standing` knows how each pair is.
//!   What is in doubt then is a matter of `doubts`.
//! - `health` says after each call whether the plan goes on; `meter` tells how far it is, `ending` how it
//!   ended.
//!
//! Whoever has a plan carried out is told what becomes of each pair ([`Outcomes`]), once.

mod calling;
mod changing;
mod crew;
mod doubts;
mod ending;
mod health;
mod meter;
mod order;
mod reading;
mod run;
mod standing;
mod wanted;

pub use meter::Progress;
pub use run::{Job, Target, carry_out};
pub use standing::{Outcome, Outcomes};
pub use wanted::Plan;
