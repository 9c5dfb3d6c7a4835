package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"wardwatch/app"
	"wardwatch/config"
)

func collectCommand(sh *shell) *cobra.Command {
	var o app.CollectOptions
	cmd := &cobra.Command{
		Use:   "collect --config FILE",
		Short: "Send what stands in files to a watch elsewhere, and what comes while it cannot be reached later",
		Long: `Follows files, over their rotation and over its own restarts, and sends their lines to a watch; standard input too, which it keeps on
disk until it is sent. A line counts as sent when the watch says that it is durable. A batch that is sent again is known as the same for
seven days. It opens no door, and nothing needs it: whatever can speak syslog or HTTP sends by itself. Never run it on a medical device.`,
		Example: `  wardwatch collect --config /etc/wardwatch/collect.yaml
  journalctl -f -o json | wardwatch collect --config collect.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.LoadCollect(sh.config, app.CollectFormats())
			if err != nil {
				return err
			}
			o.Stdin, o.Log = cmd.InOrStdin(), slog.New(slog.NewTextHandler(sh.err, nil))
			done, err := app.Collect(cmd.Context(), c, o)
			if err != nil {
				return err
			}
			return sh.print(done, func(w io.Writer) {
				fmt.Fprintf(w, "%d lines were sent", done.Sent)
				if done.Refused > 0 {
					fmt.Fprintf(w, "; %d batches could not be read by the watch, and are left out", done.Refused)
				}
				fmt.Fprintln(w)
			})
		},
	}
	cmd.Flags().BoolVar(&o.Once, "once", false, "send what is there, and end")
	return cmd
}
