//! What the host tells of each call: `programs/soak.c` has the forms of its lines.

use std::str::SplitAsciiWhitespace;

pub enum Line {
    Begin { owner: usize, number: u64 },
    Change(Call, Change),
    List(Call, List),
    Plan(Call, Plan),
    Rest(Rest),
    Trouble(String),
}

/// What is told of each call.
#[derive(Debug)]
pub struct Call {
    pub owner: usize,
    pub number: u64,
    pub begun: u64,
    pub ended: u64,
    pub slot: usize,
    /// 1 where the client was shut down before it had ended, 2 where before it began.
    pub shut: u8,
    pub status: i32,
}

/// The outcome for one pair.
#[derive(Debug)]
pub struct Change {
    pub pair: usize,
    pub wanted: bool,
    pub is_unknown: bool,
    pub observed: i32,
    pub attempts: u32,
}

#[derive(Debug)]
pub struct List {
    pub first: usize,
    pub count: usize,
    /// A bit for each of them.
    pub shown: u32,
}

#[derive(Debug)]
pub struct Plan {
    pub is_applied: bool,
    pub is_unknown: bool,
    pub results: Vec<Planned>,
}

/// The result of a pair of a plan, and the status of its error.
#[derive(Debug)]
pub struct Planned {
    pub result: i32,
    pub status: i32,
    pub change: Change,
}

/// The host between two phases.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    pub phase: u64,
    pub calls: u64,
    pub descriptors: u64,
    pub threads: u64,
    /// In bytes.
    pub in_use: i64,
    /// In KiB.
    pub resident: i64,
}

impl Line {
    /// None for what has none of the forms.
    pub fn parse(line: &str) -> Option<Self> {
        let (kind, rest) = line.split_once(' ')?;
        let mut words = Words(rest.split_ascii_whitespace());
        let parsed = match kind {
            "begin" => Self::Begin {
                owner: words.next()?,
                number: words.next()?,
            },
            "change" => {
                let mut call = Call::parse(&mut words)?;
                let pair = words.next()?;
                let wanted = words.flag()?;
                call.status = words.next()?;
                let change = Change {
                    pair,
                    wanted,
                    is_unknown: words.flag()?,
                    observed: words.next()?,
                    attempts: words.next()?,
                };
                Self::Change(call, change)
            }
            "list" => {
                let mut call = Call::parse(&mut words)?;
                let (first, count) = (words.next()?, words.next()?);
                call.status = words.next()?;
                let shown = words.next()?;
                Self::List(
                    call,
                    List {
                        first,
                        count,
                        shown,
                    },
                )
            }
            "apply" | "compare" => {
                let mut call = Call::parse(&mut words)?;
                call.status = words.next()?;
                let plan = Plan {
                    is_applied: kind == "apply",
                    is_unknown: words.flag()?,
                    results: words
                        .0
                        .by_ref()
                        .map(Planned::parse)
                        .collect::<Option<_>>()?,
                };
                Self::Plan(call, plan)
            }
            "rest" => Self::Rest(Rest {
                phase: words.next()?,
                calls: words.next()?,
                descriptors: words.next()?,
                threads: words.next()?,
                in_use: words.next()?,
                resident: words.next()?,
            }),
            "trouble" => return Some(Self::Trouble(rest.to_owned())),
            _ => return None,
        };
        words.0.next().is_none().then_some(parsed)
    }
}

impl Call {
    fn parse(words: &mut Words<'_>) -> Option<Self> {
        Some(Self {
            owner: words.next()?,
            number: words.next()?,
            begun: words.next()?,
            ended: words.next()?,
            slot: words.next()?,
            shut: words.next()?,
            status: 0,
        })
    }
}

impl Planned {
    fn parse(word: &str) -> Option<Self> {
        let fields: Option<Vec<i32>> = word.split(':').map(|field| field.parse().ok()).collect();
        let [pair, wanted, result, status, is_unknown, observed] = fields?[..] else {
            return None;
        };
        Some(Self {
            result,
            status,
            change: Change {
                pair: usize::try_from(pair).ok()?,
                wanted: wanted == 1,
                is_unknown: is_unknown == 1,
                observed,
                attempts: 0,
            },
        })
    }
}

struct Words<'a>(SplitAsciiWhitespace<'a>);

impl Words<'_> {
    fn next<T: std::str::FromStr>(&mut self) -> Option<T> {
        self.0.next()?.parse().ok()
    }

    fn flag(&mut self) -> Option<bool> {
        match self.0.next()? {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }
    }
}
