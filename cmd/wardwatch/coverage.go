package main

import (
	"github.com/spf13/cobra"

	"wardwatch/app"
)

func coverageCommand(sh *shell) *cobra.Command {
	var o app.CoverageOptions
	cmd := &cobra.Command{
		Use:   "coverage",
		Short: "Who sends events, how much, how late, and what of it could not be read",
		Long: `Says for each organisation what stands behind an answer that something was not seen: how many events came, when the last one did,
which sources are silent against their rhythm, how long nobody listened, what could not be read, and from when to when events are kept.
With --org every source is listed.`,
		Example: `  wardwatch coverage
  wardwatch coverage --org XZ1A1 --samples`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				all, err := a.CoverageOf(cmd.Context(), o)
				if err != nil {
					return err
				}
				return sh.print(app.CoverageJSON(all), app.CoverageText(all))
			})
		},
	}
	cmd.Flags().StringVar(&o.Org, "org", "", "only this organisation, with its sources")
	cmd.Flags().BoolVar(&o.Samples, "samples", false, "show what could not be read; that it was shown is written down")
	return cmd
}
