//! The harness's end of the guest's network cards: datagram sockets on which each datagram is one Ethernet frame.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::vm::Nic;

/// Frames kept of each card; older ones are forgotten.
const KEPT: usize = 4096;
/// The longest datagram that is taken: room for offloaded segments.
const LONGEST: usize = 1 << 16;

/// The harness's end of one network card.
pub struct Port {
    /// The number of the network card, the first one being 1.
    pub nic: u8,
    socket: UnixDatagram,
    qemu: PathBuf,
    inbox: Arc<Inbox>,
}

/// Frames that left the guest by one card.
#[derive(Default)]
struct Inbox {
    frames: Mutex<Received>,
    closed: AtomicBool,
}

#[derive(Default)]
struct Received {
    /// How many frames were forgotten.
    forgotten: u64,
    frames: VecDeque<Vec<u8>>,
}

impl Port {
    /// Opens this end in `dir`; the second value tells QEMU about both.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn open(nic: u8, dir: &Path) -> Result<(Self, Nic)> {
        let harness = dir.join(format!("harness-{nic}"));
        let qemu = dir.join(format!("qemu-{nic}"));
        let doing = || {
            format!(
                "could not open the harness's end of network card {nic} at {}",
                harness.display()
            )
        };
        let socket = UnixDatagram::bind(&harness).with_context(doing)?;
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        socket.set_write_timeout(Some(Duration::from_millis(200)))?;
        let inbox = Arc::new(Inbox::default());
        receive(socket.try_clone()?, Arc::clone(&inbox));
        let backend = Nic::Frames {
            qemu: qemu.clone(),
            harness,
        };
        let port = Self {
            nic,
            socket,
            qemu,
            inbox,
        };
        Ok((port, backend))
    }

    /// Sends a frame into the card.
    ///
    /// # Errors
    /// QEMU does not take it: `WouldBlock`, while the guest takes none from the card.
    pub fn send(&self, frame: &[u8]) -> std::io::Result<()> {
        self.socket.send_to(frame, &self.qemu).map(drop)
    }

    /// How many frames have left the guest by this card.
    pub fn mark(&self) -> u64 {
        let received = self.inbox.lock();
        received.forgotten + received.frames.len() as u64
    }

    /// How often a frame has left the guest by this card after the first `mark` frames.
    pub fn count_since(&self, mark: u64, frame: &[u8]) -> usize {
        let received = self.inbox.lock();
        let skip = usize::try_from(mark.saturating_sub(received.forgotten)).unwrap_or(usize::MAX);
        received
            .frames
            .iter()
            .skip(skip)
            .filter(|seen| seen.as_slice() == frame)
            .count()
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.inbox.closed.store(true, Ordering::Relaxed);
    }
}

impl Inbox {
    /// The frames, also if a thread panicked while it held them: each is whole.
    fn lock(&self) -> MutexGuard<'_, Received> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, frame: Vec<u8>) {
        let mut received = self.lock();
        if received.frames.len() == KEPT {
            received.frames.pop_front();
            received.forgotten += 1;
        }
        received.frames.push_back(frame);
    }
}

/// Empties the socket on a thread: a full one would make QEMU hold frames back.
fn receive(socket: UnixDatagram, inbox: Arc<Inbox>) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; LONGEST];
        while !inbox.closed.load(Ordering::Relaxed) {
            match socket.recv(&mut buffer) {
                Ok(count) => inbox.take(buffer[..count].to_vec()),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn wait_for(port: &Port, count: u64) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while port.mark() < count {
            assert!(Instant::now() < deadline, "only {} frames came", port.mark());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn frames_go_both_ways_and_are_told_apart_by_a_mark() {
        let dir = tempfile::tempdir().unwrap();
        let (port, nic) = Port::open(2, dir.path()).unwrap();
        let Nic::Frames { qemu, harness } = nic else {
            panic!("not a frame backend")
        };
        assert!(port.send(b"nobody there").is_err());
        let guest = UnixDatagram::bind(qemu).unwrap();
        guest.send_to(b"first", &harness).unwrap();
        wait_for(&port, 1);
        assert_eq!(port.count_since(0, b"first"), 1);
        let mark = port.mark();
        assert_eq!(port.count_since(mark, b"first"), 0);
        guest.send_to(b"second", &harness).unwrap();
        wait_for(&port, 2);
        assert_eq!(port.count_since(mark, b"second"), 1);
        port.send(b"back").unwrap();
        let mut buffer = [0; 10];
        assert_eq!(guest.recv(&mut buffer).unwrap(), 4);
    }

    #[test]
    fn a_flood_is_kept_within_bounds() {
        let inbox = Inbox::default();
        for number in 0..u64::try_from(KEPT).unwrap() + 10 {
            inbox.take(number.to_be_bytes().to_vec());
        }
        let received = inbox.lock();
        assert_eq!((received.forgotten, received.frames.len()), (10, KEPT));
    }
}
