package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"wardwatch/app"
)

func versionCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version; or compare versions of other software", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return sh.print(map[string]string{"version": version}, func(w io.Writer) { fmt.Fprintln(w, "wardwatch", version) })
		},
	}
	cmd.AddCommand(compareCommand(sh), casesCommand(sh))
	return cmd
}

func compareCommand(sh *shell) *cobra.Command {
	var scheme string
	cmd := &cobra.Command{
		Use: "compare --scheme NAME A B", Short: "Print <, = or > between two versions", Args: cobra.ExactArgs(2),
		Example: "  wardwatch version compare --scheme deb 1.0~rc1 1.0",
		RunE: func(_ *cobra.Command, args []string) error {
			order, err := app.CompareVersions(scheme, args[0], args[1])
			if err != nil {
				return err
			}
			result := map[string]string{"scheme": scheme, "a": args[0], "b": args[1], "order": order}
			return sh.print(result, func(w io.Writer) { fmt.Fprintln(w, order) })
		},
	}
	schemeFlag(cmd, &scheme)
	return cmd
}

func casesCommand(sh *shell) *cobra.Command {
	var scheme string
	cmd := &cobra.Command{
		Use: "cases --scheme NAME FILE", Short: "Check a file of lines such as \"A < B\", and print those that do not hold", Args: cobra.ExactArgs(1),
		Long: `Reads one comparison a line, "A < B", "A = B" or "A > B", and prints each that does not hold and, last, how many hold. Lines
that are empty or begin with # or // are passed over. FILE may be - for standard input. Exits with 1 where one does not hold.`,
		RunE: func(_ *cobra.Command, args []string) error {
			file, _, _, err := input(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			result, err := app.CheckVersionCases(scheme, file)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err := sh.print(result, result.Text); err != nil {
				return err
			}
			if len(result.Failed) > 0 {
				return errPrinted
			}
			return nil
		},
	}
	schemeFlag(cmd, &scheme)
	return cmd
}

func schemeFlag(cmd *cobra.Command, scheme *string) {
	cmd.Flags().StringVar(scheme, "scheme", "", "whose order: "+app.VersionSchemes())
	oneOf(cmd, "scheme", strings.Split(app.VersionSchemes(), ", ")...)
	_ = cmd.MarkFlagRequired("scheme")
}
