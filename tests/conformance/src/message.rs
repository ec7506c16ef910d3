//! Control messages as bytes.

/// `NGM_GENERIC_COOKIE`
pub const GENERIC: u32 = 1_137_070_366;
/// `NGM_SOCKET_COOKIE`
pub const SOCKET: u32 = 851_601_233;
/// Where the cookie lies in a header.
pub const COOKIE: usize = 20;
/// A cookie of no node type.
pub const FOREIGN: u32 = 0x6e67_6f72;
/// `sizeof(struct ng_mesg)`
pub const HEADER: usize = 56;
/// `NGF_RESP`
pub const RESPONSE: u32 = 1;

/// `NGM_SHUTDOWN`
pub const SHUTDOWN: u32 = 1;
/// `NGM_MKPEER`
pub const MKPEER: u32 = 2;
/// `NGM_CONNECT`
pub const CONNECT: u32 = 3;
/// `NGM_NAME`
pub const NAME: u32 = 4;
/// `NGM_RMHOOK`
pub const RMHOOK: u32 = 5;
/// `NGM_LISTHOOKS`
pub const LISTHOOKS: u32 = 7 | 0x3000_0000;
/// `NGM_BINARY2ASCII`
pub const BINARY_TO_ASCII: u32 = 12 | 0x3000_0000;
/// `NGM_ASCII2BINARY`
pub const ASCII_TO_BINARY: u32 = 13 | 0x3000_0000;
/// `NGM_NODEINFO`
pub const NODEINFO: u32 = 6 | 0x3000_0000;

/// `NGM_SOCK_CMD_NOLINGER`
pub const NOLINGER: u32 = 1;
/// `NGM_SOCK_CMD_LINGER`
pub const LINGER: u32 = 2;

/// A message; everything but its arguments' length can be set as it should not be, and that by [`Message::claiming`].
#[derive(Debug, Clone)]
pub struct Message {
    /// `NG_VERSION`, if right.
    pub version: u8,
    /// The number that the answer carries, too.
    pub token: u32,
    /// `NGF_…`
    pub flags: u32,
    cookie: u32,
    command: u32,
    arguments: Vec<u8>,
}

impl Message {
    /// A right message.
    pub fn new(cookie: u32, command: u32, arguments: Vec<u8>) -> Self {
        Self {
            version: 8,
            token: 7,
            flags: 0,
            cookie,
            command,
            arguments,
        }
    }

    /// A message of the kind that every node understands, with fields of zero-terminated text.
    pub fn generic(command: u32, fields: &[(&[u8], usize)]) -> Self {
        let arguments = fields.iter().flat_map(|(text, size)| field(text, *size)).collect();
        Self::new(GENERIC, command, arguments)
    }

    /// `NGM_MKPEER`
    pub fn mkpeer(kind: &str, ours: &str, theirs: &str) -> Self {
        Self::generic(
            MKPEER,
            &[(kind.as_bytes(), 32), (ours.as_bytes(), 32), (theirs.as_bytes(), 32)],
        )
    }

    /// `NGM_CONNECT`
    pub fn connect(path: &str, ours: &str, theirs: &str) -> Self {
        Self::generic(
            CONNECT,
            &[(path.as_bytes(), 512), (ours.as_bytes(), 32), (theirs.as_bytes(), 32)],
        )
    }

    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.claiming(u32::try_from(self.arguments.len()).unwrap_or(u32::MAX))
    }

    /// The bytes, with another length of the arguments in the header.
    pub fn claiming(&self, length: u32) -> Vec<u8> {
        let mut bytes = vec![self.version, 0, 0, 0];
        for number in [length, self.command, self.flags, self.token, self.cookie] {
            bytes.extend(number.to_ne_bytes());
        }
        bytes.extend(field(b"proof", 32));
        bytes.extend(&self.arguments);
        bytes
    }
}

/// Text with zeros behind it.
pub fn field(text: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = text.to_vec();
    bytes.resize(size, 0);
    bytes
}

/// A number of the header: `at` is one of the places in [`Message::claiming`].
pub fn number(bytes: &[u8], at: usize) -> u32 {
    let part = bytes.get(at..at + 4).and_then(|part| part.try_into().ok());
    part.map_or(0, u32::from_ne_bytes)
}
