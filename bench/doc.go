// Package bench measures the product beside others that do a part of the same, on the same events, in the same run. It is a
// module of its own, so that what it measures against is not among what the product is built of. It never fails because a
// machine or a peer is slow: it prints the numbers and a person reads them.
package bench
