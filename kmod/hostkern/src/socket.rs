//! The socket layer: `struct socket`, its buffers, and sosend, soreceive and their family.
