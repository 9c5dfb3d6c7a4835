package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"wardwatch/app"
)

func bounceCommand(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "bounce",
		Short: "Read a mail server's report of what bounced from standard input",
		Long: `Reads one message, as a mail server pipes it: a delivery status notification (RFC 3464) about a message that this
product sent marks that delivery as bounced or delivered. Other mail is left alone.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				result, err := a.Bounce(cmd.Context(), cmd.InOrStdin())
				if err != nil {
					return err
				}
				return sh.print(result, func(w io.Writer) { fmt.Fprintln(w, result.Words) })
			})
		},
	}
}
