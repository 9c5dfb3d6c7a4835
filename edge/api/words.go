package api

import "wardwatch/ward"

// The shapes of the API are also what commands print with --json, so that a field has one name everywhere.

// AlertOf is the shape of an alert.
func AlertOf(a ward.Alert) Alert { return alertOf(a) }

// ResponseOf is the shape of an organisation's answer.
func ResponseOf(r ward.Response) Response { return responseOf(r) }

// ImportOf is the shape of an import.
func ImportOf(i ward.Import) Import { return importOf(i) }
