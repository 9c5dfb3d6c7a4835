package web

import (
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// mostUpload bounds an inventory that comes by a page; larger ones come by the command.
const mostUpload = 512 << 20

// recentImports is how many imports a page shows.
const recentImports = 50

func (s *Site) routesImports() {
	const path = "/organisations/{org}/imports"
	s.get(path, ward.MayImport, func(r *http.Request, who ward.Actor) (Page, error) { return s.importsPage(r, who, uploaded{}, nil) })
	s.postUpTo(path, ward.MayImport, mostUpload, s.upload)
	s.get(path+"/{import}", ward.MayImport, s.importPage)
	s.post(path+"/{import}/release", ward.MayRelease, func(r *http.Request, who ward.Actor) (string, *Page, error) {
		i, err := s.importOf(r, who)
		if err != nil {
			return "", nil, err
		}
		_, err = s.Estate.Release(r.Context(), who, i.ID)
		return importPath(i), nil, err
	})
	s.post(path+"/{import}/discard", ward.MayRelease, func(r *http.Request, who ward.Actor) (string, *Page, error) {
		i, err := s.importOf(r, who)
		if err != nil {
			return "", nil, err
		}
		_, err = s.Estate.Discard(r.Context(), who, i.ID)
		return importPath(i), nil, err
	})
}

func importPath(i ward.Import) string { return fmt.Sprintf("%s/imports/%d", orgPath(i.Org), i.ID) }

// importOf is the import that an address names, of the organisation that it names.
func (s *Site) importOf(r *http.Request, who ward.Actor) (ward.Import, error) {
	org := orgOf(r)
	id, err := strconv.ParseInt(r.PathValue("import"), 10, 64)
	if err != nil {
		return ward.Import{}, ward.ErrNotFound
	}
	i, err := s.Estate.ImportOf(r.Context(), who.Scope, ward.ImportID(id))
	if err == nil && i.Org != org {
		err = ward.ErrNotFound
	}
	return i, err
}

// uploaded is what a person said of a file, beside the file.
type uploaded struct {
	source, format, day, month, year, clock, grade string
	classes                                        []string
}

// importsData is how inventories come in.
type importsData struct {
	Lede   string
	Held   *Table
	Form   Form
	Recent Table
}

func (s *Site) importsPage(r *http.Request, who ward.Actor, u uploaded, wrong []FieldError) (Page, error) {
	ctx, org := r.Context(), orgOf(r)
	o, err := s.Estate.Organisation(ctx, who.Scope, org)
	if err != nil {
		return Page{}, err
	}
	if err := s.looked(r, who, "imports.view", string(org), org); err != nil {
		return Page{}, err
	}
	imports, err := s.Estate.Imports(ctx, who.Scope, org, recentImports)
	if err != nil {
		return Page{}, err
	}
	data := importsData{Form: s.uploadForm(org, u, wrong), Recent: importsTable("Recent imports", imports)}
	data.Recent.Empty = Empty{Text: "No inventory was delivered yet."}
	var held []ward.Import
	for _, i := range imports {
		if i.State == ward.ImportHeld {
			held = append(held, i)
		}
	}
	data.Lede = "Deliver what a tool exports. It speaks only for its own source and for the classes that you name; what it no longer lists becomes “no longer seen”, never “fixed”."
	if len(held) > 0 {
		t := importsTable("Waiting for a person", held)
		data.Held = &t
		data.Lede = capital(countWord(len(held), "import waits", "imports wait")) + " for a person to apply or discard it."
	}
	return Page{Title: "Imports of " + o.Name, Template: "imports", Current: "organisations", Failed: len(wrong) > 0, Data: data,
		Crumbs: Crumbs{{Text: "Organisations", Href: "/organisations"}, {Text: o.Name, Href: orgPath(org)}}}, nil
}

func importsTable(caption string, imports []ward.Import) Table {
	t := Table{Caption: caption, HideCaption: true, Columns: []Column{{Title: "Source"}, {Title: "Result", Tight: true}, {Title: "Observed", Tight: true}, {Title: "Received", Tight: true},
		{Title: "Rows", Right: true}, {Title: "Rejected", Right: true}, {Title: "Assets", Right: true}, {Title: "No longer seen", Right: true}}}
	for _, i := range imports {
		t.Rows = append(t.Rows, Row{Cells: []View{Link{Text: i.SourceName, Href: importPath(i), About: "import"}, importTag(i.State), Moment{i.ObservedAt}, Why{View: When{i.ReceivedAt}, Reason: "by " + i.By},
			Text(Number(i.Rows)), Text(Number(i.Rejected)), Text(Number(i.Assets)), Text(Number(i.AssetsLost))}})
	}
	return t
}

func (s *Site) uploadForm(org ward.OrgID, u uploaded, wrong []FieldError) Form {
	var classes []Choice
	for _, c := range ward.Classes {
		chosen := false
		for _, had := range u.classes {
			chosen = chosen || had == string(c)
		}
		classes = append(classes, Choice{Value: string(c), Text: capital(classesWord(c)), Chosen: chosen})
	}
	format := func(value, text string) Choice { return Choice{Value: value, Text: text, Chosen: u.format == value} }
	return Form{Action: orgPath(org) + "/imports", Multipart: true, Errors: ErrorSummary{wrong}, Fields: []View{
		FileInput{Name: "file", Label: "Inventory file", Hint: "CSV with a header row, the Microsoft Defender software inventory (CSV or JSON), CycloneDX, SPDX 2.3, osquery results or an Nmap report (XML).", Accept: ".csv,.json,.xml,.spdx,.log,.txt", Error: errorAt(wrong, "file")},
		Input{Name: "source", Label: "Source", Hint: "The same name each time, such as defender or appliance register: each delivery replaces the one before of that name.", Value: u.source, Width: 20, Error: errorAt(wrong, "source")},
		Checkboxes{Name: "classes", Legend: "What this source can see", Hint: "Every asset of these classes. Leave all empty to keep what you said last time.", Choices: classes, Error: errorAt(wrong, "classes")},
		DateInput{Name: "observed", Legend: "Taken on", Hint: "The day on which the tool looked. Leave it empty when the file says it.", Day: u.day, Month: u.month, Year: u.year, Error: errorAt(wrong, "observed-day")},
		Input{Name: "observed-time", Label: "Taken at", Hint: "In 24 hours, " + s.clock.Now().In(s.render.opts.Zone).Format("MST") + ", such as 06:00.", Value: u.clock, Width: 5, Error: errorAt(wrong, "observed-time")},
		Select{Name: "format", Label: "Format", Choices: []Choice{format("", "Find out from the file"), format("csv", "CSV"), format("defender", "Microsoft Defender"), format("cyclonedx", "CycloneDX"), format("spdx", "SPDX"), format("osquery", "osquery"), format("nmap", "Nmap")}, Error: errorAt(wrong, "format")},
		Select{Name: "grade", Label: "Where it comes from", Choices: []Choice{
			{Value: string(ward.ToolExport), Text: "Exported by a tool", Chosen: u.grade == string(ward.ToolExport)},
			{Value: string(ward.SelfDeclared), Text: "Written by people", Chosen: u.grade == string(ward.SelfDeclared)},
			{Value: string(ward.Independent), Text: "Taken by an independent party", Chosen: u.grade == string(ward.Independent)}}, Error: errorAt(wrong, "grade")},
	}, Buttons: []Button{{Text: "Deliver"}}}
}

func (s *Site) upload(r *http.Request, who ward.Actor) (string, *Page, error) {
	again := func(u uploaded, wrong []FieldError) (string, *Page, error) {
		page, err := s.importsPage(r, who, u, wrong)
		return "", &page, err
	}
	const inMemory = 8 << 20
	if err := r.ParseMultipartForm(inMemory); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return again(uploaded{}, []FieldError{{Field: "file", Text: "The file is larger than " + strconv.Itoa(mostUpload>>20) + " MB. Deliver it with the command wardwatch estate import."}})
		}
		return again(uploaded{}, []FieldError{{Field: "file", Text: "The form did not arrive whole. Choose the file and send it again."}})
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	u := uploaded{source: textOf(r, "source"), format: textOf(r, "format"), grade: textOf(r, "grade"), classes: r.PostForm["classes"],
		day: textOf(r, "observed-day"), month: textOf(r, "observed-month"), year: textOf(r, "observed-year"), clock: textOf(r, "observed-time")}
	file, header, err := r.FormFile("file")
	if err != nil {
		return again(u, []FieldError{{Field: "file", Text: "Choose the file to deliver."}})
	}
	defer func() { _ = file.Close() }()
	d, wrong := s.delivery(orgOf(r), u, file, header)
	if len(wrong) > 0 {
		return again(u, wrong)
	}
	done, err := s.Estate.Import(r.Context(), who, d)
	if err == nil || errors.Is(err, ward.ErrHeld) {
		return importPath(done), nil, nil
	}
	if wrong, err = refused(err); err != nil {
		return "", nil, err
	}
	for i := range wrong {
		switch wrong[i].Field {
		case "observed_at":
			wrong[i].Field = "observed-day"
		case "body", "":
			wrong[i].Field = "file"
		}
	}
	return again(u, wrong)
}

