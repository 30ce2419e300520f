//! Device codecs in JavaScript: the `decodeUplink` files that vendors publish for The Things
//! Stack and ChirpStack, run unchanged in a sandboxed engine.
