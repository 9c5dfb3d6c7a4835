package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wardwatch/app"
)

func archiveCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "archive", Short: "Kept events: import files, check what is kept"}
	var o app.ImportEventsOptions
	importing := &cobra.Command{
		Use:   "import --org CODE FILE...",
		Short: "Put files of events straight into the archive",
		Long: `Reads events from files, folders, archives (.gz, .zip) and Windows event logs (.evtx), "-" for standard input, and keeps them
for wardwatch hunt. No server is needed; one that runs on the same data is not disturbed. The formats are recognised by
themselves; --format names one where that fails.

An event that cannot be read is counted and named, and the others are kept, however old they are. What was imported in the
last seven days is not kept twice, so an import that was broken off is made whole by doing it again.`,
		Example: `  wardwatch archive import --data /var/lib/wardwatch --org XZ1A1 /var/log/nginx/
  wardwatch archive import --org XZ1A1 security.evtx proxy.log.gz export.zip`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				o.Files, o.Err, o.Progress = args, sh.err, sh.progress("bytes")
				report, err := a.ImportEvents(cmd.Context(), o)
				if err != nil {
					return err
				}
				return sh.print(report, report.Text)
			})
		},
	}
	flags := importing.Flags()
	flags.StringVar(&o.Org, "org", "", "code of the organisation whose events they are (required)")
	flags.StringVar(&o.Format, "format", "auto", "format of the files: "+strings.Join(app.DetectFormats(), ", "))
	oneOf(importing, "format", app.DetectFormats()...)
	if err := importing.MarkFlagRequired("org"); err != nil {
		panic(err) // no such flag
	}
	cmd.AddCommand(importing, verifyCommand(sh), tidyCommand(sh), holdCommand(sh), deletionsCommand(sh))
	return cmd
}

func verifyCommand(sh *shell) *cobra.Command {
	adopt := false
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read every block and check it against its checksums and the manifest",
		Long: `Reads everything that is kept and names what is not as it was written. An index is made anew from its rows; of a block whose
rows are damaged those that can still be read are kept in a new one, and it is set aside, so that no hunt trusts it. The records of
what was deleted are held against each other and against what is there.

Objects that the manifest does not know are counted. --adopt, while no server runs, keeps those of their events that are kept
nowhere else, and removes the rest: a database that was lost or put back from before is made whole from the blocks.

It ends with 1 when something was wrong.`,
		Example: `  wardwatch archive verify --data /var/lib/wardwatch
  wardwatch archive verify --adopt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				report, err := a.VerifyArchive(cmd.Context(), adopt, sh.progress("blocks"))
				if err != nil {
					return err
				}
				err = sh.print(report, app.ArchiveReport(report))
				if err == nil && len(report.Faults) > 0 {
					err = errors.New("the archive is not as it was written")
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&adopt, "adopt", false, "keep events of blocks that the manifest does not know")
	return cmd
}

func tidyCommand(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "tidy",
		Short: "Merge small blocks, and delete what is not to be kept any longer",
		Long: `Does once what a server does by itself every minute: it merges small blocks of a day, deletes events that the configuration
does not keep any longer (archive.keep) and no hold keeps, removes objects that nobody needs, and reads through blocks that nobody
read for a month.`,
		Example: `  wardwatch archive tidy --config wardwatch.yaml`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				if err := a.TidyArchive(cmd.Context()); err != nil {
					return err
				}
				return sh.print(map[string]bool{"tidy": true}, func(w io.Writer) { fmt.Fprintln(w, "the archive is tidy") })
			})
		},
	}
}

func holdCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "hold", Short: "What must not be deleted, however long it is kept: add, list, release"}
	var o app.HoldOptions
	add := &cobra.Command{
		Use: "add --reason TEXT", Short: "Keep events from being deleted", Args: cobra.NoArgs,
		Example: `  wardwatch archive hold add --org XZ1A1 --since 2025-05-01 --until 2025-06-01 --reason "inquiry 12/25"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				h, err := a.HoldEvents(cmd.Context(), o)
				if err != nil {
					return err
				}
				return sh.print(h, func(w io.Writer) { fmt.Fprintf(w, "hold %d stands until it is released\n", h.ID) })
			})
		},
	}
	flags := add.Flags()
	flags.StringVar(&o.Org, "org", "", "only of this organisation")
	flags.StringVar(&o.Kind, "kind", "", "only of this kind: a product, service or category as rules name logs")
	flags.StringVar(&o.Since, "since", "", "only events from then on")
	flags.StringVar(&o.Until, "until", "", "only events up to then")
	flags.StringVar(&o.Reason, "reason", "", "what they are held for (required)")
	cmd.AddCommand(add, &cobra.Command{
		Use: "list", Short: "List the holds", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				all, err := a.Holds(cmd.Context())
				if err != nil {
					return err
				}
				return printEach(sh, all, "HOLD\tORGANISATION\tKIND\tEVENTS\tSET\tRELEASED\tREASON", func(h app.Hold) string {
					return fmt.Sprintf("%d\t%s\t%s\t%s to %s\t%s\t%s\t%s", h.ID, cmp.Or(string(h.Org), "all"), cmp.Or(h.Kind, "all"), shown(h.Since, "the first"), shown(h.Until, "the last"),
						shown(h.Set, ""), shown(h.Released, "no"), h.Reason)
				})
			})
		},
	}, &cobra.Command{
		Use: "release NUMBER", Short: "End a hold", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no number of a hold (wardwatch archive hold list)", args[0])
			}
			return sh.open(cmd.Context(), func(a *app.App) error {
				if err := a.ReleaseHold(cmd.Context(), id); err != nil {
					return err
				}
				return sh.print(map[string]int64{"id": id}, func(w io.Writer) { fmt.Fprintf(w, "hold %d is released\n", id) })
			})
		},
	})
	return cmd
}

