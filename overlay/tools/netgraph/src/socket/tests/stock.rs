//! A data socket as FreeBSD's own module has it when it is opened after its hook: every packet needs an address.

use super::*;
use crate::fake::FakeSocket;

#[derive(Clone)]
struct Stock(Fake);

struct StockSocket(FakeSocket);

impl Transport for Stock {
    type Endpoint = StockSocket;

    fn open(&self, protocol: Protocol) -> Result<StockSocket, Errno> {
        self.0.open(protocol).map(StockSocket)
    }

    fn load_module(&self, name: &str) -> Result<(), Errno> {
        self.0.load_module(name)
    }
}

impl Endpoint for StockSocket {
    fn bind(&self, name: &str) -> Result<(), Errno> {
        self.0.bind(name)
    }

    fn connect(&self, address: &str) -> Result<(), Errno> {
        self.0.connect(address)
    }

    fn send(&self, bytes: &[u8], to: Option<&str>) -> Result<(), Errno> {
        self.0.send(bytes, Some(to.ok_or(Errno::EDESTADDRREQ)?))
    }

    fn receive(&self, buffer: &mut [u8]) -> Result<Option<Received>, Errno> {
        self.0.receive(buffer)
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<bool, Errno> {
        self.0.wait(deadline)
    }

    fn reserve(&self, bytes: usize) -> Result<usize, Errno> {
        self.0.reserve(bytes)
    }
}

#[test]
fn the_only_hook_need_not_be_named_there_either() {
    let fake = Fake::default();
    let mut receiver = open(&fake);
    let mut sender = Socket::open_on(Stock(fake.clone()), None).unwrap();
    let none = sender.send_data(None, b"x").unwrap_err();
    assert_eq!(none.errno(), Some(Errno::EDESTADDRREQ));
    sender.request(&Address::here(), &connect("ng1:", "out", "in")).unwrap();
    sender.send_data(None, b"hello").unwrap();
    let mut buffer = [0; 8];
    let received = receiver.try_receive_data(&mut buffer).unwrap();
    assert_eq!(received, Some((5, "in".to_owned())));
    sender
        .request(&Address::here(), &connect("ng1:", "out2", "in2"))
        .unwrap();
    assert_eq!(
        sender.send_data(None, b"x").unwrap_err().errno(),
        Some(Errno::EDESTADDRREQ)
    );
}
