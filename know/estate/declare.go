package estate

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// Declare keeps a person's answer to "Do you run PRODUCT?", signed, dated and expiring. A yes also becomes an asset with the
// product on it, by a source of its own that is graded self-declared, so that exposure and proof treat it as any other
// evidence; a later no ends that.
func (r *Register) Declare(ctx context.Context, who ward.Actor, d ward.Declaration) (ward.Declaration, error) {
	if err := who.NeedFor(ward.MayDeclare, d.Org); err != nil {
		return d, err
	}
	if err := tidyDeclaration(&d); err != nil {
		return d, fmt.Errorf("estate: declaration of %s: %w", d.Org, err)
	}
	d.ID, d.By, d.Name = rand.Text(), who.Person, who.Name
	d.At = r.clock.Now()
	d.Expires = d.At.Add(ward.DeclaredFor)
	err := r.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Organisation(ctx, who.Scope, d.Org); err != nil {
			return err
		}
		if d.Host != "" {
			if _, err := tx.Organisation(ctx, ward.Everything(), d.Host); err != nil {
				return &ward.Invalid{Field: "host", Problem: fmt.Sprintf("%s is not registered", d.Host), Hint: "leave it empty and write the host's name"}
			}
		}
		if err := tx.AddDeclaration(ctx, d, know.ProductKey(d.Vendor, d.Product)); err != nil {
			return err
		}
		if err := r.declareInstall(ctx, tx, who, d); err != nil {
			return err
		}
		// A "no" changes no install, and yet what is known of the organisation.
		if err := tx.Mark(ctx, store.ForProof, d.At, string(d.Org)); err != nil {
			return err
		}
		tx.Hint("estate:"+string(d.Org), d.Org)
		return audit(ctx, tx, who, d.At, "estate.declare", string(d.Org)+"/declaration/"+d.ID, d.Org, "%s %s: %s %s", d.Vendor, d.Product, d.Answer, d.Version)
	})
	if err != nil {
		return d, fmt.Errorf("estate: declaration of %s: %w", d.Org, err)
	}
	return d, nil
}

func tidyDeclaration(d *ward.Declaration) error {
	for _, text := range []*string{&d.Vendor, &d.Product, &d.Version, &d.Asset, &d.Words} {
		*text = Clean(*text)
	}
	for _, field := range []struct {
		name, value string
		most        int
	}{{"vendor", d.Vendor, mostName}, {"product", d.Product, mostName}, {"version", d.Version, mostName}, {"asset", d.Asset, mostName}, {"words", d.Words, 4 * mostText}} {
		if len(field.value) > field.most {
			return &ward.Invalid{Field: field.name, Problem: fmt.Sprintf("is longer than %d bytes", field.most)}
		}
	}
	d.Host = ward.OrgID(strings.ToUpper(Clean(string(d.Host))))
	d.Class = ParseClass(string(d.Class))
	if problem := tidy(&Row{Asset: "asset", Class: d.Class}); problem != "" {
		return &ward.Invalid{Field: "class", Problem: problem}
	}
	switch {
	case d.Product == "":
		return &ward.Invalid{Field: "product", Problem: "is empty"}
	case d.Answer == ward.RunsIt && d.Version == "":
		return &ward.Invalid{Field: "version", Problem: "is empty", Hint: "give the version that is installed, such as 12.5.0.1"}
	case d.Answer == ward.HostedBy && d.Host == "" && d.Words == "":
		return &ward.Invalid{Field: "host", Problem: "is empty", Hint: "say who hosts it, by code or in words"}
	case d.Answer != ward.RunsIt && d.Answer != ward.NotRun && d.Answer != ward.HostedBy:
		return &ward.Invalid{Field: "answer", Problem: fmt.Sprintf("%.20q is not known", d.Answer), Hint: "yes, no or hosted"}
	}
	if d.Answer != ward.RunsIt {
		d.Version, d.Asset, d.Class, d.Reachable = "", "", "", ward.NotKnown
	}
	if d.Answer != ward.HostedBy {
		d.Host = ""
	}
	return nil
}

// declareInstall makes the declaration's source say what the declaration says. A product has one such source, so that each
// answer is dated by itself.
func (r *Register) declareInstall(ctx context.Context, tx *store.Tx, who ward.Actor, d ward.Declaration) error {
	name, known, err := declarationSource(ctx, tx, d)
	if err != nil {
		return err
	}
	if !known && d.Answer != ward.RunsIt {
		return nil
	}
	v := newInventory()
	if d.Answer == ward.RunsIt {
		asset := d.Asset
		if asset == "" {
			asset = Clean(d.Vendor+" "+d.Product) + " (declared)"
		}
		v.add(Row{Asset: asset, Class: d.Class, Reachable: d.Reachable, Software: ward.Software{Vendor: d.Vendor, Product: d.Product, Version: d.Version}}, d.Org)
		v.Rows = 1
	}
	_, err = r.apply(ctx, tx, who, application{inventory: v, digest: d.ID,
		Delivery: Delivery{Org: d.Org, Source: name, Format: declared, Grade: ward.SelfDeclared, ObservedAt: d.At}})
	return err
}

// declarationSource is the name of the source of a product's declarations, and whether it exists.
func declarationSource(ctx context.Context, tx *store.Tx, d ward.Declaration) (name string, known bool, err error) {
	sources, err := tx.Sources(ctx, ward.Only(d.Org), d.Org)
	if err != nil {
		return "", false, err
	}
	earlier, err := tx.Declarations(ctx, ward.Only(d.Org), d.Org)
	if err != nil {
		return "", false, err
	}
	product := know.ProductKey(d.Vendor, d.Product)
	for _, before := range earlier {
		if know.ProductKey(before.Vendor, before.Product) != product {
			continue
		}
		name := sourceOf(before)
		for _, source := range sources {
			if source.Name == name {
				return name, true, nil
			}
		}
	}
	return sourceOf(d), false, nil
}

func sourceOf(d ward.Declaration) string {
	return declared + ": " + Clean(d.Vendor+" "+d.Product)
}
