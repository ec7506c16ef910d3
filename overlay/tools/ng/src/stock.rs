//! The node types that come with FreeBSD as modules `ng_<type>`, and the commands that their nodes convert from words.
//!
//! Source: the tables of commands below sys/netgraph, FreeBSD 14 and 15; for `socket`, this project's module.

/// What every node understands, whatever its type.
const GENERIC: &str = "shutdown mkpeer connect name rmhook nodeinfo listhooks listnames listnodes listtypes textconfig \
                       textstatus";

/// Types and their commands, each in the order of the source.
const TYPES: [(&str, &str); 50] = [
    ("UI", ""),
    ("async", "setconfig getconfig getstats clrstats"),
    ("bluetooth", ""),
    ("bpf", "setprogram getprogram getstats clrstats getclrstats"),
    (
        "bridge",
        "setconfig getconfig reset getstats clrstats getclrstats gettable setpersistent movehost",
    ),
    ("car", "getstats clrstats getclrstats getconf setconf"),
    (
        "checksum",
        "getdlt setdlt getconfig setconfig getstats clrstats getclrstats",
    ),
    ("cisco", "setipaddr getipaddr getstats"),
    ("deflate", "config resetreq getstats clrstats getclrstats"),
    ("device", "getdevname etheralign"),
    ("echo", ""),
    ("eiface", "getifname set"),
    ("etf", "getstatus setflag setfilter"),
    (
        "ether",
        "getifname getifindex getenaddr setenaddr getpromisc setpromisc getautosrc setautosrc addmulti delmulti detach",
    ),
    ("ether_echo", ""),
    ("frame_relay", ""),
    ("gif", "getifname getifindex"),
    ("gif_demux", ""),
    ("hci", ""),
    ("hole", "getstats clrstats getclrstats"),
    ("hub", "setpersistent"),
    ("iface", "getifname point2point broadcast getifindex"),
    ("ip_input", ""),
    ("ipfw", ""),
    (
        "ksocket",
        "bind listen accept connect getname getpeername setopt getopt",
    ),
    ("l2cap", ""),
    (
        "l2tp",
        "setconfig getconfig setsessconfig getsessconfig getstats clrstats getclrstats getsessstats clrsessstats \
         getclrsessstats ackfailure setsequence",
    ),
    ("lmi", ""),
    ("macfilter", "reset direct directi getmacs getclrmacs clrmacs gethooks"),
    ("mppc", ""),
    (
        "nat",
        "setaliasaddr setmode settarget redirectport redirectaddr redirectproto redirectdynamic redirectdelete \
         addserver listredirects proxyrule libaliasinfo setdlt getdlt",
    ),
    (
        "netflow",
        "info ifinfo setdlt setifindex settimeouts setconfig settemplate setmtu v9info",
    ),
    ("one2many", "setconfig getconfig getstats clrstats getclrstats"),
    (
        "patch",
        "getdlt setdlt getconfig setconfig getstats clrstats getclrstats",
    ),
    ("pipe", "getstats clrstats getclrstats getrun getcfg setcfg"),
    (
        "ppp",
        "setconfig getconfig getmpstate getstats clrstats getclrstats getstats64 getclrstats64",
    ),
    (
        "pppoe",
        "pppoe_connect pppoe_listen pppoe_offer pppoe_service pppoe_success pppoe_fail pppoe_close pppoe_setmode \
         pppoe_getmode setenaddr setmaxp send_hurl send_motm",
    ),
    ("pptpgre", "setconfig getconfig getstats clrstats getclrstats"),
    ("pred1", "config resetreq getstats clrstats getclrstats"),
    ("rfc1490", "setencap getencap"),
    (
        "socket",
        "nolinger linger events getevents hookpolicy gethookpolicy getstats clrstats getclrstats",
    ),
    (
        "source",
        "getstats clrstats getclrstats start stop clrdata setiface setpps settimestamp gettimestamp setcounter \
         getcounter",
    ),
    ("split", ""),
    (
        "tag",
        "sethookin gethookin sethookout gethookout getstats clrstats getclrstats",
    ),
    ("tcpmss", "getstats clrstats getclrstats config"),
    ("tee", "getstats clrstats getclrstats"),
    ("tty", ""),
    ("vjc", "setconfig getconfig getstate clrstats recverror"),
    (
        "vlan",
        "addfilter delfilter gettable delvidflt getdecap setdecap getencap setencap getencapproto setencapproto",
    ),
    ("vlan_rotate", "getconf setconf getstat clrstat getclrstat"),
];

/// The names of the types.
pub fn types() -> impl Iterator<Item = &'static str> {
    TYPES.iter().map(|(name, _)| *name)
}

/// The commands that nodes of the type know besides [`generic`] ones; none for a type that is not known here.
pub fn commands(type_name: &str) -> impl Iterator<Item = &'static str> {
    let known = TYPES.iter().find(|(name, _)| *name == type_name);
    known.map_or("", |(_, commands)| commands).split_whitespace()
}

/// The commands that every node knows.
pub fn generic() -> impl Iterator<Item = &'static str> {
    GENERIC.split_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_stand_once_and_in_order() {
        let names: Vec<_> = types().collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    #[test]
    fn commands_belong_to_their_type() {
        assert!(commands("tee").eq(["getstats", "clrstats", "getclrstats"]));
        assert_eq!(commands("unheard-of").count(), 0);
        assert!(generic().any(|command| command == "listhooks"));
    }
}
