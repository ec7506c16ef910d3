//! vm-bhyve: a template, and the commands that make and start the machine.

use super::bhyve::bridge_node;
use super::definition::{Definition, Nic};
use super::script::head;

/// The switch that a card is connected to unless another one is named: the one that all of vm-bhyve's templates use, then
/// switches of the machine's own.
fn switch(definition: &Definition, nic: &Nic) -> String {
    match &nic.network {
        Some(network) => network.split(':').next().unwrap_or_default().to_owned(),
        None if nic.number == 0 && !definition.netgraph => "public".into(),
        None => format!("net{}", nic.number),
    }
}

/// The script.
pub fn script(definition: &Definition) -> String {
    let mut text = head(
        definition,
        "As root on a FreeBSD host with vm-bhyve and bhyve-firmware, after `vm init`.",
    );
    let name = &definition.name;
    text.push_str(&format!("name='{name}'\n\n"));
    text.push_str("dir=$(sysrc -n vm_dir)\n");
    text.push_str("case $dir in zfs:*) dir=$(zfs get -H -o value mountpoint \"${dir#zfs:}\") ;; esac\n");
    text.push_str(&switches(definition));
    text.push_str("cat > \"$dir/.templates/$name.conf\" << 'END'\n");
    text.push_str(&template(definition));
    text.push_str("END\n");
    text.push_str("vm create -t \"$name\" -s \"$(stat -f %z \"$image\")\" \"$name\"\n");
    text.push_str("cp \"$image\" \"$dir/$name/disk0.img\"\n");
    // vm-bhyve makes a UUID of its own when it makes the machine.
    text.push_str(&format!(
        "sysrc -f \"$dir/$name/$name.conf\" uuid={} > /dev/null\n",
        definition.uuid
    ));
    text.push_str("vm start \"$name\"\necho \"vm console $name\"\n");
    text
}

fn switches(definition: &Definition) -> String {
    let mut names: Vec<_> = definition.nics.iter().map(|nic| switch(definition, nic)).collect();
    names.sort();
    names.dedup();
    let modules = match definition.netgraph {
        true => "kldload -n ng_socket ng_bridge\n",
        false => "",
    };
    let make = names.iter().map(|name| {
        let (kind, node) = match definition.netgraph {
            true => (" -t netgraph", bridge_node(name)),
            false => ("", String::new()),
        };
        format!("vm switch info {name} > /dev/null 2>&1 || vm switch create{kind} {name}\n{node}")
    });
    modules.to_owned() + &make.collect::<String>()
}

fn template(definition: &Definition) -> String {
    let mut text = format!(
        "loader=\"uefi\"\nuefi_vars=\"yes\"\ncpu={}\nmemory={}M\nuuid=\"{}\"\ncomports=\"com1\"\nutctime=\"yes\"\n\
         virt_random=\"yes\"\ndisk0_type=\"virtio-blk\"\ndisk0_name=\"disk0.img\"\n",
        definition.cpus, definition.memory, definition.uuid
    );
    for nic in &definition.nics {
        let number = nic.number;
        text.push_str(&format!("network{number}_type=\"virtio-net\"\n"));
        text.push_str(&format!("network{number}_switch=\"{}\"\n", switch(definition, nic)));
        text.push_str(&format!("network{number}_mac=\"{}\"\n", nic.mac));
    }
    text
}