func (s *Site) delivery(org ward.OrgID, u uploaded, file multipart.File, header *multipart.FileHeader) (estate.Delivery, []FieldError) {
	d := estate.Delivery{Org: org, Source: u.source, Format: u.format, Grade: ward.Grade(u.grade), Body: file, Name: header.Filename}
	for _, c := range u.classes {
		d.Classes = append(d.Classes, ward.Class(c))
	}
	if u.day+u.month+u.year == "" {
		return d, nil
	}
	zone := s.render.opts.Zone
	on, err := time.ParseInLocation("2006-1-2", u.year+"-"+strings.TrimLeft(u.month, "0")+"-"+strings.TrimLeft(u.day, "0"), zone)
	if err != nil {
		return d, []FieldError{{Field: "observed-day", Text: "This is not a date. Give day, month and year as numbers, such as 14 5 2026."}}
	}
	if u.clock == "" {
		u.clock = "00:00"
	}
	clock, err := time.ParseInLocation("15:04", strings.ReplaceAll(u.clock, ".", ":"), zone)
	if err != nil {
		return d, []FieldError{{Field: "observed-time", Text: "This is not a time. Give it in 24 hours, such as 06:00."}}
	}
	d.ObservedAt = time.Date(on.Year(), on.Month(), on.Day(), clock.Hour(), clock.Minute(), 0, 0, zone)
	return d, nil
}

