// Package duckdb has another engine read the blocks that the archive keeps.
package duckdb
