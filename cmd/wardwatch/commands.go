package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wardwatch/app"
	"wardwatch/app/demo"
)

func demoCommand(sh *shell) *cobra.Command {
	var headless bool
	var listen string
	var pace time.Duration
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Start the product with a fictional federation and play its story",
		Long: `Starts the whole product on a fresh directory with 12 invented organisations, and feeds it the story of May 2025:
the advisory, the match, the alert, the answers and the evidence. Nothing of it is real, and nothing is scripted but
what goes in.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := sh.settings()
			if err != nil {
				return err
			}
			if sh.data == "" {
				c.Data = ""
			}
			if listen != "" {
				c.Listen = listen
			}
			options := demo.Options{Config: c, Pace: pace, Log: sh.log(slog.LevelWarn), Version: version, Out: sh.out}
			if !headless {
				return demo.Serve(cmd.Context(), options)
			}
			result, err := demo.Play(cmd.Context(), options)
			if err != nil {
				return err
			}
			return sh.print(result, result.Text)
		},
	}
	cmd.Flags().BoolVar(&headless, "headless", false, "play the story on a simulated clock, print what came of it, and end")
	cmd.Flags().StringVar(&listen, "listen", "", "address to serve on (default 127.0.0.1:8080)")
	cmd.Flags().DurationVar(&pace, "pace", 4*time.Second, "how long a step of the story stands before the next")
	return cmd
}

func serveCommand(sh *shell) *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the pages and the API, and run the watch",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := sh.settings()
			if err != nil {
				return err
			}
			if listen != "" {
				c.Listen = listen
			}
			a, err := app.New(cmd.Context(), c, app.Options{Log: sh.log(slog.LevelInfo), Version: version})
			if err != nil {
				return err
			}
			defer a.Close()
			email, password, created, err := a.FirstAdmin(cmd.Context())
			if err != nil {
				return err
			}
			if created {
				fmt.Fprintf(sh.out, "First start. Sign in as %s with the one-time password %s and choose your own.\n", email, password)
			}
			return a.Run(cmd.Context(), func(address string) {
				for _, name := range slices.Sorted(maps.Keys(a.Ears)) {
					fmt.Fprintf(sh.out, "Taking events in at %s (%s).\n", a.Ears[name], name)
				}
				fmt.Fprintf(sh.out, "Serving %s (data in %s). Stop with Ctrl-C.\n", address, c.Data)
			})
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "address to serve on (default 127.0.0.1:8080)")
	return cmd
}

func orgCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "org", Short: "Organisations: import and list"}
	cmd.AddCommand(&cobra.Command{
		Use:   "import PATH...",
		Short: "Import organisations, sites and relations (ODS files, or a directory of them)",
		Long: `Imports CSV files, each known by its header row:
  organisations   ods_code, name; where known town, postcode, country, icb_code, region_code, latitude, longitude
  sites           ods_code, name, parent_ods_code; where known postcode, latitude, longitude
  relations       from, kind (group, board, hosts, operates_for, supplier, successor), to; where known since, until
or the Organisation Data Service's own files of 27 columns, which have no header.`,
		Example: `  wardwatch org import organisations.csv sites.csv relations.csv`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				report, err := a.ImportOrganisations(cmd.Context(), args)
				if err != nil {
					return err
				}
				return sh.print(report, report.Text)
			})
		},
	}, &cobra.Command{
		Use:   "list",
		Short: "List the organisations",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				all, err := a.Organisations(cmd.Context())
				if err != nil {
					return err
				}
				return printEach(sh, all, "CODE\tNAME\tREGION", func(o app.OrganisationRow) string {
					return o.Code + "\t" + o.Name + "\t" + o.Region
				})
			})
		},
	})
	return cmd
}

func estateCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "estate", Short: "Inventories: import, and decide on those that are held"}
	var d app.EstateDelivery
	var observed string
	var mapping []string
	imports := &cobra.Command{
		Use:   "import --org CODE --source NAME FILE",
		Short: "Import an inventory of one organisation from one named source",
		Long: `Imports what one source saw. The import speaks for its own source and the classes that it covers, and for nothing
else: what it no longer lists becomes "no longer seen", never "fixed". An import that loses more than a fifth of its
source's assets is held until a person releases it. The same file twice changes nothing.`,
		Example: `  wardwatch estate import --org XZ1A1 --source "appliance register" --classes appliance,mobile_management estate.csv`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, name, changed, err := input(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			d.Name, d.Body = name, file
			if d.ObservedAt, err = moment(observed, changed); err != nil {
				return err
			}
			if d.Mapping, err = pairs(mapping); err != nil {
				return err
			}
			if progress := sh.progress("rows"); progress != nil {
				d.Progress = func(rows int) { progress(int64(rows), -1) }
			}
			return sh.open(cmd.Context(), func(a *app.App) error {
				result, err := a.ImportEstate(cmd.Context(), d)
				if err != nil {
					return err
				}
				return sh.print(result, result.Text)
			})
		},
	}
	flags := imports.Flags()
	flags.StringVar(&d.Org, "org", "", "organisation (ODS code)")
	flags.StringVar(&d.Source, "source", "", `name of the source, such as "defender"`)
	flags.StringVar(&d.Format, "format", "auto", "auto, csv, defender, intune, sccm, medical, nessus, cyclonedx, spdx, osquery or nmap")
	flags.StringSliceVar(&d.Classes, "classes", nil, "asset classes that the source can see (default: those of the format, or of the rows)")
	flags.StringVar(&d.Grade, "grade", "", "self-declared, tool export or independent (default: tool export)")
	flags.StringVar(&observed, "observed", "", "when the inventory was taken, 2025-05-13T09:00:00Z (default: when the file was last changed)")
	flags.StringArrayVar(&mapping, "map", nil, `header mapping FIELD=HEADER, kept for the source, such as --map "asset=Host name"`)
	oneOf(imports, "format", "auto", "csv", "defender", "intune", "sccm", "medical", "nessus", "cyclonedx", "spdx", "osquery", "nmap")
	oneOf(imports, "grade", "self-declared", "tool export", "independent")
	_ = imports.MarkFlagRequired("org")
	_ = imports.MarkFlagRequired("source")

	decide := func(use, short string, release bool) *cobra.Command {
		return &cobra.Command{
			Use: use + " ID", Short: short, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return sh.open(cmd.Context(), func(a *app.App) error {
					result, err := a.DecideImport(cmd.Context(), args[0], release)
					if err != nil {
						return err
					}
					return sh.print(result, result.Text)
				})
			},
		}
	}
	var appliance app.Appliance
	declare := &cobra.Command{
		Use:   "appliance --org CODE --product NAME --version VERSION",
		Short: "Declare a machine by hand, with what runs on it",
		Long: `Keeps that a machine runs a product, as the organisation's own word: graded self-declared, and to be said again after
90 days. The same name again is the same machine with what is said now.`,
		Example: `  wardwatch estate appliance --org XZ1A1 --vendor Fortinet --product FortiOS --version 7.4.7 --name fw-1 --internet-facing yes`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				result, err := a.DeclareAppliance(cmd.Context(), appliance)
				if err != nil {
					return err
				}
				return sh.print(result, result.Text)
			})
		},
	}
	said := declare.Flags()
	said.StringVar(&appliance.Org, "org", "", "organisation (ODS code)")
	said.StringVar(&appliance.Vendor, "vendor", "", "who makes the product")
	said.StringVar(&appliance.Product, "product", "", "the product")
	said.StringVar(&appliance.Version, "version", "", "its version, such as 7.4.7")
	said.StringVar(&appliance.Name, "name", "", "how you call the machine (default: made from the product)")
	said.StringVar(&appliance.Class, "class", "appliance", "its class")
	said.StringVar(&appliance.InternetFacing, "internet-facing", "", "yes or no (default: not known)")
	said.StringVar(&appliance.Site, "site", "", "where it stands")
	oneOf(declare, "internet-facing", "yes", "no")
	for _, name := range []string{"org", "product", "version"} {
		_ = declare.MarkFlagRequired(name)
	}
	cmd.AddCommand(declare, imports, decide("release", "Apply an import that was held", true), decide("discard", "Drop an import that was held", false))
	return cmd
}

func feedCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "feed", Short: "What publishers say: synchronise, and see how each feed stands"}
	var from string
	sync := &cobra.Command{
		Use:   "sync [NAME...]",
		Short: "Read feeds from their publishers, or from a file, directory or archive",
		Long: `Reads csaf, cve, epss, kev, nvd, openvex, osv and overrides, all or those named, each from its own location, and merges what is
new. A location of csaf may be a provider's metadata, a ROLIE feed or a directory's changes.csv: only advisories that
have changed since are fetched.`,
		Example: `  wardwatch feed sync kev epss
  wardwatch feed sync --from ./downloads`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				result, err := a.SyncFeeds(cmd.Context(), args, from, sh.progress("records"))
				if err != nil {
					return err
				}
				return errors.Join(sh.print(result, result.Text), result.Failed())
			})
		},
	}
	sync.Flags().StringVar(&from, "from", "", "path or URL to read instead of the publishers' own")
	cmd.AddCommand(sync, heldFeedCommand(sh, "release", "Let a list that lost more than half take the place of the one before, and read it again", true),
		heldFeedCommand(sh, "discard", "Leave what stood before a list lost more than half", false), &cobra.Command{
			Use:   "list",
			Short: "How each feed stands",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return sh.open(cmd.Context(), func(a *app.App) error {
					feeds, err := a.FeedRows(cmd.Context())
					if err != nil {
						return err
					}
					return printEach(sh, feeds, "FEED\tRECORDS\tREJECTED\tLAST SUCCESS\tSTATE", func(f app.FeedRow) string {
						return fmt.Sprintf("%s\t%d\t%d\t%s\t%s", f.Name, f.Records, f.Rejected, f.Succeeded, f.State)
					})
				})
			},
		})
	return cmd
}