// shown is a time for reading, or what stands for none.
func shown(t time.Time, none string) string {
	if t.IsZero() {
		return none
	}
	return t.Format(time.RFC3339)
}

func deletionsCommand(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "deletions",
		Short: "List what was deleted of the archive, and why",
		Long: `Lists every deletion, the oldest first. Each record is sealed with the one before it; "archive verify" checks that none was
changed or taken out, and that what was deleted is not there.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				all, err := a.Deletions(cmd.Context())
				if err != nil {
					return err
				}
				return printEach(sh, all, "AT\tORGANISATION\tEVENTS\tFROM\tTO\tGONE\tWHY", func(d app.Deletion) string {
					return fmt.Sprintf("%s\t%s\t%d\t%s\t%s\t%s\t%s", shown(d.At, ""), d.Org, d.Rows, shown(d.First, ""), shown(d.Last, ""), shown(d.Removed, "not yet"), d.Why)
				})
			})
		},
	}
}

func huntCommand(sh *shell) *cobra.Command {
	var o app.HuntOptions
	cmd := &cobra.Command{
		Use:   "hunt INDICATOR...",
		Short: "Look for indicators, by a query or by a rule in everything that is kept",
		Long: `Looks for addresses, networks, domains (and what is below them), URLs, digests, e-mail addresses and names of files in all kept
events, and prints each event that shows one. Their kind is told by their shape; they may be defanged (hxxp://files[.]bad[.]example/).
--indicators reads a file: one value a line, CSV or NDJSON with a column that says the kind.

--query asks for fields in the place of indicators: user=jane and not host=srv1, CommandLine~"-enc ", ip=203.0.113.0/24 or domain~files. NAME=VALUE is
the whole of a value and NAME~TEXT a part of it, letters large or small; user, host, ip, domain, url, hash, email and file mean such a thing in
whatever field it stands, other names a field as its log calls it; a TEXT alone stands anywhere in the event. and, or, not and brackets join them. --rule reads a
Sigma rule. What asks for a user, an address, a domain, a URL, a digest, an e-mail address or a file reads few events; else all are read.

What was searched is said on standard error: how many events, whose, and from when to when. It ends with 0 whether something was
found or not, and with 1 when a part of the archive could not be searched.`,
		Example: `  wardwatch hunt 203.0.113.7 attacker.example
  wardwatch hunt --since 30d --count --indicators campaign.csv
  wardwatch hunt --json --since 2025-05-13 'hxxps://files[.]attacker[.]example/x'
  wardwatch hunt --since 7d --query 'user=jane and not host=srv1'
  wardwatch hunt --rule webshell.yml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				o.Values, o.JSON, o.Out, o.Err, o.Progress = args, sh.json, sh.out, sh.err, sh.progress("blocks")
				return a.HuntEvents(cmd.Context(), o)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Since, "since", "", "only events from then on: a date, RFC 3339, or how long ago (7d, 12h)")
	flags.StringVar(&o.Until, "until", "", "only events up to then")
	flags.StringArrayVar(&o.Orgs, "org", nil, "only of the organisation with this code (repeatable)")
	flags.StringArrayVar(&o.Files, "indicators", nil, "file of indicators (repeatable)")
	flags.StringVar(&o.Query, "query", "", "what fields are, in the place of indicators")
	flags.StringVar(&o.Rule, "rule", "", "file of a Sigma rule, in the place of indicators")
	flags.BoolVar(&o.Count, "count", false, "print how often each was found, and no event")
	return cmd
}
