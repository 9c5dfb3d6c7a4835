package match

// NoVersion is the key of an identity without a version.
var NoVersion = noUpdate
