//! sysctl(9).
