//! A machine, and the QEMU command line that makes it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::accel::Accelerator;
use super::disk::{Disk, Fate};

/// Everything QEMU has to know.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The QEMU program.
    pub qemu: PathBuf,
    /// What runs the guest's instructions.
    pub accelerator: Accelerator,
    /// Firmware code, read only.
    pub firmware: PathBuf,
    /// The machine's own copy of the firmware's variables.
    pub variables: Option<PathBuf>,
    /// The disk it boots from.
    pub disk: Disk,
    /// Memory in MiB.
    pub memory: u32,
    /// Number of processors.
    pub cpus: u8,
    /// Network cards, the first one first.
    pub nics: Vec<Nic>,
    /// Where the serial console goes.
    pub console: Console,
    /// The volume of a seed, attached read only.
    pub seed: Option<PathBuf>,
    /// Socket of the control protocol.
    pub control: PathBuf,
}

/// What a network card is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nic {
    /// A network of QEMU's own, with SSH of the guest at a port of the loopback interface; 0 lets the system choose.
    User {
        /// The port on 127.0.0.1.
        ssh_port: u16,
    },
    /// A pair of datagram sockets: one Ethernet frame per datagram.
    Frames {
        /// Where QEMU receives.
        qemu: PathBuf,
        /// Where QEMU sends to.
        harness: PathBuf,
    },
    /// Whatever `-netdev` takes, without `id=`.
    Custom(String),
}

/// Where the serial console goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Console {
    /// The terminal, together with QEMU's monitor (Ctrl-A C).
    Terminal,
    /// A file.
    Log(PathBuf),
}

/// MAC address of a network card: QEMU's prefix, and the card's number at the end.
pub fn mac(number: usize) -> String {
    format!("52:54:00:6e:67:{number:02x}")
}

/// The machine's own number (SMBIOS type 1), as other hosts give one: of version 8, with `ngfor` and the first card's MAC
/// address in it. Without one, FreeBSD's service hostid says so and sleeps for two seconds.
fn uuid() -> String {
    format!("6e67666f-7200-8000-8000-{}", mac(1).replace(':', ""))
}

impl Machine {
    /// The arguments after the program's name.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut line = Line::default();
        line.add("-name", "ngforge");
        line.add("-uuid", uuid());
        line.add("-machine", "q35");
        for (option, value) in self.accelerator.options() {
            line.add(option, value);
        }
        line.add("-m", self.memory.to_string());
        line.add("-smp", self.cpus.to_string());
        line.flag("-nodefaults");
        line.add("-display", "none");
        self.firmware_arguments(&mut line);
        self.disk_arguments(&mut line);
        for (index, nic) in self.nics.iter().enumerate() {
            nic.arguments(index, &mut line);
        }
        line.add("-device", "virtio-rng-pci");
        self.console_arguments(&mut line);
        line.add("-qmp", with_path("unix:", &self.control, ",server=on,wait=off"));
        line.flag("-S");
        line.0
    }

    fn firmware_arguments(&self, line: &mut Line) {
        let code = with_path("if=pflash,unit=0,format=raw,readonly=on,file=", &self.firmware, "");
        line.add("-drive", code);
        if let Some(variables) = &self.variables {
            line.add("-drive", with_path("if=pflash,unit=1,format=raw,file=", variables, ""));
        }
    }

    fn disk_arguments(&self, line: &mut Line) {
        let cache = match self.disk.fate {
            Fate::Kept => "writeback",
            Fate::ThrownAway => "unsafe",
        };
        let format = self.disk.format.name();
        let start = format!("if=none,id=disk,format={format},cache={cache},discard=unmap,file=");
        line.add("-drive", with_path(&start, &self.disk.path, ""));
        line.add("-device", "virtio-blk-pci,drive=disk,bootindex=0");
        if let Some(seed) = &self.seed {
            let start = "if=none,id=seed,format=raw,readonly=on,file=";
            line.add("-drive", with_path(start, seed, ""));
            line.add("-device", "virtio-blk-pci,drive=seed");
        }
    }

    fn console_arguments(&self, line: &mut Line) {
        match &self.console {
            Console::Terminal => line.add("-serial", "mon:stdio"),
            Console::Log(path) => {
                line.add("-chardev", with_path("file,id=console,path=", path, ""));
                line.add("-serial", "chardev:console");
                // A guest that resets itself in a test is lost; let QEMU end so that it shows.
                line.flag("-no-reboot");
            }
        }
    }
}

impl Nic {
    /// A card on a network with nobody else on it; its sockets are in `dir`.
    pub fn alone(dir: &Path, number: u8) -> Self {
        Self::Frames {
            qemu: dir.join(format!("card-{number}")),
            harness: dir.join("nobody"),
        }
    }

