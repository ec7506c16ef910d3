//! The loader's choice of a root slot, run by a real Lua on a machine that is made up: every state, states that are damaged,
//! writes that fail or are cut off, slots without a kernel.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Function, Lua, Result, Table, Value, Variadic};

const SCRIPT: &str = include_str!("../../../image/src/build/boot/slots.lua");
const SECTOR: usize = 512;

/// What the loader finds and leaves.
#[derive(Default)]
struct Machine {
    copies: [Vec<u8>; 2],
    /// Which slots have a kernel: a, b.
    kernels: [bool; 2],
    /// Bytes of the next write that reach the disk, if not all of them.
    reached: Option<usize>,
    /// The next write says that it failed.
    refused: bool,
    variables: std::collections::HashMap<String, String>,
    said: String,
}

type Shared = Rc<RefCell<Machine>>;

fn state(text: &str) -> Vec<u8> {
    let text = format!("ngforge-state 1\n{}\n", text.replace(' ', "\n"));
    let sum = crc32fast::hash(text.as_bytes());
    let mut sector = format!("{text}sum={sum:08x}\n").into_bytes();
    sector.resize(SECTOR, b'\n');
    sector
}

/// A machine whose older copy is one number behind.
fn machine(now: &str) -> Shared {
    let machine = Machine {
        copies: [state(now), state(&now.replacen("seq=7", "seq=6", 1))],
        kernels: [true; 2],
        ..Machine::default()
    };
    Rc::new(RefCell::new(machine))
}

fn copy_of(path: &str) -> Option<usize> {
    let number = path.strip_prefix("disk3p4:/state.")?.parse::<usize>().ok()?;
    (number < 2).then_some(number)
}

/// The loader's own file functions: handles are numbers of copies.
fn files(lua: &Lua, shared: &Shared) -> Result<Table> {
    let io = lua.create_table()?;
    let open = |_: &Lua, (path, _mode): (String, String)| Ok(copy_of(&path));
    io.set("open", lua.create_function(open)?)?;
    let machine = shared.clone();
    let read = move |lua: &Lua, (copy, len): (usize, usize)| {
        let bytes = &machine.borrow().copies[copy];
        lua.create_string(&bytes[..len.min(bytes.len())])
    };
    io.set("read", lua.create_function(read)?)?;
    let machine = shared.clone();
    let write = move |_: &Lua, (copy, text): (usize, mlua::LuaString)| {
        let mut machine = machine.borrow_mut();
        if machine.refused {
            return Ok(None);
        }
        let text = text.as_bytes().to_vec();
        let reached = machine.reached.unwrap_or(text.len());
        machine.copies[copy].resize(SECTOR, 0);
        machine.copies[copy][..reached].copy_from_slice(&text[..reached]);
        Ok(Some(text.len()))
    };
    io.set("write", lua.create_function(write)?)?;
    io.set("close", lua.create_function(|_, _: Value| Ok(true))?)?;
    Ok(io)
}

/// The loader's variables and commands.
fn loader(lua: &Lua, shared: &Shared) -> Result<Table> {
    let loader = lua.create_table()?;
    let machine = shared.clone();
    let getenv = move |_: &Lua, name: String| Ok(machine.borrow().variables.get(&name).cloned());
    loader.set("getenv", lua.create_function(getenv)?)?;
    let machine = shared.clone();
    let setenv = move |_: &Lua, (name, value): (String, String)| {
        machine.borrow_mut().variables.insert(name, value);
        Ok(0)
    };
    loader.set("setenv", lua.create_function(setenv)?)?;
    let machine = shared.clone();
    let perform = move |_: &Lua, command: String| {
        assert_eq!(command, "unload");
        machine.borrow_mut().variables.remove("kernelname");
        Ok(0)
    };
    loader.set("perform", lua.create_function(perform)?)?;
    Ok(loader)
}

