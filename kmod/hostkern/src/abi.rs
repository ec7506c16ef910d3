//! Where structures differ from release to release: chosen when the kernel boots.