func matchCommand(sh *shell) *cobra.Command {
	var o app.MatchOptions
	cmd := &cobra.Command{
		Use:   "match --intel PATH... --inventory PATH",
		Short: "Match an inventory with published weaknesses, without a database",
		Long: `Reads publishers' files and one inventory, and prints one line for each pair of asset and weakness whose product
matches: status, fixed version, and a sentence that you can check. Nothing is kept.`,
		Example: `  wardwatch match --intel kev.json --intel cves/ --inventory estate.csv
  wardwatch match --intel nvd/ --inventory cpes.txt --format cpe-list --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.JSON, o.Out, o.Err = sh.json, sh.out, sh.err
			return app.Match(cmd.Context(), o)
		},
	}
	cmd.Flags().StringArrayVar(&o.Intel, "intel", nil, "file, directory, archive or URL of KEV, EPSS, NVD, CVE, CSAF, OSV or OpenVEX records (repeatable)")
	cmd.Flags().StringVar(&o.Inventory, "inventory", "", "inventory file")
	cmd.Flags().StringVar(&o.Format, "format", "auto", "auto, csv, defender, intune, sccm, medical, nessus, cyclonedx, spdx, osquery, nmap or cpe-list")
	cmd.Flags().BoolVar(&o.Together, "together", false, "take every line as installed on one asset, so that \"running on\" is decided by all of them")
	oneOf(cmd, "format", "auto", "csv", "defender", "intune", "sccm", "medical", "nessus", "cyclonedx", "spdx", "osquery", "nmap", "cpe-list")
	_ = cmd.MarkFlagRequired("intel")
	_ = cmd.MarkFlagRequired("inventory")
	return cmd
}

func userCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Accounts"}
	var p app.NewPerson
	add := &cobra.Command{
		Use: "add --email ADDRESS --name NAME --role ROLE", Short: "Make an account with a one-time password", Args: cobra.NoArgs,
		Example: `  wardwatch user add --email lead@harbour.example --name "Ada Example" --role lead --org XZ1A1`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				made, err := a.AddPerson(cmd.Context(), p)
				if err != nil {
					return err
				}
				return sh.print(made, made.Text)
			})
		},
	}
	flags := add.Flags()
	flags.StringVar(&p.Email, "email", "", "sign-in name")
	flags.StringVar(&p.Name, "name", "", "name as shown beside what the person does")
	flags.StringVar(&p.Role, "role", "", "analyst, approver, lead, member, reader or admin")
	flags.StringVar(&p.Org, "org", "", "organisation (not for the national watch)")
	oneOf(add, "role", "analyst", "approver", "lead", "member", "reader", "admin")
	for _, flag := range []string{"email", "name", "role"} {
		_ = add.MarkFlagRequired(flag)
	}
	var email string
	reset := &cobra.Command{
		Use: "reset --email ADDRESS", Short: "Give an account a new one-time password, and end its sessions", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				made, err := a.ResetPassword(cmd.Context(), email)
				if err != nil {
					return err
				}
				return sh.print(made, made.Text)
			})
		},
	}
	reset.Flags().StringVar(&email, "email", "", "sign-in name of the account")
	_ = reset.MarkFlagRequired("email")
	cmd.AddCommand(add, reset)
	return cmd
}

func tokenCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "API tokens"}
	var email, name string
	var days int
	add := &cobra.Command{
		Use: "add --user ADDRESS --name NAME", Short: "Make an API token; it is shown once", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				made, err := a.AddToken(cmd.Context(), email, name, time.Duration(days)*24*time.Hour)
				if err != nil {
					return err
				}
				return sh.print(made, made.Text)
			})
		},
	}
	add.Flags().StringVar(&email, "user", "", "the account (e-mail) that the token acts as")
	add.Flags().StringVar(&name, "name", "", "what it is for")
	add.Flags().IntVar(&days, "days", 90, "days until it expires")
	_ = add.MarkFlagRequired("user")
	_ = add.MarkFlagRequired("name")
	cmd.AddCommand(add)
	return cmd
}

func doctorCommand(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Check the installation, and say what to do about what is wrong", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := sh.settings()
			if err != nil {
				return err
			}
			checks := app.Doctor(cmd.Context(), c)
			if err := printEach(sh, checks, "CHECK\tRESULT\tWHAT TO DO", func(k app.Check) string {
				return k.Name + "\t" + k.Result + "\t" + k.Do
			}); err != nil {
				return err
			}
			for _, check := range checks {
				if !check.Passed {
					return errors.New("doctor: something needs attention (above)")
				}
			}
			return nil
		},
	}
}

// moment reads a time; empty is other.
func moment(text string, other time.Time) (time.Time, error) {
	if text == "" {
		return other, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time: write 2025-05-13T09:00:00Z", text)
}

// pairs reads FIELD=HEADER arguments.
func pairs(args []string) (map[string]string, error) {
	if len(args) == 0 {
		return nil, nil
	}
	m := make(map[string]string, len(args))
	for _, arg := range args {
		field, header, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not a mapping: write FIELD=HEADER", arg)
		}
		m[field] = header
	}
	return m, nil
}