/// The loader's module of settings, as far as it is used.
fn config(lua: &Lua, shared: &Shared) -> Result<Table> {
    let config = lua.create_table()?;
    config.set("reload", lua.create_function(|_, ()| Ok(()))?)?;
    let machine = shared.clone();
    let loadelf = move |_: &Lua, ()| {
        let mut machine = machine.borrow_mut();
        let slot = match &*machine.variables["currdev"] {
            "disk3p5:" => 0,
            "disk3p6:" => 1,
            other => panic!("a kernel is loaded from {other}"),
        };
        let there = machine.kernels[slot];
        if there {
            machine
                .variables
                .insert("kernelname".into(), "/boot/kernel/kernel".into());
        }
        Ok(there)
    };
    config.set("loadelf", lua.create_function(loadelf)?)?;
    Ok(config)
}

fn world(shared: &Shared) -> Result<Lua> {
    let lua = Lua::new();
    let globals = lua.globals();
    globals.set("io", files(&lua, shared)?)?;
    globals.set("loader", loader(&lua, shared)?)?;
    let lfs = lua.create_table()?;
    lfs.set(
        "attributes",
        lua.create_function(|_, _: Variadic<Value>| Ok("directory"))?,
    )?;
    globals.set("lfs", lfs)?;
    let config = config(&lua, shared)?;
    let require = lua.create_function(move |_, _: String| Ok(config.clone()))?;
    globals.set("require", require)?;
    let machine = shared.clone();
    let print = move |_: &Lua, line: String| {
        machine.borrow_mut().said.push_str(&format!("{line}\n"));
        Ok(())
    };
    globals.set("print", lua.create_function(print)?)?;
    // The loader has neither of these.
    for name in ["table", "math", "os", "utf8", "coroutine"] {
        globals.set(name, Value::Nil)?;
    }
    Ok(lua)
}

/// Starts the machine: the slot that is booted, or why none is.
fn boot(shared: &Shared) -> String {
    {
        let mut machine = shared.borrow_mut();
        machine.said.clear();
        machine.variables.clear();
        let given = [("currdev", "disk3p3:"), ("ngforge.label", "gate")];
        machine
            .variables
            .extend(given.map(|(name, value)| (name.into(), value.into())));
    }
    let lua = world(shared).unwrap();
    let slots: Table = lua.load(SCRIPT).eval().unwrap();
    slots.get::<Function>("run").unwrap().call::<()>(()).unwrap();
    let machine = shared.borrow();
    if !machine.variables.contains_key("kernelname") {
        return machine.said.clone();
    }
    let slot = machine.variables["ngforge.slot"].clone();
    assert_eq!(
        machine.variables["vfs.root.mountfrom"],
        format!("ufs:/dev/gpt/gate-{slot}")
    );
    assert_eq!(machine.variables["vfs.root.mountfrom.options"], "ro");
    slot
}

/// The newest state on the machine, without its number.
fn newest(shared: &Shared) -> String {
    let machine = shared.borrow();
    let valid = machine.copies.iter().filter_map(|sector| {
        let text = String::from_utf8(sector.clone()).ok()?;
        let body = text.strip_prefix("ngforge-state 1\nseq=")?;
        let (seq, rest) = body.split_once('\n')?;
        let (rest, _) = rest.split_once("\nsum=")?;
        let whole = state(&format!("seq={seq} {rest}"));
        (whole == *sector).then(|| (seq.parse::<u32>().unwrap(), rest.replace('\n', " ")))
    });
    valid.max().map_or_else(|| "none".into(), |(_, rest)| rest)
}

