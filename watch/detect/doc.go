// Package detect says what a record shows. In: records, one after the other, and what the detectors below know (rules,
// indicators). Out: a Detection for each thing seen, with the fields and values that showed it. It never decides what a
// person must see: act/findings does, and repeats are folded there and here by the same fingerprint.
package detect
