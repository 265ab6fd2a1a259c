//! Builds timely's allocators: what `timely::execute` would do, for workers whose loop is ours.

use timely::communication::allocator::generic::{Allocator, AllocatorBuilder};
use timely::communication::allocator::{ProcessBuilder, Thread};

use crate::error::JobError;

/// Builds an allocator of one process. Blocks until its peers build theirs.
pub(crate) fn build(builder: AllocatorBuilder) -> Result<Allocator, JobError> {
    match builder {
        AllocatorBuilder::Thread(_) => Ok(Allocator::Thread(Thread::default())),
        AllocatorBuilder::Process(builder) => {
            Ok(Allocator::Process(ProcessBuilder::build(builder)))
        }
        _ => Err(JobError::System(
            "only workers of one process are built here".into(),
        )),
    }
}