#[test]
fn every_state_leads_to_its_slot_and_the_next_state() {
    let cases = [
        (
            "boot=a try=- tried=- starts=0 a=good b=empty",
            "a",
            "boot=a try=- tried=- starts=1 a=good b=empty",
        ),
        (
            "boot=b try=- tried=- starts=2 a=good b=good",
            "b",
            "boot=b try=- tried=- starts=3 a=good b=good",
        ),
        (
            "boot=a try=b tried=- starts=0 a=good b=new",
            "b",
            "boot=a try=- tried=b starts=0 a=good b=new",
        ),
        (
            "boot=b try=a tried=- starts=1 a=new b=good",
            "a",
            "boot=b try=- tried=a starts=1 a=new b=good",
        ),
        (
            "boot=a try=- tried=b starts=0 a=good b=new",
            "a",
            "boot=a try=- tried=b starts=1 a=good b=new",
        ),
        (
            "boot=a try=a tried=- starts=0 a=good b=bad",
            "a",
            "boot=a try=- tried=a starts=0 a=good b=bad",
        ),
        (
            "boot=a try=- tried=- starts=3 a=good b=good",
            "b",
            "boot=a try=- tried=- starts=4 a=good b=good",
        ),
        (
            "boot=a try=- tried=- starts=3 a=good b=new",
            "a",
            "boot=a try=- tried=- starts=4 a=good b=new",
        ),
        (
            "boot=a try=- tried=- starts=6 a=good b=good",
            "a",
            "boot=a try=- tried=- starts=7 a=good b=good",
        ),
        (
            "boot=b try=- tried=- starts=9 a=good b=bad",
            "a",
            "boot=b try=- tried=- starts=10 a=good b=bad",
        ),
    ];
    for (before, slot, after) in cases {
        let machine = machine(&format!("seq=7 {before}"));
        assert_eq!(boot(&machine), slot, "{before}");
        assert_eq!(newest(&machine), after, "{before}");
        assert_eq!(
            machine.borrow().copies[0],
            state(&format!("seq=7 {before}")),
            "the newest copy is left alone"
        );
    }
}

#[test]
fn a_slot_that_never_becomes_healthy_is_booted_once() {
    let machine = machine("seq=7 boot=a try=b tried=- starts=0 a=good b=new");
    let booted: Vec<_> = (0..3).map(|_| boot(&machine)).collect();
    assert_eq!(booted, ["b", "a", "a"]);
}

#[test]
fn a_damaged_copy_does_not_count() {
    let old = "boot=a try=- tried=- starts=0 a=good b=good";
    for at in 0..SECTOR {
        let machine = machine(&format!("seq=7 {}", old.replace("boot=a", "boot=b")));
        machine.borrow_mut().copies[1] = state(&format!("seq=6 {old}"));
        machine.borrow_mut().copies[0][at] ^= 0x10;
        assert_eq!(boot(&machine), "a", "byte {at}");
    }
}

#[test]
fn hostile_states_are_refused_with_a_reason() {
    let good = "seq=7 boot=b try=- tried=- starts=0 a=good b=good";
    let changed = |from, to| state(&good.replace(from, to));
    let sectors: [(&str, Vec<u8>); 16] = [
        ("holds no state", Vec::new()),
        ("holds no state", vec![0; SECTOR]),
        ("holds no state", vec![0xff; SECTOR]),
        ("holds no state", vec![b'\n'; SECTOR]),
        ("holds no state", b"ngforge-state 1\n".repeat(32)),
        (
            "holds no state",
            state(good)
                .iter()
                .map(|byte| if *byte == b'1' { b'2' } else { *byte })
                .collect(),
        ),
        (
            "does not match its checksum",
            String::from_utf8(state(good)).unwrap().replace("=b", "=a").into_bytes(),
        ),
        ("makes no sense", changed("boot=b", "boot=c")),
        ("makes no sense", changed("boot=b", "boot=-")),
        ("makes no sense", changed("try=-", "try=")),
        ("makes no sense", changed("tried=-", "tried=ab")),
        ("makes no sense", changed("starts=0", "starts=-1")),
        ("makes no sense", changed("seq=7", "seq=9999999999")),
        ("makes no sense", changed("seq=7", "seq=0x7")),
        ("makes no sense", changed("a=good", "a=fine")),
        ("makes no sense", changed(" b=good", "")),
    ];
    for (reason, sector) in sectors {
        let machine = machine("seq=6 boot=a try=- tried=- starts=0 a=good b=good");
        machine.borrow_mut().copies[1] = sector.clone();
        assert_eq!(boot(&machine), "a");
        let said = machine.borrow().said.clone();
        let text = String::from_utf8_lossy(&sector).into_owned();
        assert!(said.contains(&format!("disk3p4:/state.1 {reason}")), "{said}: {text}");
    }
}

