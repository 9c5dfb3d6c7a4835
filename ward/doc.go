// Package ward holds the words of the watch: the nouns that every room shares (Organisation, Asset, Software,
// Vulnerability, Finding, Alert, Response...), the pure rules about them, the sentinel errors, Scope and Clock.
//
// Nothing comes in and nothing goes out: the package imports only the standard library and does no I/O. Zero values are
// safe: a zero Scope sees nothing, a zero Actor may do nothing.
package ward
