package access

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/mail"
	"strings"
	"unicode"

	"wardwatch/ward"
)

// longestText bounds names and addresses, in bytes.
const longestText = 200

// FirstAdmin makes the first administrator when nobody can sign in yet, with a one-time password to be shown once.
func (d *Door) FirstAdmin(ctx context.Context) (email, password string, created bool, err error) {
	if people, err := d.rows.People(ctx, "", 1); err != nil || len(people) > 0 {
		return "", "", false, err
	}
	password = oneTime()
	hash, err := d.hashes.make(ctx, password)
	if err != nil {
		return "", "", false, fmt.Errorf("edge/access: %w", err)
	}
	p := ward.Person{ID: ward.PersonID(newID()), Name: "Administrator", Email: "admin@localhost", Role: ward.Admin, Hash: hash, MustChange: true, Created: d.clock.Now()}
	created, err = d.rows.AddFirstPerson(ctx, p, d.entry(ward.Person{Name: "first start"}, "access.add_person", p, "administrator"))
	if err != nil || !created {
		return "", "", false, err
	}
	return p.Email, password, true, nil
}

// AddPerson makes an account from p's name, email, organisation and role. Without a password it gets a one-time password,
// which is returned to be shown once. A password that is given is the person's own when the product itself adds the
// account, and one-time when an administrator does.
func (d *Door) AddPerson(ctx context.Context, who ward.Actor, p ward.Person, password string) (ward.Person, string, error) {
	if err := who.Need(ward.MayPeople); err != nil {
		return ward.Person{}, "", err
	}
	p = ward.Person{ID: ward.PersonID(newID()), Name: strings.TrimSpace(p.Name), Email: fold(p.Email), Role: p.Role, Created: d.clock.Now(),
		Org: ward.OrgID(strings.ToUpper(strings.TrimSpace(string(p.Org))))}
	if err := checkPerson(p); err != nil {
		return ward.Person{}, "", err
	}
	shown := ""
	if password == "" {
		password = oneTime()
		shown = password
	} else if err := checkPassword(p, password); err != nil {
		return ward.Person{}, "", err
	}
	p.MustChange = shown != "" || who.Person != ""
	var err error
	if p.Hash, err = d.hashes.make(ctx, password); err != nil {
		return ward.Person{}, "", fmt.Errorf("edge/access: %w", err)
	}
	if err := d.rows.AddPerson(ctx, p, d.entryBy(who, "access.add_person", p, string(p.Role))); err != nil {
		return ward.Person{}, "", err
	}
	p.Hash = ""
	return p, shown, nil
}

func checkPerson(p ward.Person) error {
	address, err := mail.ParseAddress(p.Email)
	switch {
	case !plain(p.Name):
		return &ward.Invalid{Field: "name", Problem: "is empty, too long or holds control characters", Hint: "give the person's name"}
	case !plain(p.Email), err != nil, address.Address != p.Email:
		return &ward.Invalid{Field: "email", Problem: "is not an address", Hint: "give it as name@hospital.example"}
	case !p.Role.Valid():
		return &ward.Invalid{Field: "role", Problem: "is not a role", Hint: "one of analyst, approver, lead, member, reader, admin"}
	case (p.Role.National() || p.Role == ward.Admin) && p.Org != "":
		return &ward.Invalid{Field: "org", Problem: "does not go with this role", Hint: "leave it empty for the national watch and for administrators"}
	case !p.Role.National() && p.Role != ward.Admin && p.Org == "":
		return &ward.Invalid{Field: "org", Problem: "is empty", Hint: "give the organisation's code"}
	}
	return nil
}

// plain reports whether s is a short line of text.
func plain(s string) bool {
	turns := func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
	return s != "" && len(s) <= longestText && strings.IndexFunc(s, turns) < 0
}

// People lists accounts by name, after the given one.
func (d *Door) People(ctx context.Context, who ward.Actor, after string, limit int) (ward.Page[ward.Person], error) {
	if err := who.Need(ward.MayPeople); err != nil {
		return ward.Page[ward.Person]{}, err
	}
	limit = clamp(limit)
	people, err := d.rows.People(ctx, ward.PersonID(after), limit+1)
	if err != nil {
		return ward.Page[ward.Person]{}, err
	}
	page := ward.Page[ward.Person]{Items: people}
	if len(people) > limit {
		page.Items, page.Next = people[:limit], string(people[limit-1].ID)
	}
	for i := range page.Items {
		page.Items[i].Hash = ""
	}
	return page, nil
}

// Person returns one account.
func (d *Door) Person(ctx context.Context, who ward.Actor, id ward.PersonID) (ward.Person, error) {
	if who.Person == "" || who.Person != id {
		if err := who.Need(ward.MayPeople); err != nil {
			return ward.Person{}, err
		}
	}
	p, _, err := d.rows.Person(ctx, id)
	p.Hash = ""
	return p, err
}

