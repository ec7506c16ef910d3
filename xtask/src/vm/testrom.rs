//! Guests for tests: a 64 KiB firmware of our own that writes a text to the serial port and then behaves as asked.
//!
//! It stands in for a whole operating system that misbehaves, and starts in a few milliseconds.

/// What the guest does after its text.
#[derive(Debug, Clone, Copy)]
pub enum Then {
    /// Stops the processor for good.
    Halt,
    /// Writes the text again and again.
    Repeat,
    /// Resets the machine.
    Reset,
}

const SIZE: usize = 0x1_0000;
const TEXT: usize = 0x100;

/// The firmware: real mode, its segment is the ROM.
pub fn rom(text: &str, then: Then) -> Vec<u8> {
    let mut code = vec![
        0xbe, 0x00, 0x01, // mov si, TEXT
        0xba, 0xf8, 0x03, // mov dx, 0x3f8: the first serial port
        0x2e, 0xac, // lods al, cs:[si]
        0x84, 0xc0, // test al, al
        0x74, 0x03, // jz +3
        0xee, // out dx, al
        0xeb, 0xf7, // jmp back to lods
    ];
    match then {
        Then::Halt => code.extend([0xfa, 0xf4, 0xeb, 0xfc]), // cli; hlt; jmp to cli
        Then::Repeat => code.extend([0xeb, 0xef]),           // jmp to the start
        Then::Reset => code.extend([0xb0, 0xfe, 0xe6, 0x64, 0xeb, 0xfa]), // the keyboard controller's reset line
    }
    let mut rom = vec![0xf4; SIZE];
    rom[..code.len()].copy_from_slice(&code);
    rom[TEXT..TEXT + text.len()].copy_from_slice(text.as_bytes());
    rom[TEXT + text.len()] = 0;
    rom[0xfff0..0xfff3].copy_from_slice(&[0xe9, 0x0d, 0x00]); // jmp 0
    rom
}
