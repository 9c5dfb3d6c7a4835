package store

import (
	"encoding/base64"
	"fmt"
	"strings"

	"wardwatch/ward"
)

// badCursor answers a cursor that no page gave.
var badCursor = &ward.Invalid{Field: "after", Problem: "is not a cursor of this list", Hint: "take it from the page before, or leave it out"}

// cursor makes the opaque mark of the last row of a page from its sort key and its ID.
func cursor(key, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(key + "\x00" + id))
}

// readCursor is the inverse of cursor.
func readCursor(text string) (key, id string, err error) {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", "", badCursor
	}
	key, id, ok := strings.Cut(string(plain), "\x00")
	if !ok {
		return "", "", badCursor
	}
	return key, id, nil
}

// pageSize bounds what a caller asked for.
func pageSize(limit int) int {
	switch {
	case limit <= 0:
		return ward.PageSize
	case limit > ward.MostPageSize:
		return ward.MostPageSize
	}
	return limit
}

// paged cuts the one row too many that a query asked for, and marks where the next page begins.
func paged[T any](rows []T, limit int, mark func(T) string) ward.Page[T] {
	if len(rows) <= limit {
		return ward.Page[T]{Items: rows}
	}
	rows = rows[:limit]
	return ward.Page[T]{Items: rows, Next: mark(rows[limit-1])}
}

// containing is the LIKE pattern, with \ as escape, of what contains the text without case.
func containing(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(strings.TrimSpace(text))) + "%"
}

// marks are the numbered parameters of an IN list, from next on, with their values.
func marks[T ~string](values []T, next int) (string, []any) {
	numbers := make([]string, len(values))
	args := make([]any, len(values))
	for i, v := range values {
		numbers[i] = fmt.Sprintf("$%d", next+i)
		args[i] = string(v)
	}
	return strings.Join(numbers, ","), args
}
