package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"wardwatch/app"
)

func detectionsCommand(sh *shell) *cobra.Command {
	var o app.DetectionsOptions
	cmd := &cobra.Command{
		Use:   "detections",
		Short: "List what rules and indicators saw in events as they came",
		Long: `Lists what the running server saw, the newest first: which rule or indicator, of whom, on which machine, by which values, how often,
and where the first of the events stands in the archive. wardwatch detect holds files against rules instead.`,
		Example: `  wardwatch detections --since 24h --level high
  wardwatch detections --org XZ1A1 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				all, err := a.Detections(cmd.Context(), o)
				if err != nil {
					return err
				}
				if sh.json {
					encoder := json.NewEncoder(sh.out)
					for _, d := range all {
						if err := encoder.Encode(d); err != nil {
							return err
						}
					}
					return nil
				}
				for _, d := range all {
					d.Text(sh.out)
				}
				if len(all) == 0 {
					fmt.Fprintln(sh.out, "none")
				}
				return nil
			})
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.Orgs, "org", nil, "only of the organisation with this code (repeatable)")
	flags.StringVar(&o.Since, "since", "", "only those with an event since then: a date, RFC 3339, or how long ago (7d, 12h)")
	flags.StringVar(&o.Level, "level", "", "only of this level and more urgent ones: critical, high, medium, low, informational")
	return cmd
}