// PersonByEmail returns one account by its sign-in name.
func (d *Door) PersonByEmail(ctx context.Context, who ward.Actor, email string) (ward.Person, error) {
	if err := who.Need(ward.MayPeople); err != nil {
		return ward.Person{}, err
	}
	p, _, err := d.rows.PersonByEmail(ctx, fold(email))
	p.Hash = ""
	return p, err
}

// Disable closes an account: its sessions and tokens stop at their next request. Nobody closes the own account.
func (d *Door) Disable(ctx context.Context, who ward.Actor, id ward.PersonID) error {
	if who.Person == id {
		return fmt.Errorf("the own account is closed by another administrator: %w", ward.ErrState)
	}
	return d.setDisabled(ctx, who, id, true, "access.disable_person")
}

// Enable reopens an account.
func (d *Door) Enable(ctx context.Context, who ward.Actor, id ward.PersonID) error {
	return d.setDisabled(ctx, who, id, false, "access.enable_person")
}

func (d *Door) setDisabled(ctx context.Context, who ward.Actor, id ward.PersonID, disabled bool, action string) error {
	if err := who.Need(ward.MayPeople); err != nil {
		return err
	}
	p, _, err := d.rows.Person(ctx, id)
	if err != nil {
		return err
	}
	return d.rows.SetDisabled(ctx, id, disabled, d.entryBy(who, action, p, ""))
}

// ResetPassword gives an account a new one-time password, to be shown once. The person's sessions end and tokens rest until
// the person has chosen another.
func (d *Door) ResetPassword(ctx context.Context, who ward.Actor, id ward.PersonID) (password string, err error) {
	if err := who.Need(ward.MayPeople); err != nil {
		return "", err
	}
	p, _, err := d.rows.Person(ctx, id)
	if err != nil {
		return "", err
	}
	password = oneTime()
	hash, err := d.hashes.make(ctx, password)
	if err != nil {
		return "", fmt.Errorf("edge/access: %w", err)
	}
	return password, d.rows.SetPassword(ctx, id, hash, true, d.entryBy(who, "access.reset_password", p, ""))
}

// Audit lists the record newest first, before the given entry: what the scope shows, and for administrators what concerns
// accounts.
func (d *Door) Audit(ctx context.Context, who ward.Actor, org ward.OrgID, before int64, limit int) ([]ward.AuditEntry, error) {
	if err := who.Need(ward.MayAudit); err != nil {
		return nil, err
	}
	if who.Role == ward.Admin {
		return d.rows.AccountEntries(ctx, before, clamp(limit))
	}
	return d.rows.AuditEntries(ctx, who.Scope, org, before, clamp(limit))
}

// Seen records that somebody looked at an organisation's data from outside it, so that the organisation can see who did:
// every look in the audit record, and those of the national watch in the organisation's own list of who looked.
func (d *Door) Seen(ctx context.Context, who ward.Actor, action, subject string, org ward.OrgID) error {
	if who.Org == org {
		return nil
	}
	if d.options.Looks != nil && who.Scope.All() {
		if err := d.options.Looks.Viewed(ctx, who, org, lookedAt(action, subject, org)); err != nil {
			return err
		}
	}
	return d.rows.Note(ctx, ward.AuditEntry{At: d.world.Now(), Person: who.Person, Name: who.Name, Action: action, Subject: subject, Org: org})
}

// lookedAt says what "asset.view" of "XZ1A/asset/12" is to the organisation: "asset 12".
func lookedAt(action, subject string, org ward.OrgID) string {
	what := strings.TrimSuffix(strings.ReplaceAll(action, ".export", " as a file"), ".view")
	rest := strings.TrimPrefix(strings.TrimPrefix(subject, string(org)), "/")
	rest = strings.ReplaceAll(strings.TrimPrefix(rest, what+"/"), "/", " ")
	return strings.TrimSpace(what + " " + rest)
}

func (d *Door) entryBy(who ward.Actor, action string, about ward.Person, detail string) ward.AuditEntry {
	return d.entry(ward.Person{ID: who.Person, Name: who.Name}, action, about, detail)
}

func clamp(limit int) int {
	if limit <= 0 {
		return ward.PageSize
	}
	return min(limit, ward.MostPageSize)
}

// oneTime is a password to be typed once: 80 random bits in groups that can be read out, without letters that look alike.
func oneTime() string {
	const letters = "abcdefghjkmnpqrstuvwxyz23456789x" // 32, x twice: 79 bits
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails: it ends the program instead
	var text strings.Builder
	for i, v := range b {
		if i > 0 && i%4 == 0 {
			text.WriteByte('-')
		}
		text.WriteByte(letters[int(v)%len(letters)])
	}
	return text.String()
}
