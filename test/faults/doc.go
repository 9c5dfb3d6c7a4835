// Package faults kills the program as it ships, takes its disk away and gives it back, while somebody sends, and asks afterwards
// whether everything that was acknowledged is found exactly once.
package faults
