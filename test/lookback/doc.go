// Package lookback adds an indicator to the program while it serves, kills it in the middle of looking back, and counts what it says.
package lookback
