//! `hostkernd`: serves a hosted kernel's netgraph sockets.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use hostkern::{Config, Kernel, Subject};
use hostkernd::{Card, Interfaces, Server, serve_with};

/// Serve the netgraph sockets of a hosted kernel to `ng --hosted SOCKET`
///
/// The hosted kernel is the part of FreeBSD's that ng_socket(4) needs, in a process: a stage to rehearse on, not FreeBSD.
/// It ends at SIGTERM or SIGINT, with status 0 unless something was lost meanwhile.
#[derive(Debug, Parser)]
#[command(name = "hostkernd", version, max_term_width = 100)]
struct Opt {
    /// The Unix socket to make; whoever may open it is root of the hosted kernel
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,

    /// Run the kernel module in this file, on a kernel of the release it was built for
    #[arg(long, value_name = "FILE", conflicts_with = "native")]
    module: Option<PathBuf>,

    /// Run the ng_socket that is linked into this program, which is the default
    #[arg(long)]
    native: bool,

    /// Have this network interface in the graph, as a node of type ether; may be given several times
    ///
    /// It is brought up, and taken from Linux: no IPv6, no ARP, no offloads. This takes root, or CAP_NET_RAW and
    /// CAP_NET_ADMIN.
    #[arg(long = "interface", value_name = "NAME")]
    interfaces: Vec<String>,
}

impl Opt {
    fn subject(&self) -> Subject {
        self.module.clone().map_or(Subject::Native, Subject::File)
    }

    fn run(&self) -> Result<(), Box<dyn std::error::Error>> {
        let cards = self.interfaces.iter().map(|name| Card::open(name));
        let cards = cards.collect::<Result<Vec<_>, _>>()?;
        let server = Server::bind(&self.socket)?;
        let stop = server.stopper();
        ctrlc::set_handler(move || stop.stop())?;
        let kernel = Kernel::boot(Config {
            subject: self.subject(),
            guard_pages: false,
            check_leaks: true,
        })?;
        hostkern::report::set_console(|line| eprintln!("{line}"));
        let interfaces = Interfaces::attach(cards)?;
        self.introduce(&kernel);
        serve_with(kernel, interfaces, &server);
        Ok(())
    }

    fn introduce(&self, kernel: &Kernel) {
        // __FreeBSD_version: the major version and five digits.
        let release = kernel.abi().version / 100_000;
        let module = self
            .module
            .as_ref()
            .map_or_else(|| "linked in".to_owned(), |path| path.display().to_string());
        let socket = self.socket.display();
        let interfaces = match &self.interfaces[..] {
            [] => String::new(),
            names => format!(", interfaces {}", names.join(", ")),
        };
        eprintln!(
            "hostkernd: hosted kernel at {socket}, FreeBSD {release} ABI, module {module}{interfaces}; \
             a rehearsal stage, not FreeBSD"
        );
    }
}

fn main() -> ExitCode {
    match Opt::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hostkernd: {error}");
            ExitCode::FAILURE
        }
    }
}
