//! The kernel that the examples talk to.

/// The running kernel, which is FreeBSD's.
#[cfg(not(feature = "hosted"))]
pub fn kernel() -> netgraph::Kernel {
    netgraph::Kernel
}

/// The hosted kernel that is served at the path in `NG_HOSTED`.
#[cfg(feature = "hosted")]
pub fn kernel() -> netgraph::hosted::Hosted {
    let path = std::env::var_os("NG_HOSTED").unwrap_or_else(|| "/tmp/ng".into());
    netgraph::hosted::Hosted::new(path)
}