#[test]
fn without_a_valid_state_it_is_slot_a_and_then_b() {
    let machine = machine("seq=7 boot=b try=- tried=- starts=0 a=good b=good");
    machine.borrow_mut().copies = [vec![0; SECTOR], vec![0xff; SECTOR]];
    assert_eq!(boot(&machine), "a");
    machine.borrow_mut().kernels = [false, true];
    assert_eq!(boot(&machine), "b");
    assert_eq!(machine.borrow().copies, [vec![0; SECTOR], vec![0xff; SECTOR]]);
}

#[test]
fn a_slot_is_not_tried_if_that_cannot_be_written_down() {
    let machine = machine("seq=7 boot=a try=b tried=- starts=0 a=good b=new");
    machine.borrow_mut().refused = true;
    assert_eq!(boot(&machine), "a");
    assert!(machine.borrow().said.contains("could not write disk3p4:/state.1"));
    machine.borrow_mut().refused = false;
    assert_eq!(boot(&machine), "b");
}

#[test]
fn a_write_that_did_not_arrive_counts_as_failed() {
    let machine = machine("seq=7 boot=a try=b tried=- starts=0 a=good b=new");
    machine.borrow_mut().reached = Some(0);
    assert_eq!(boot(&machine), "a");
}

#[test]
fn wherever_a_write_is_cut_off_there_is_a_state_and_a_way_back() {
    for reached in 0..=SECTOR {
        let machine = machine("seq=7 boot=a try=b tried=- starts=0 a=good b=new");
        machine.borrow_mut().reached = Some(reached);
        boot(&machine);
        let left = newest(&machine);
        let old = "boot=a try=b tried=- starts=0 a=good b=new";
        let new = "boot=a try=- tried=b starts=0 a=good b=new";
        assert!(left == old || left == new, "{reached}: {left}");
        machine.borrow_mut().reached = None;
        let booted: Vec<_> = (0..2).map(|_| boot(&machine)).collect();
        assert_eq!(booted.last().unwrap(), "a", "{reached}");
    }
}

#[test]
fn a_slot_without_a_kernel_gives_way_in_the_same_run() {
    let machine = machine("seq=7 boot=a try=b tried=- starts=0 a=good b=new");
    machine.borrow_mut().kernels = [true, false];
    assert_eq!(boot(&machine), "a");
    assert_eq!(newest(&machine), "boot=a try=- tried=b starts=0 a=good b=new");
    machine.borrow_mut().kernels = [false, false];
    assert!(boot(&machine).contains("no kernel in either slot"));
}

#[test]
fn what_is_loaded_is_not_loaded_again() {
    let machine = machine("seq=7 boot=a try=- tried=- starts=0 a=good b=good");
    machine.borrow_mut().variables = [("currdev", "disk3p3:"), ("ngforge.label", "gate")]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    let lua = world(&machine).unwrap();
    lua.load(SCRIPT)
        .eval::<Table>()
        .unwrap()
        .get::<Function>("run")
        .unwrap()
        .call::<()>(())
        .unwrap();
    machine.borrow_mut().kernels = [false; 2];
    let loaded: bool = lua.load("return require('config').loadelf()").eval().unwrap();
    assert!(loaded);
}

#[test]
fn other_disks_are_left_alone() {
    for currdev in ["zfs:zroot/ROOT/default:", "md0:", "net0:"] {
        let machine = machine("seq=7 boot=a try=- tried=- starts=0 a=good b=good");
        machine.borrow_mut().variables = [("currdev", currdev), ("ngforge.label", "gate")]
            .map(|(name, value)| (name.into(), value.into()))
            .into();
        let lua = world(&machine).unwrap();
        lua.load(SCRIPT)
            .eval::<Table>()
            .unwrap()
            .get::<Function>("run")
            .unwrap()
            .call::<()>(())
            .unwrap();
        assert!(machine.borrow().said.contains("no disk with slots"));
        assert_eq!(machine.borrow().variables["currdev"], currdev);
    }
}
