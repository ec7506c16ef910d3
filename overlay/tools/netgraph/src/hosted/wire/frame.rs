//! Values as frames on a connection.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::MAX_DATAGRAM;

/// The longest frame, in bytes: the longest datagram with an address and ancillary data.
const MAX_FRAME: usize = MAX_DATAGRAM + (16 << 10);

/// Room for most frames, in bytes: what is longer than that moves while it is made.
const ROOM: usize = 1024;

/// Why a frame did not get through.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The connection is broken; `UnexpectedEof` where it has ended.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is too long.
    #[error("a frame of {0} bytes is longer than {MAX_FRAME}")]
    TooLong(usize),
    /// It is none of the values that are to come.
    #[error("a frame that cannot be understood: {0}")]
    Malformed(#[from] postcard::Error),
}

/// Writes a value as a frame, in one piece.
///
/// # Errors
/// The value is too long, in which case nothing is written, or the connection is broken.
pub fn send<T: Serialize>(mut to: impl Write, value: &T) -> Result<(), FrameError> {
    let mut room = Vec::with_capacity(ROOM);
    room.extend([0; size_of::<u32>()]);
    let mut frame = postcard::to_extend(value, room)?;
    let length = frame.len() - size_of::<u32>();
    let head = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME);
    let head = head.ok_or(FrameError::TooLong(length))?;
    frame[..size_of::<u32>()].copy_from_slice(&head.to_le_bytes());
    Ok(to.write_all(&frame)?)
}

/// Reads a frame.
///
/// # Errors
/// The connection has ended or is broken, or what comes is no such value.
pub fn receive<T: DeserializeOwned>(mut from: impl Read) -> Result<T, FrameError> {
    let mut head = [0; size_of::<u32>()];
    from.read_exact(&mut head)?;
    let length = u32::from_le_bytes(head) as usize;
    if length > MAX_FRAME {
        return Err(FrameError::TooLong(length));
    }
    let mut frame = vec![0; length];
    from.read_exact(&mut frame)?;
    Ok(postcard::from_bytes(&frame)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::{BrokenPipe, SocketOption, Wait};
    use crate::errno::Errno;
    use crate::hosted::wire::{Answer, Call, Reply, Ticket};
    use std::time::Duration;

    #[test]
    fn calls_and_replies_come_through() {
        let calls = [
            Call::Bind(b"\x04\x20a\0".to_vec()),
            Call::Send {
                bytes: vec![0xff; 300],
                to: None,
                ancillary: Some(vec![]),
                wait: Wait::Never,
                broken_pipe: BrokenPipe::Signal,
            },
            Call::Poll(Some(Duration::from_millis(1500))),
            Call::SetOption(SocketOption::ReceiveErrors, -1),
        ];
        let replies: [Reply; 2] = [Err(Errno::ENOENT), Ok(Answer::Opened(Ticket(u64::MAX)))];
        let mut stream = Vec::new();
        calls.iter().for_each(|call| send(&mut stream, call).unwrap());
        replies.iter().for_each(|reply| send(&mut stream, reply).unwrap());
        let mut stream = stream.as_slice();
        for call in calls {
            assert_eq!(receive::<Call>(&mut stream).unwrap(), call);
        }
        for reply in replies {
            assert_eq!(receive::<Reply>(&mut stream).unwrap(), reply);
        }
        assert!(stream.is_empty());
    }

    #[test]
    fn bytes_are_as_serde_alone_would_have_them() {
        let mut frame = Vec::new();
        send(&mut frame, &Call::Bind(vec![1, 0xff])).unwrap();
        assert_eq!(frame, [4, 0, 0, 0, 0, 2, 1, 0xff]);
    }

    #[test]
    fn the_longest_datagram_fits_and_no_longer_frame_is_sent() {
        let answer = |length| Answer::Received {
            bytes: vec![0; length],
            from: vec![0; 255],
        };
        let mut stream = Vec::new();
        send(&mut stream, &answer(MAX_DATAGRAM)).unwrap();
        stream.clear();
        let refused = send(&mut stream, &answer(MAX_FRAME));
        assert!(matches!(refused, Err(FrameError::TooLong(_))), "{refused:?}");
        assert!(stream.is_empty());
    }

    #[test]
    fn a_frame_that_claims_too_much_is_not_read() {
        let refused = receive::<Call>(&[0xff; 8][..]);
        assert!(matches!(refused, Err(FrameError::TooLong(0xffff_ffff))), "{refused:?}");
    }

    #[test]
    fn broken_frames_are_errors() {
        let malformed = receive::<Call>(&[1, 0, 0, 0, 0x7f][..]);
        assert!(matches!(malformed, Err(FrameError::Malformed(_))), "{malformed:?}");
        for part in [&[][..], &[4, 0], &[4, 0, 0, 0, 1]] {
            let cut = receive::<Call>(part);
            let Err(FrameError::Io(error)) = cut else {
                panic!("{cut:?}");
            };
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
