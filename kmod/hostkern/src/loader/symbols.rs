//! The kernel's symbols, as modules name them.

use kpi::raw::malloc::malloc_type;
use kpi::raw::sysctl::sysctl_oid;

use crate::netgraph::ascii::types as ascii;
use crate::netgraph::exports;
use crate::{clock, counter, domain, epoch, mbuf, memory, module, mutex, report, sleep, socket, sysctl, thread};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// A function's address.
    Function(usize),
    /// A variable's address, and its length in bytes.
    Variable {
        /// Where it is.
        address: usize,
        /// Bytes.
        size: usize,
    },
}

impl Symbol {
    pub(super) fn address(self) -> usize {
        match self {
            Self::Function(address) | Self::Variable { address, .. } => address,
        }
    }

    fn variable<T>(place: *const T) -> Self {
        Self::Variable {
            address: place.addr(),
            size: size_of::<T>(),
        }
    }
}

/// The functions of a name each: `name => path`.
macro_rules! functions {
    ($name:ident: $($symbol:literal => $function:path,)*) => {
        match $name {
            $($symbol => Some(Symbol::Function($function as *const () as usize)),)*
            _ => None,
        }
    };
}

/// The hosted kernel's symbol of this name.
#[must_use]
pub fn lookup(name: &str) -> Option<Symbol> {
    let parts = [variable, primitive, service, netgraph];
    parts.iter().find_map(|part| part(name))
}

fn variable(name: &str) -> Option<Symbol> {
    Some(match name {
        "M_NETGRAPH_MSG" => Symbol::variable::<[malloc_type; 1]>(&raw const memory::M_NETGRAPH_MSG),
        "M_PCB" => Symbol::variable::<[malloc_type; 1]>(&raw const memory::M_PCB),
        "M_SONAME" => Symbol::variable::<[malloc_type; 1]>(&raw const memory::M_SONAME),
        "M_TEMP" => Symbol::variable::<[malloc_type; 1]>(&raw const memory::M_TEMP),
        "__stack_chk_guard" => Symbol::variable(&raw const report::__stack_chk_guard),
        "lockstat_enabled" => Symbol::variable(&raw const mutex::lockstat_enabled),
        "net_epoch_preempt" => Symbol::variable(&raw const epoch::net_epoch_preempt),
        "sysctl___net_graph" => Symbol::variable::<sysctl_oid>(&raw const sysctl::sysctl___net_graph),
        "time_uptime" => Symbol::variable(&raw const clock::time_uptime),
        _ => return parse_type(name),
    })
}

/// The types of arguments, in `netgraph/ng_parse.h`.
fn parse_type(name: &str) -> Option<Symbol> {
    macro_rules! types {
        ($($kind:ident)*) => {
            match name {
                $(stringify!($kind) => Some(Symbol::variable(&raw const ascii::$kind)),)*
                _ => None,
            }
        };
    }
    types! {
        ng_parse_struct_type ng_parse_fixedarray_type ng_parse_array_type ng_parse_string_type
        ng_parse_fixedstring_type ng_parse_sizedstring_type ng_parse_int8_type ng_parse_int16_type
        ng_parse_int32_type ng_parse_int64_type ng_parse_uint8_type ng_parse_uint16_type ng_parse_uint32_type
        ng_parse_uint64_type ng_parse_hint8_type ng_parse_hint16_type ng_parse_hint32_type ng_parse_hint64_type
        ng_parse_ipaddr_type ng_parse_enaddr_type ng_parse_bytearray_type ng_parse_nodebuf_type
        ng_parse_hookbuf_type ng_parse_pathbuf_type ng_parse_typebuf_type ng_parse_cmdbuf_type
    }
}

