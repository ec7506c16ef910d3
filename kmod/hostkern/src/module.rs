//! Modules: linker sets, module events, kldload(2) and kldunload(2).
