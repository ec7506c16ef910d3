//! `ng tap`, `ng watch` and `ng trace`, on a hosted kernel.

#![cfg(not(target_os = "freebsd"))]

mod bench;
mod captures;
mod killed;
mod lines;
mod messages;
mod watched;