/// Memory, locks, sleeping, the message buffer, and what C has in its library.
fn primitive(name: &str) -> Option<Symbol> {
    functions! { name:
        "malloc" => memory::hostkern_malloc,
        "free" => memory::hostkern_free,
        "malloc_init" => memory::malloc_init,
        "malloc_uninit" => memory::malloc_uninit,
        "hashinit" => memory::hashinit,
        "hashinit_flags" => memory::hashinit_flags,
        "hashdestroy" => memory::hashdestroy,
        "_mtx_init" => mutex::_mtx_init,
        "_mtx_destroy" => mutex::_mtx_destroy,
        "__mtx_lock_flags" => mutex::__mtx_lock_flags,
        "__mtx_unlock_flags" => mutex::__mtx_unlock_flags,
        "_mtx_trylock_flags_" => mutex::_mtx_trylock_flags_,
        "__mtx_lock_sleep" => mutex::__mtx_lock_sleep,
        "__mtx_unlock_sleep" => mutex::__mtx_unlock_sleep,
        "__mtx_assert" => mutex::__mtx_assert,
        "_sleep" => sleep::_sleep,
        "wakeup" => sleep::wakeup,
        "pause_sbt" => clock::pause_sbt,
        "wakeup_one" => sleep::wakeup_one,
        "_epoch_enter_preempt" => epoch::_epoch_enter_preempt,
        "_epoch_exit_preempt" => epoch::_epoch_exit_preempt,
        "epoch_wait_preempt" => epoch::epoch_wait_preempt,
        "priv_check" => thread::priv_check,
        "printf" => report::hostkern_printf,
        "snprintf" => report::hostkern_snprintf,
        "panic" => report::kernel_panic,
        "kassert_panic" => report::kassert_panic,
        "__stack_chk_fail" => report::hostkern___stack_chk_fail,
        "memcpy" => libc::memcpy,
        "memmove" => libc::memmove,
        "memset" => libc::memset,
        "memcmp" => libc::memcmp,
        "strcmp" => libc::strcmp,
        "strncmp" => libc::strncmp,
        "strlen" => libc::strlen,
    }
}

/// mbufs, sockets, domains, sysctls, modules.
fn service(name: &str) -> Option<Symbol> {
    functions! { name:
        "m_devget" => mbuf::m_devget,
        "m_copydata" => mbuf::m_copydata,
        "m_free" => mbuf::m_free,
        "m_freem" => mbuf::m_freem,
        "soreserve" => socket::soreserve,
        "soisconnected" => socket::soisconnected,
        "soisdisconnected" => socket::soisdisconnected,
        "sorwakeup_locked" => socket::sorwakeup_locked,
        "soroverflow_locked" => socket::soroverflow_locked,
        "sbappendaddr_locked" => socket::sbappendaddr_locked,
        "sosend_generic" => socket::sosend_generic,
        "soreceive_generic" => socket::soreceive_generic,
        "sosend_dgram" => socket::sosend_dgram,
        "soreceive_dgram" => socket::soreceive_dgram,
        "soiolock" => socket::soiolock,
        "soiounlock" => socket::soiounlock,
        "domain_add" => domain::domain_add,
        "domain_remove" => domain::domain_remove,
        "sysctl_handle_int" => sysctl::sysctl_handle_int,
        "sysctl_handle_long" => sysctl::sysctl_handle_long,
        "sysctl_handle_64" => sysctl::sysctl_handle_64,
        "sysctl_handle_counter_u64" => counter::sysctl_handle_counter_u64,
        "counter_u64_alloc" => counter::counter_of_cpus_alloc,
        "counter_u64_free" => counter::counter_u64_free,
        "sysctl_handle_string" => sysctl::sysctl_handle_string,
        "module_register_init" => module::module_register_init,
        "kern_kldload" => module::kern_kldload,
        "kern_kldunload" => module::kern_kldunload,
    }
}

/// Nodes, hooks, items and types.
fn netgraph(name: &str) -> Option<Symbol> {
    functions! { name:
        "ng_make_node_common" => exports::ng_make_node_common,
        "ng_name_node" => exports::ng_name_node,
        "ng_rmnode_self" => exports::ng_rmnode_self,
        "ng_rmhook_self" => exports::ng_rmhook_self,
        "ng_unref_node" => exports::ng_unref_node,
        "ng_unref_hook" => exports::ng_unref_hook,
        "ng_findhook" => exports::ng_findhook,
        "ng_findtype" => exports::ng_findtype,
        "ng_newtype" => exports::ng_newtype,
        "ng_rmtype" => exports::ng_rmtype,
        "ng_mod_event" => exports::ng_mod_event,
        "ng_package_data" => exports::ng_package_data,
        "ng_package_msg" => exports::ng_package_msg,
        "ng_address_path" => exports::ng_address_path,
        "ng_address_hook" => exports::ng_address_hook,
        "ng_address_ID" => exports::ng_address_ID,
        "ng_snd_item" => exports::ng_snd_item,
        "ng_free_item" => exports::ng_free_item,
        "ng_node2ID" => exports::ng_node2ID,
    }
}
