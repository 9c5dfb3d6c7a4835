package edge

import (
	"context"
	"time"

	"wardwatch/ward"
)

// People keeps the people, their API tokens and the audit record, for pages and API alike: *access.Door.
type People interface {
	People(ctx context.Context, who ward.Actor, after string, limit int) (ward.Page[ward.Person], error)
	Person(ctx context.Context, who ward.Actor, id ward.PersonID) (ward.Person, error)
	AddPerson(ctx context.Context, who ward.Actor, p ward.Person, password string) (ward.Person, string, error)
	Disable(ctx context.Context, who ward.Actor, id ward.PersonID) error
	Enable(ctx context.Context, who ward.Actor, id ward.PersonID) error
	ResetPassword(ctx context.Context, who ward.Actor, id ward.PersonID) (string, error)
	Tokens(ctx context.Context, who ward.Actor, person ward.PersonID) ([]ward.Token, error)
	AddToken(ctx context.Context, who ward.Actor, person ward.PersonID, name string, expires time.Time) (ward.Token, string, error)
	DropToken(ctx context.Context, who ward.Actor, person ward.PersonID, id string) error
	Confirm(ctx context.Context, password string) error
	Audit(ctx context.Context, who ward.Actor, org ward.OrgID, before int64, limit int) ([]ward.AuditEntry, error)
	Seen(ctx context.Context, who ward.Actor, action, subject string, org ward.OrgID) error
}
