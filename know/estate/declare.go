package estate

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// Declare keeps a person's answer to "Do you run PRODUCT?", signed, dated and expiring. A yes also becomes an asset with the
// product on it, by a source of its own that is graded self-declared, so that exposure and proof treat it as any other
// evidence; a later no ends that.
func (r *Register) Declare(ctx context.Context, who ward.Actor, d ward.Declaration) (ward.Declaration, error) {
	return r.declare(ctx, who, d, nil)
}

func (r *Register) declare(ctx context.Context, who ward.Actor, d ward.Declaration, appliance *ward.DeclaredAppliance) (ward.Declaration, error) {
	if err := who.NeedFor(ward.MayDeclare, d.Org); err != nil {
		return d, err
	}
	if err := tidyDeclaration(&d); err != nil {
		return d, fmt.Errorf("estate: declaration of %s: %w", d.Org, err)
	}
	if appliance != nil && d.Asset == "" {
		d.Asset = nameless(d)
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
		if err := r.declareInstall(ctx, tx, who, d, appliance); err != nil {
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

// DeclareAppliance keeps by one call that a machine runs a product: a declaration of the product, and the machine with it,
// from a source of its own that is graded self-declared, so that several machines of one product stand beside one another.
// The same name again is the same machine with what is said now.
func (r *Register) DeclareAppliance(ctx context.Context, who ward.Actor, a ward.DeclaredAppliance) (ward.Declaration, ward.Asset, error) {
	var asset ward.Asset
	d := ward.Declaration{Org: a.Org, Vendor: a.Vendor, Product: a.Product, Version: a.Version, Answer: ward.RunsIt, Asset: a.Name,
		Class: ward.Class(cmp.Or(string(a.Class), string(ward.Appliance))), Reachable: a.Reachable}
	if len(Clean(a.Site)) > mostText {
		return d, asset, &ward.Invalid{Field: "site", Problem: fmt.Sprintf("is longer than %d bytes", mostText)}
	}
	d, err := r.declare(ctx, who, d, &a)
	if err != nil {
		return d, asset, err
	}
	err = r.store.View(ctx, func(tx *store.Tx) error {
		id, err := tx.FindAsset(ctx, d.Org, strings.ToLower(d.Asset))
		if err == nil {
			asset, err = tx.Asset(ctx, who.Scope, id)
		}
		return err
	})
	return d, asset, err
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
	if d.Class != "" && !slices.Contains(ward.Classes, d.Class) {
		return &ward.Invalid{Field: "class", Problem: fmt.Sprintf("%.30q is not known", d.Class), Hint: "one of " + classNames()}
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

// declareInstall makes the declaration's sources say what the declaration says. A product has one source for its answers, and
// one for each machine of it that was declared as an appliance, so that each is dated by itself.
func (r *Register) declareInstall(ctx context.Context, tx *store.Tx, who ward.Actor, d ward.Declaration, appliance *ward.DeclaredAppliance) error {
	answer, machines, err := declarationSources(ctx, tx, d)
	if err != nil {
		return err
	}
	if d.Answer != ward.RunsIt {
		for _, name := range append(machines, answer) {
			if name == "" {
				continue
			}
			if err := r.declareList(ctx, tx, who, d, name, newInventory()); err != nil {
				return err
			}
		}
		return nil
	}
	row := Row{Asset: cmp.Or(d.Asset, nameless(d)), Class: d.Class, Reachable: d.Reachable, Software: ward.Software{Vendor: d.Vendor, Product: d.Product, Version: d.Version}}
	name := cmp.Or(answer, sourceOf(d))
	of := slices.IndexFunc(machines, func(machine string) bool { return strings.HasSuffix(machine, applianceMark+strings.ToLower(row.Asset)) })
	listed, err := listsAsset(ctx, tx, d, name, row.Asset)
	switch {
	case err != nil:
		return err
	case listed:
	case of >= 0:
		name = machines[of]
	case appliance != nil:
		name += applianceMark + strings.ToLower(row.Asset)
	}
	if appliance != nil {
		row.Site = Clean(appliance.Site)
	}
	v := newInventory()
	v.add(row, d.Org)
	v.Rows = 1
	return r.declareList(ctx, tx, who, d, name, v)
}

// declareList makes one source of declarations list what is given.
func (r *Register) declareList(ctx context.Context, tx *store.Tx, who ward.Actor, d ward.Declaration, name string, v *inventory) error {
	_, err := r.apply(ctx, tx, who, application{inventory: v, digest: d.ID,
		Delivery: Delivery{Org: d.Org, Source: name, Format: declared, Grade: ward.SelfDeclared, ObservedAt: d.At}})
	return err
}

// applianceMark stands before the machine's name in the source of a declared appliance.
const applianceMark = " on "

// nameless is what a machine is called whose name nobody gave.
func nameless(d ward.Declaration) string { return Clean(d.Vendor+" "+d.Product) + " (declared)" }

// declarationSources are the sources of a product's declarations that exist: that of its answers, under the name by which the
// product was first called, or empty, and those of machines.
func declarationSources(ctx context.Context, tx *store.Tx, d ward.Declaration) (answer string, machines []string, err error) {
	sources, err := tx.Sources(ctx, ward.Only(d.Org), d.Org)
	if err != nil {
		return "", nil, err
	}
	earlier, err := tx.Declarations(ctx, ward.Only(d.Org), d.Org)
	if err != nil {
		return "", nil, err
	}
	product := know.ProductKey(d.Vendor, d.Product)
	for _, before := range earlier {
		if know.ProductKey(before.Vendor, before.Product) != product {
			continue
		}
		name := sourceOf(before)
		for _, source := range sources {
			switch {
			case source.Name == name:
				answer = cmp.Or(answer, name)
			case strings.HasPrefix(source.Name, name+applianceMark) && !slices.Contains(machines, source.Name):
				machines = append(machines, source.Name)
			}
		}
	}
	return answer, machines, nil
}

// listsAsset reports whether a source lists an asset of that name now.
func listsAsset(ctx context.Context, tx *store.Tx, d ward.Declaration, source, name string) (bool, error) {
	known, err := tx.SourceNamed(ctx, ward.Only(d.Org), d.Org, source)
	if errors.Is(err, ward.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	listed, err := tx.Listed(ctx, known.ID)
	if err != nil {
		return false, err
	}
	id, err := tx.FindAsset(ctx, d.Org, strings.ToLower(name))
	if err != nil || id == 0 {
		return false, err
	}
	for _, one := range listed {
		if one.As == id {
			return true, nil
		}
	}
	return false, nil
}

func sourceOf(d ward.Declaration) string {
	return declared + ": " + Clean(d.Vendor+" "+d.Product)
}