    fn arguments(&self, index: usize, line: &mut Line) {
        let id = format!("net{index}");
        let backend = match self {
            Self::User { ssh_port } => format!("user,id={id},hostfwd=tcp:127.0.0.1:{ssh_port}-:22").into(),
            Self::Frames { qemu, harness } => frames(&id, qemu, harness),
            Self::Custom(custom) => format!("{custom},id={id}").into(),
        };
        line.add::<OsString>("-netdev", backend);
        let mac = mac(index + 1);
        // No option ROM: the firmware must not try to boot from the network.
        line.add("-device", format!("virtio-net-pci,netdev={id},mac={mac},romfile="));
    }
}

fn frames(id: &str, qemu: &Path, harness: &Path) -> OsString {
    let start = format!("dgram,id={id},local.type=unix,local.path=");
    let mut backend = with_path(&start, qemu, ",remote.type=unix,remote.path=");
    backend.push(escaped(harness));
    backend
}

/// A list of arguments under construction.
#[derive(Default)]
struct Line(Vec<OsString>);

impl Line {
    fn flag(&mut self, flag: &str) {
        self.0.push(flag.into());
    }

    fn add<V: AsRef<OsStr>>(&mut self, option: &str, value: V) {
        self.0.push(option.into());
        self.0.push(value.as_ref().to_owned());
    }
}

fn with_path(start: &str, path: &Path, end: &str) -> OsString {
    let mut whole = OsString::from(start);
    whole.push(escaped(path));
    whole.push(end);
    whole
}

/// A path as QEMU's options take it: a comma is written twice.
fn escaped(path: &Path) -> OsString {
    match path.to_str() {
        Some(text) => text.replace(',', ",,").into(),
        None => path.as_os_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::disk::Format;
    use super::*;

    fn machine(nics: Vec<Nic>, console: Console) -> Machine {
        Machine {
            qemu: "qemu-system-x86_64".into(),
            accelerator: Accelerator::Tcg,
            firmware: "/fw/code.fd".into(),
            variables: Some("/tmp/vars.fd".into()),
            disk: Disk {
                path: "/tmp/a,b.qcow2".into(),
                format: Format::Qcow2,
                fate: Fate::ThrownAway,
            },
            memory: 1024,
            cpus: 1,
            nics,
            console,
            seed: Some("/tmp/seed.img".into()),
            control: "/tmp/qmp".into(),
        }
    }

    fn text(machine: &Machine) -> String {
        let arguments = machine.arguments();
        let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn the_command_line_of_a_smoke_run() {
        let nics = vec![
            Nic::User { ssh_port: 0 },
            Nic::Frames {
                qemu: "/tmp/q2".into(),
                harness: "/tmp/h2".into(),
            },
        ];
        let line = text(&machine(nics, Console::Log("/tmp/serial.log".into())));
        for expected in [
            "-name ngforge -uuid 6e67666f-7200-8000-8000-5254006e6701 -machine q35 ",
            "-accel tcg",
            "-drive if=pflash,unit=0,format=raw,readonly=on,file=/fw/code.fd -drive \
             if=pflash,unit=1,format=raw,file=/tmp/vars.fd",
            "-drive if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap,file=/tmp/a,,b.qcow2 -device \
             virtio-blk-pci,drive=disk,bootindex=0",
            "-netdev user,id=net0,hostfwd=tcp:127.0.0.1:0-:22 -device \
             virtio-net-pci,netdev=net0,mac=52:54:00:6e:67:01,romfile=",
            "-netdev dgram,id=net1,local.type=unix,local.path=/tmp/q2,remote.type=unix,remote.path=/tmp/h2",
            "-drive if=none,id=seed,format=raw,readonly=on,file=/tmp/seed.img -device virtio-blk-pci,drive=seed",
            "-chardev file,id=console,path=/tmp/serial.log -serial chardev:console -no-reboot",
            "-qmp unix:/tmp/qmp,server=on,wait=off -S",
        ] {
            assert!(line.contains(expected), "`{expected}` is not in\n{line}");
        }
    }

    #[test]
    fn the_command_line_of_a_run_on_the_terminal() {
        let nics = vec![
            Nic::User { ssh_port: 2222 },
            Nic::alone(Path::new("/tmp"), 2),
            Nic::Custom("tap,ifname=tap0".into()),
        ];
        let line = text(&machine(nics, Console::Terminal));
        for expected in [
            "hostfwd=tcp:127.0.0.1:2222-:22",
            "id=net1,local.type=unix,local.path=/tmp/card-2,remote.type=unix,remote.path=/tmp/nobody",
            "-netdev tap,ifname=tap0,id=net2",
            "-serial mon:stdio",
        ] {
            assert!(line.contains(expected), "`{expected}` is not in\n{line}");
        }
        assert!(!line.contains("-no-reboot"));
    }

    #[test]
    fn every_card_has_its_own_address() {
        assert_eq!(mac(1), "52:54:00:6e:67:01");
        assert_eq!(mac(12), "52:54:00:6e:67:0c");
    }
}
