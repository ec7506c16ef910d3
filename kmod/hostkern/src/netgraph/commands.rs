//! The generic messages, `netgraph/ng_message.h`, beyond what the module needs of them.

const READONLY: u32 = 0x1000_0000;
const HASREPLY: u32 = 0x2000_0000;
const QUESTION: u32 = READONLY | HASREPLY;

pub(super) const SHUTDOWN: u32 = 1;
pub(super) const CONNECT: u32 = 3;
pub(super) const NAME: u32 = 4;
pub(super) const RMHOOK: u32 = 5;
pub(super) const NODEINFO: u32 = 6 | QUESTION;
pub(super) const LISTHOOKS: u32 = 7 | QUESTION;
pub(super) const LISTNAMES: u32 = 8 | QUESTION;
pub(super) const LISTNODES: u32 = 9 | QUESTION;
pub(super) const LISTTYPES: u32 = 10 | QUESTION;
pub(super) const TEXT_STATUS: u32 = 11 | QUESTION;
pub(super) const BINARY2ASCII: u32 = 12 | QUESTION;
pub(super) const ASCII2BINARY: u32 = 13 | QUESTION;
pub(super) const TEXT_CONFIG: u32 = 14;