// importData is what one import came to.
type importData struct {
	Lede     string
	Held     *Warning
	Decide   []Form
	Facts    SummaryList
	Problems []string
	More     int
}

func (s *Site) importPage(r *http.Request, who ward.Actor) (Page, error) {
	i, err := s.importOf(r, who)
	if err != nil {
		return Page{}, err
	}
	if err := s.looked(r, who, "imports.view", string(i.Org), i.Org); err != nil {
		return Page{}, err
	}
	data := importData{Problems: i.Problems, More: i.Rejected - len(i.Problems), Lede: importLede(i)}
	data.Facts = SummaryList{[]SummaryRow{
		{Key: "Result", Value: importTag(i.State)}, {Key: "Source", Value: Text(i.SourceName)}, {Key: "Observed", Value: When{i.ObservedAt}},
		{Key: "Received", Value: Stack{When{i.ReceivedAt}, Text(" by " + i.By)}}, {Key: "Rows read", Value: Text(Number(i.Rows))}, {Key: "Rows rejected", Value: Text(Number(i.Rejected))},
		{Key: "Assets listed", Value: Text(Number(i.Assets))}, {Key: "Assets no longer seen", Value: Text(Number(i.AssetsLost))},
		{Key: "Software new on an asset", Value: Text(Number(i.Added))}, {Key: "Software no longer seen", Value: Text(Number(i.Gone))},
		{Key: "SHA-256", Value: Code(i.Digest)},
	}}
	if i.State == ward.ImportHeld {
		data.Held = &Warning{Title: fmt.Sprintf("%s would no longer be seen.", Count(i.AssetsLost, "asset")),
			Text: "That is more than a fifth of what this source listed before. A tool that lost sight looks the same as machines that are gone: find out which it is. Nothing was applied yet."}
		if who.May(ward.MayRelease) {
			data.Decide = []Form{
				{Action: importPath(i) + "/release", Buttons: []Button{{Text: "They are gone: apply it"}}},
				{Action: importPath(i) + "/discard", Buttons: []Button{{Text: "The tool lost sight: discard it", Kind: Secondary}}},
			}
		}
	}
	return Page{Title: "Import of " + i.SourceName, Template: "import", Current: "organisations", Data: data,
		Crumbs: Crumbs{{Text: "Organisations", Href: "/organisations"}, {Text: string(i.Org), Href: orgPath(i.Org)}, {Text: "Imports", Href: orgPath(i.Org) + "/imports"}}}, nil
}

func importLede(i ward.Import) string {
	bad := ""
	if i.Rejected > 0 {
		bad = fmt.Sprintf(" %s could not be read and cost nothing else.", capital(countWord(i.Rejected, "row", "rows")))
	}
	switch i.State {
	case ward.ImportHeld:
		return "This import waits for a person: it would lose more than a fifth of its source's assets." + bad
	case ward.ImportUnchanged:
		return "The same content was delivered before, so nothing changed." + bad
	case ward.ImportDiscarded:
		return "This import was discarded. Nothing of it was applied."
	}
	return fmt.Sprintf("Applied: %s, %s new and %s no longer seen.", Count(i.Assets, "asset"), Count(i.Added, "installed piece of software", "installed pieces of software"), Number(i.Gone)) + bad
}
