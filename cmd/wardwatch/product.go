package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"wardwatch/app"
)

func productCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "product", Short: "Products: the names under which inventories and publishers know them"}
	alias := &cobra.Command{
		Use:   "alias",
		Short: "Join two names of one product, list the joined names, and take them apart",
		Long: `A product is matched under every name that it is known to have: the spellings that rules join, a table of renamings that
are public facts, and what an analyst joins here. A name that is joined is matched anew at once, for every organisation
alike, and so is one that is taken apart.`,
	}
	cmd.AddCommand(alias)
	var as, reason string
	var all bool
	add := &cobra.Command{
		Use:     `add "VENDOR/PRODUCT" "VENDOR/PRODUCT" --reason TEXT`,
		Short:   "Say that two names are one product",
		Example: `  wardwatch product alias add "Harbour Systems/Ward Gateway" "Lantern/Edge Gateway" --reason "sold to Lantern in March, advisory LA-12"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			names := app.AliasNames{Reason: reason}
			var ok, other bool
			names.Vendor, names.Product, ok = strings.Cut(args[0], "/")
			names.OtherVendor, names.OtherProduct, other = strings.Cut(args[1], "/")
			if !ok || !other {
				return fmt.Errorf(`a name is written "VENDOR/PRODUCT", with the first slash between them`)
			}
			return sh.open(cmd.Context(), func(a *app.App) error {
				row, err := a.AddAlias(cmd.Context(), as, names)
				if err != nil {
					return err
				}
				return sh.print(row, row.Text)
			})
		},
	}
	add.Flags().StringVar(&reason, "reason", "", "what it rests on, in words")
	_ = add.MarkFlagRequired("reason")
	undo := &cobra.Command{
		Use: "undo ID", Short: "Take back that two names are one product", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				row, err := a.UndoAlias(cmd.Context(), as, args[0])
				if err != nil {
					return err
				}
				return sh.print(row, row.Text)
			})
		},
	}
	for _, c := range []*cobra.Command{add, undo} {
		c.Flags().StringVar(&as, "as", "", "the account (e-mail) that does it (default: the command line, as the system)")
	}
	list := &cobra.Command{
		Use: "list", Short: "List the names that analysts joined, and with --all also the table of public facts", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				rows, err := a.AliasRows(cmd.Context(), all)
				if err != nil {
					return err
				}
				return printEach(sh, rows, "ID\tPRODUCT\tALSO KNOWN AS\tBY\tSTATE\tREASON", func(r app.AliasRow) string {
					return strings.Join([]string{r.ID, r.Name, r.Other, r.By, r.State, r.Reason}, "\t")
				})
			})
		},
	}
	list.Flags().BoolVar(&all, "all", false, "also the renamings and spellings that the product brings with it")
	alias.AddCommand(add, undo, list)
	return cmd
}

// heldFeedCommand decides on a list that shrank too far to be taken without a person.
func heldFeedCommand(sh *shell, use, short string, release bool) *cobra.Command {
	return &cobra.Command{
		Use: use + " NAME", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				result, err := a.DecideFeed(cmd.Context(), args[0], release)
				if err != nil {
					return err
				}
				return sh.print(result, result.Text)
			})
		},
	}
}
