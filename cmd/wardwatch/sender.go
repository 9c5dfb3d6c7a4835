package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"wardwatch/app"
)

func senderCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "sender", Short: "Who may send events: add, list, revoke"}
	var org, name, certificate string
	add := &cobra.Command{
		Use:   "add --org CODE --name NAME",
		Short: "Let something send events of an organisation",
		Long: `Makes a sender and prints its token, this once; with --certificate it is known by that certificate instead, and has no token.
Whose events something sends is decided by this credential alone, whatever stands in the events.`,
		Example: `  wardwatch sender add --org XZ1A1 --name "web servers"
  wardwatch sender add --org XZ1A1 --name rsyslog --certificate relay.pem`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				made, err := a.AddSender(cmd.Context(), org, name, certificate)
				if err != nil {
					return err
				}
				return sh.print(made, made.Text)
			})
		},
	}
	add.Flags().StringVar(&org, "org", "", "code of the organisation (required)")
	add.Flags().StringVar(&name, "name", "", "which machine or collector it is (required)")
	add.Flags().StringVar(&certificate, "certificate", "", "PEM file of the certificate that it shows")
	for _, flag := range []string{"org", "name"} {
		if err := add.MarkFlagRequired(flag); err != nil {
			panic(err) // no such flag
		}
	}
	cmd.AddCommand(add, &cobra.Command{
		Use: "list", Short: "List the senders", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				all, err := a.ListSenders(cmd.Context())
				if err != nil {
					return err
				}
				return printEach(sh, all, "SENDER\tORGANISATION\tNAME\tCREATED\tREVOKED", func(s app.SenderMade) string {
					revoked := "no"
					if !s.Revoked.IsZero() {
						revoked = s.Revoked.Format(time.RFC3339)
					}
					return fmt.Sprintf("%s\t%s\t%s\t%s\t%s", s.ID, s.Org, s.Name, s.Created.Format(time.RFC3339), revoked)
				})
			})
		},
	}, &cobra.Command{
		Use: "revoke SENDER", Short: "Let a sender send no more; what it sent stays", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				if err := a.RevokeSender(cmd.Context(), args[0]); err != nil {
					return err
				}
				return sh.print(map[string]string{"id": args[0]}, func(w io.Writer) { fmt.Fprintf(w, "%s may send no more\n", args[0]) })
			})
		},
	})
	return cmd
}
