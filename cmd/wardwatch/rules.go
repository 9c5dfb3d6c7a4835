package main

import (
	"github.com/spf13/cobra"

	"wardwatch/app"
)

func rulesCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "rules", Short: "Detection rules: check that they load, and run their samples"}
	var o app.RulesOptions
	check := &cobra.Command{
		Use:   "check [DIR...]",
		Short: "Read rules and say what became of each: loaded, loaded in part or refused, and why",
		Long: `Reads Sigma rules from folders or files, without DIR the starter rules that the program brings with it. No rule is
dropped silently: one that cannot be used at all is refused, one of which a part cannot be used is loaded in part, each with
the reason. A rule that asks for a list of the organisation's own values (|expand) is refused until --lists gives it.`,
		Example: `  wardwatch rules check sigma/rules
  wardwatch rules check sigma/rules-placeholder --lists lists/ --json`,
		RunE: func(_ *cobra.Command, args []string) error {
			o.Dirs = args
			report, err := app.CheckRules(o)
			if report.Partly == nil {
				return err // nothing was read that could be reported
			}
			if printing := sh.print(report, report.Text); printing != nil {
				return printing
			}
			return err
		},
	}
	test := &cobra.Command{
		Use:   "test DIR...",
		Short: "Run the samples that stand beside rules",
		Long: `Runs the samples beside rules: NAME.true.log (or .ndjson, .evtx, any format that detect reads) beside NAME.yml must fire
with every event, or at least once where a correlation counts events; NAME.false.log must stay quiet. Folders that an
info.yml describes, as the community's rule set has them, are run as it says; its rules are those of the folders given.

It ends with 1 when a sample does not come out as it should.`,
		Example: `  wardwatch rules test my-rules
  wardwatch rules test sigma/rules sigma/regression_data --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Dirs = args
			report, err := app.TestRules(cmd.Context(), o)
			if len(report.Rules) == 0 {
				return err
			}
			if printing := sh.print(report, report.Text); printing != nil {
				return printing
			}
			return err
		},
	}
	for _, c := range []*cobra.Command{check, test} {
		listsFlag(c, &o.Lists)
	}
	cmd.AddCommand(check, test)
	return cmd
}

func listsFlag(cmd *cobra.Command, lists *[]string) {
	cmd.Flags().StringArrayVar(lists, "lists", nil, "value lists of the organisation: a folder, NAME.txt with one value a line, or YAML (repeatable)")
}
