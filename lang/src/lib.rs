//! ag
