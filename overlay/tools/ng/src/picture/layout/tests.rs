//! Pictures, checked with a ruler.
