package api

import (
	"wardwatch/act/alerts"
	"wardwatch/ward"
)

// The shapes of the API are also what commands print with --json, so that a field has one name everywhere.

// AlertOf is the shape of an alert.
func AlertOf(a ward.Alert) Alert { return alertOf(a) }

// ResponseOf is the shape of an organisation's answer.
func ResponseOf(r ward.Response) Response { return responseOf(r) }

// ImportOf is the shape of an import.
func ImportOf(i ward.Import) Import { return importOf(i) }

// RevisionOf is the shape of a revision.
func RevisionOf(r ward.Revision) Revision { return revisionOf(r) }

// FieldChangeOf is the shape of one field in which two versions differ.
func FieldChangeOf(c alerts.FieldChange) FieldChange { return fieldChangeOf(c) }
