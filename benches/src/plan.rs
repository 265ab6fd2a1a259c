//! What one command runs: all of it, or what its options ask for.
//!
//! | options | latency | workloads | pairs |
//! |---|---|---|---|
//! | none | yes | small and large | yes |
//! | `--size SIZE` | | of that size | |
//! | `--scaling` | | | yes; with `--size small` a tenth of them, for a look |
//! | `--only NAME` | by its name | by their names | by their names; with `--size small` a tenth |
//!
//! Pairs have workers of their own, and latency is asked of one: with another number of them only workloads run, unless
//! they are asked for by name.

use crate::graph::{self, GraphWorkload};
use crate::jobs;
use crate::scaling::{self, Pair};
use crate::workload::Workload;

/// What latency is asked for by.
pub const LATENCY: &str = "latency";

/// Name, events and users of a size.
pub type Size = (&'static str, usize, usize);

const SIZES: [Size; 3] = [
    ("small", 1_000_000, 100_000),
    ("large", 10_000_000, 1_000_000),
    (HUGE, 20_000_000, 10_000_000),
];

/// The size that does not fit every machine.
const HUGE: &str = "huge";

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// A name, or a part of some.
    pub only: Option<&'a str>,
    /// A size.
    pub size: Option<&'a str>,
    /// Worker threads.
    pub workers: usize,
    /// Pairs alone.
    pub scaling: bool,
}

/// What is run.
pub struct Plan {
    /// Whether it is measured how late answers come.
    pub latency: bool,
    /// Workloads over graphs, which have one size.
    pub graphs: Vec<GraphWorkload>,
    /// Workloads over payments.
    pub workloads: Vec<Workload>,
    /// Their sizes.
    pub sizes: Vec<Size>,
    /// Pairs of runs.
    pub pairs: Vec<Pair>,
}

impl Plan {
    /// What is asked for.
    ///
    /// # Errors
    /// What is wrong with it, and what there is.
    pub fn checked(asked: Asked<'_>) -> Result<Self, String> {
        let is_asked = |size: &str| asked.size.map_or(size != HUGE, |asked| asked == size);
        let sizes: Vec<_> = SIZES.into_iter().filter(|size| is_asked(size.0)).collect();
        if sizes.is_empty() {
            return Err("there are three sizes: small, large and huge".into());
        }
        let is_huge = asked.size == Some(HUGE);
        let (is_named, of_one) = (asked.only.is_some(), asked.workers == 1);
        let workloads = !asked.scaling;
        let pairs = (asked.scaling || is_named || (asked.size.is_none() && of_one)) && !is_huge;
        let mut plan = Self {
            latency: !asked.scaling && (is_named || (asked.size.is_none() && of_one)),
            graphs: kept(graph::all(), workloads && is_asked("small")),
            workloads: kept(jobs::all(), workloads),
            sizes,
            pairs: kept(scaling::pairs(asked.size == Some("small")), pairs),
        };
        if let Some(only) = asked.only {
            plan.keep(only)?;
        }
        if plan.names().is_empty() {
            return Err("pairs are of size large, or small for a look".into());
        }
        Ok(plan)
    }

    /// Keeps what was asked for by name: a whole name means that one alone.
    fn keep(&mut self, only: &str) -> Result<(), String> {
        let names = self.names();
        if !names.iter().any(|name| name.contains(only)) {
            return Err(format!(
                "nothing of this size has {only:?} in its name; there are {}",
                names.join(", ")
            ));
        }
        let is_whole = names.contains(&only);
        let is_wanted = |name: &str| name == only || (!is_whole && name.contains(only));
        self.workloads.retain(|workload| is_wanted(workload.name));
        self.graphs.retain(|workload| is_wanted(workload.name));
        self.pairs.retain(|pair| is_wanted(pair.name));
        self.latency &= is_wanted(LATENCY);
        Ok(())
    }

    /// The names of all that is run.
    fn names(&self) -> Vec<&'static str> {
        let over_rows = self.workloads.iter().map(|workload| workload.name);
        let over_graphs = self.graphs.iter().map(|workload| workload.name);
        let pairs = self.pairs.iter().map(|pair| pair.name);
        let latency = self.latency.then_some(LATENCY);
        over_rows
            .chain(over_graphs)
            .chain(pairs)
            .chain(latency)
            .collect()
    }
}

fn kept<T>(all: impl IntoIterator<Item = T>, is_kept: bool) -> Vec<T> {
    all.into_iter().filter(|_| is_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Asked<'_> = Asked {
        only: None,
        size: None,
        workers: 1,
        scaling: false,
    };

    /// Latency, graphs, workloads, sizes, pairs.
    fn counts(asked: Asked<'_>) -> [usize; 5] {
        let plan = Plan::checked(asked).unwrap();
        [
            usize::from(plan.latency),
            plan.graphs.len(),
            plan.workloads.len(),
            plan.sizes.len(),
            plan.pairs.len(),
        ]
    }

    fn named(only: &str) -> Asked<'_> {
        Asked {
            only: Some(only),
            ..ONE
        }
    }

    fn of_size<'a>(asked: Asked<'a>, size: &'a str) -> Asked<'a> {
        Asked {
            size: Some(size),
            ..asked
        }
    }

    #[test]
    fn one_command_runs_all_and_a_size_its_workloads_alone() {
        let (graphs, workloads) = (graph::all().len(), jobs::all().len());
        assert_eq!(counts(ONE), [1, graphs, workloads, 2, 4]);
        assert_eq!(counts(of_size(ONE, "small")), [0, graphs, workloads, 1, 0]);
        assert_eq!(counts(of_size(ONE, "large")), [0, 0, workloads, 1, 0]);
        assert_eq!(counts(of_size(ONE, "huge")), [0, 0, workloads, 1, 0]);
        let two = Asked { workers: 2, ..ONE };
        assert_eq!(counts(two), [0, graphs, workloads, 2, 0]);
        let scaling = Asked {
            scaling: true,
            ..ONE
        };
        assert_eq!(counts(scaling), [0, 0, 0, 2, 4]);
    }

    #[test]
    fn a_whole_name_is_one_alone_and_a_part_all_that_have_it() {
        assert_eq!(counts(named("asof")), [0, 0, 1, 2, 0]);
        assert_eq!(counts(named("components")), [0, 3, 0, 2, 0]);
        assert_eq!(counts(named("two_workers")), [0, 0, 0, 2, 1]);
        assert_eq!(counts(named("latency")), [1, 0, 0, 2, 0]);
        let rolling = Plan::checked(named("rolling")).unwrap();
        assert!(rolling.workloads.len() > 5 && !rolling.latency);
    }

    #[test]
    fn what_there_is_not_is_refused_with_what_there_is() {
        let refused = |asked| Plan::checked(asked).err().unwrap();
        assert!(refused(named("nothing")).contains("rolling_latest"));
        assert!(refused(of_size(ONE, "tiny")).contains("three sizes"));
        let graph = of_size(named("components_insert"), "large");
        assert!(refused(graph).contains("nothing of this size"));
        let scaling = Asked {
            scaling: true,
            ..of_size(ONE, "huge")
        };
        assert!(refused(scaling).contains("pairs are of size large"));
    }

    #[test]
    fn pairs_of_a_tenth_are_a_look() {
        let look = Plan::checked(of_size(named("two_workers"), "small")).unwrap();
        let [pair] = &look.pairs[..] else {
            panic!("one pair")
        };
        assert!(pair.is_look);
    }
}
