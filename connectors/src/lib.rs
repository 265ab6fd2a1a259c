//! Where rows come from and go to: a folder, and mostly a Cargo feature, per outside system.
//!
//! | module | feature | source | sink | kind of sink |
//! |---|---|---|---|---|
//! | [`memory`] | | `Log` | `Collect` | upsert; the reference for shared law tests |
//! | [`shuffle`] | | any source, in an order drawn from a seed | | |
//! | [`files`] | `files` | Parquet, CSV, JSON Lines | Parquet, CSV, JSON Lines, table on stdout | staged files |
//! | [`generator`] | `generator` | payments, merchants | | |
//! | [`embedded`] | `online` | | an online store on disk | upsert |
//! | [`redis`] | `redis` | | an online store in Redis | upsert |
//!
//! [`online`] holds what both online stores share: views, versions, reads.

#[cfg(any(feature = "redis", feature = "generator", test))]
mod clock;
#[cfg(feature = "online")]
pub mod embedded;
#[cfg(feature = "files")]
pub mod files;
#[cfg(feature = "generator")]
pub mod generator;
pub mod memory;
#[cfg(feature = "online")]
pub mod online;
#[cfg(feature = "redis")]
pub mod redis;
pub mod shuffle;
