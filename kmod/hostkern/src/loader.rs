//! Loads a FreeBSD/amd64 kernel module (ELF64, ET_REL) as FreeBSD's own linker does.
