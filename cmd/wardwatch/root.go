package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"wardwatch/app"
	"wardwatch/config"
)

// shell is what every command has: the flags that all share, and where it prints.
type shell struct {
	data   string
	config string
	json   bool
	out    io.Writer
	err    io.Writer
}

func newRoot() *cobra.Command {
	sh := &shell{}
	root := &cobra.Command{
		Use:   "wardwatch",
		Short: "The watch room of a health service: know, watch, act",
		Long: `Wardwatch knows what every organisation runs, matches it with published weaknesses, alerts the right
people, and follows each answer until evidence confirms the fix.

Try it:   wardwatch demo
Run it:   wardwatch serve --data /var/lib/wardwatch`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRun: func(cmd *cobra.Command, _ []string) {
			sh.out, sh.err = cmd.OutOrStdout(), cmd.ErrOrStderr()
		},
	}
	root.SetFlagErrorFunc(usage)
	root.SetVersionTemplate("wardwatch {{.Version}}\n")
	flags := root.PersistentFlags()
	flags.StringVar(&sh.data, "data", "", "directory of the database (default: data, or what the configuration says)")
	flags.StringVar(&sh.config, "config", "", "configuration file (YAML)")
	flags.BoolVar(&sh.json, "json", false, "print JSON")
	root.AddCommand(
		demoCommand(sh), serveCommand(sh), orgCommand(sh), estateCommand(sh), feedCommand(sh), productCommand(sh), matchCommand(sh), detectCommand(sh), detectionsCommand(sh), coverageCommand(sh), rulesCommand(sh),
		archiveCommand(sh), huntCommand(sh), senderCommand(sh), collectCommand(sh),
		alertCommand(sh), userCommand(sh), tokenCommand(sh), bounceCommand(sh), doctorCommand(sh), versionCommand(sh),
	)
	explain(root)
	return root
}

// usage is an error in how a command was typed, with where to read how it is.
func usage(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())
}

// explain makes every command below cmd answer what was typed wrongly with its help, and a group of commands refuse a name
// that is none of its own instead of printing its help as if all were well.
func explain(cmd *cobra.Command) {
	if args := cmd.Args; args != nil {
		cmd.Args = func(cmd *cobra.Command, given []string) error { return usage(cmd, args(cmd, given)) }
	}
	if !cmd.Runnable() {
		cmd.Args = func(cmd *cobra.Command, given []string) error {
			if len(given) == 0 {
				return nil
			}
			return usage(cmd, fmt.Errorf("unknown command %q for %q", given[0], cmd.CommandPath()))
		}
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := cmd.ValidateRequiredFlags(); err != nil {
			return usage(cmd, err)
		}
		return usage(cmd, cmd.ValidateFlagGroups())
	}
	for _, child := range cmd.Commands() {
		explain(child)
	}
}

// oneOf completes a flag with the values that it can have.
func oneOf(cmd *cobra.Command, flag string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // no such flag
	}
}

// exitCode is 2 for input that could not be used at all, else 1.
func exitCode(err error) int {
	if errors.Is(err, app.ErrNothingRead) {
		return 2
	}
	return 1
}

// settings are the configuration with the flags over it.
func (sh *shell) settings() (config.Config, error) {
	c, err := config.Load(sh.config)
	if err != nil {
		return c, err
	}
	if sh.data != "" {
		c.Data = sh.data
	}
	return c, nil
}

// open opens the data directory for one command, and do works on it.
func (sh *shell) open(ctx context.Context, do func(*app.App) error) (err error) {
	c, err := sh.settings()
	if err != nil {
		return err
	}
	a, err := app.New(ctx, c, app.Options{Log: sh.log(slog.LevelWarn), Version: version})
	if err != nil {
		return err
	}
	defer func() {
		if closing := a.Close(); err == nil {
			err = closing
		}
	}()
	return do(a)
}

func (sh *shell) log(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(sh.err, &slog.HandlerOptions{Level: level}))
}

// print writes v as JSON when asked to, else what text writes.
func (sh *shell) print(v any, text func(w io.Writer)) error {
	if !sh.json {
		text(sh.out)
		return nil
	}
	return json.NewEncoder(sh.out).Encode(v)
}

// printEach writes a list: with --json one object a line, else a table with a head.
func printEach[T any](sh *shell, items []T, head string, row func(T) string) error {
	if sh.json {
		encoder := json.NewEncoder(sh.out)
		for _, item := range items {
			if err := encoder.Encode(item); err != nil {
				return err
			}
		}
		return nil
	}
	if len(items) == 0 {
		fmt.Fprintln(sh.out, "none")
		return nil
	}
	w := table(sh.out)
	fmt.Fprintln(w, head)
	for _, item := range items {
		fmt.Fprintln(w, row(item))
	}
	return w.Flush()
}

// progress draws a bar on stderr, and only on a terminal. total may be unknown (-1).
func (sh *shell) progress(what string) func(done, total int64) {
	f, ok := sh.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetDescription(what), progressbar.OptionSetWriter(f),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100_000_000))
	return func(done, total int64) {
		if total > 0 {
			bar.ChangeMax64(total)
		}
		_ = bar.Set64(done)
	}
}

// input opens a file and tells its name and when it was last changed; "-" is standard input, which is of now.
func input(path string) (file io.ReadCloser, name string, changed time.Time, err error) {
	if path == "-" {
		return io.NopCloser(os.Stdin), "standard input", time.Now().UTC(), nil
	}
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, "", time.Time{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, "", time.Time{}, errors.Join(err, f.Close())
	}
	return f, filepath.Base(path), info.ModTime().UTC(), nil
}
