//! The demo as a whole, small.
