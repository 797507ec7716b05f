//! A compact, versioned binary format for the values of JavaScript.
