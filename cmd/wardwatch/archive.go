package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

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
	verify := &cobra.Command{
		Use:   "verify",
		Short: "Read every block and check it against its checksums and the manifest",
		Long: `Reads everything that is kept and names what is not as it was written. An index is made anew from its rows; of a block whose
rows are damaged those that can still be read are kept in a new one, and it is set aside, so that no hunt trusts it.

It ends with 1 when something was wrong.`,
		Example: `  wardwatch archive verify --data /var/lib/wardwatch`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				report, err := a.VerifyArchive(cmd.Context(), sh.progress("blocks"))
				if err != nil {
					return err
				}
				err = sh.print(report, func(w io.Writer) {
					for _, f := range report.Faults {
						fmt.Fprintf(w, "%s: %s; %s\n", f.Block, f.Problem, f.Done)
					}
					fmt.Fprintf(w, "%d blocks with %d events in %d bytes: %d wrong\n", report.Blocks, report.Events, report.Bytes, len(report.Faults))
				})
				if err == nil && len(report.Faults) > 0 {
					err = errors.New("the archive is not as it was written")
				}
				return err
			})
		},
	}
	cmd.AddCommand(importing, verify)
	return cmd
}

func huntCommand(sh *shell) *cobra.Command {
	var o app.HuntOptions
	cmd := &cobra.Command{
		Use:   "hunt INDICATOR...",
		Short: "Look for indicators in everything that is kept",
		Long: `Looks for addresses, networks, domains (and what is below them), URLs, digests, e-mail addresses and names of files in all kept
events, and prints each event that shows one. Their kind is told by their shape; they may be defanged (hxxp://files[.]bad[.]example/).
--indicators reads a file: one value a line, CSV or NDJSON with a column that says the kind.

What was searched is said on standard error: how many events, whose, and from when to when. It ends with 0 whether something was
found or not, and with 1 when a part of the archive could not be searched.`,
		Example: `  wardwatch hunt 203.0.113.7 attacker.example
  wardwatch hunt --since 30d --count --indicators campaign.csv
  wardwatch hunt --json --since 2025-05-13 'hxxps://files[.]attacker[.]example/x'`,
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
	flags.BoolVar(&o.Count, "count", false, "print how often each was found, and no event")
	return cmd
}
