package main

import (
	"strings"

	"github.com/spf13/cobra"

	"wardwatch/app"
)

func detectCommand(sh *shell) *cobra.Command {
	var o app.DetectOptions
	cmd := &cobra.Command{
		Use:   "detect FILE...",
		Short: "Hold files of events against rules and indicators, without a database",
		Long: `Reads events from files, folders, archives (.gz, .zip) and Windows event logs (.evtx), "-" for standard input, and prints what
the rules and indicators see in them: how bad, what, when, where, and the fields and values that showed it. Repeats are
folded; --json prints one object for each match as it comes. Nothing is kept.

Without --rules the starter rules are used, which the program brings with it. The formats are recognised by themselves;
--format names one where that fails. An event that cannot be read is counted and named, and the others count.

It ends with 0 when it could read, whether anything was found or not, and with 2 when nothing could be read.`,
		Example: `  wardwatch detect /var/log/nginx/access.log
  wardwatch detect --rules sigma/rules --lists lists/ --stats security.evtx sysmon.zip
  wardwatch detect --rules sigma/rules --indicators campaign.csv --json events.ndjson.gz`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Files, o.JSON, o.Out, o.Err, o.Progress = args, sh.json, sh.out, sh.err, sh.progress("bytes")
			return app.Detect(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.Rules.Dirs, "rules", nil, "folder or file of Sigma rules (repeatable; default: the starter rules)")
	flags.StringArrayVar(&o.Indicators, "indicators", nil, "file of indicators: one value a line, CSV or NDJSON (repeatable)")
	flags.StringVar(&o.Format, "format", "auto", "format of the files: "+strings.Join(app.DetectFormats(), ", "))
	flags.BoolVar(&o.Stats, "stats", false, "print figures of the run to standard error")
	listsFlag(cmd, &o.Rules.Lists)
	oneOf(cmd, "format", app.DetectFormats()...)
	return cmd
}
