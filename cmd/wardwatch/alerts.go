package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"wardwatch/app"
)

// acting does something to an alert for a command that prints it afterwards.
type acting func(context.Context, *app.App) (app.AlertView, error)

// runner opens the data directory and runs what a command does to an alert.
type runner func(cmd *cobra.Command, do acting) error

func alertCommand(sh *shell) *cobra.Command {
	cmd := &cobra.Command{Use: "alert", Short: "Alerts: draft, approve, publish, revise, withdraw, answer"}
	var as string
	cmd.PersistentFlags().StringVar(&as, "as", "", "the account (e-mail) that does it; two people are needed to draft and to approve")
	act := func(cmd *cobra.Command, do acting) error {
		return sh.open(cmd.Context(), func(a *app.App) error {
			view, err := do(cmd.Context(), a)
			if err != nil {
				return err
			}
			return sh.print(view, view.Text)
		})
	}
	var draft app.AlertDraft
	drafting := &cobra.Command{
		Use:   "draft",
		Short: "Draft an alert from a finding, from a weakness, or from nothing",
		Example: `  wardwatch alert draft --as analyst@watch.example --cve CVE-2025-4427
  wardwatch alert draft --as analyst@watch.example --title "Patch the gateway" --severity High`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return act(cmd, func(ctx context.Context, a *app.App) (app.AlertView, error) { return a.DraftAlert(ctx, as, draft) })
		},
	}
	flags := drafting.Flags()
	flags.StringVar(&draft.Finding, "finding", "", "draft from this finding")
	flags.StringArrayVar(&draft.CVEs, "cve", nil, "draft from this weakness (repeatable)")
	flags.StringVar(&draft.Template, "template", "", "draft from this kept draft")
	flags.StringVar(&draft.Policy, "policy", "", "whose clocks it has (see: wardwatch alert policies)")
	flags.StringVar(&draft.Supersedes, "supersedes", "", "the alert whose place it takes when it is published")
	draftWords(flags, &draft)

	var sending app.Sending
	var passwordStdin bool
	audience := func(flags *pflag.FlagSet) {
		flags.StringSliceVar(&sending.To, "to", nil, "organisation codes that must answer (default: all)")
		flags.StringSliceVar(&sending.Inform, "inform", nil, "organisation codes that read it and owe nothing")
	}
	publish := &cobra.Command{
		Use: "publish ID", Short: "Publish an approved alert to all organisations, or to those named", Args: cobra.ExactArgs(1),
		Long: `Publishes an alert that a second person approved. In an emergency, with one person awake, --alone publishes a draft:
it needs a reason and the account's password, everybody at the desk is told, and a second approval is owed within 4 hours.`,
		Example: `  wardwatch alert publish CC-0001 --as approver@watch.example --inform XZ9
  wardwatch alert publish CC-0001 --as approver@watch.example --alone --reason "exploited now, nobody else answers"`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if sending.Alone {
				if sending.Password, err = sh.password(cmd, passwordStdin); err != nil {
					return err
				}
			}
			return act(cmd, func(ctx context.Context, a *app.App) (app.AlertView, error) {
				return a.PublishAlert(ctx, as, args[0], sending)
			})
		},
	}
	audience(publish.Flags())
	publish.Flags().BoolVar(&sending.Alone, "alone", false, "publish without a second person, in an emergency")
	publish.Flags().StringVar(&sending.Reason, "reason", "", "why it cannot wait for a second person")
	publish.Flags().BoolVar(&passwordStdin, "password-stdin", false, "read the password from standard input")
	preview := &cobra.Command{
		Use: "preview ID", Short: "Say who would be told what, and by which channel", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				rows, err := a.PreviewAlert(cmd.Context(), as, args[0], sending)
				if err != nil {
					return err
				}
				return printEach(sh, rows, "ORG\tPART\tKNOWN\tTOLD", func(r app.ToldRow) string {
					return strings.Join([]string{r.Org, r.Part, r.Known, strings.Join(append([]string{"inbox"}, r.To...), ", ")}, "\t")
				})
			})
		},
	}
	audience(preview.Flags())

	var answer app.AlertAnswer
	var at, until string
	answering := &cobra.Command{
		Use:   "answer ID --org CODE",
		Short: "Answer for an organisation: acknowledge, applicability, progress, claim fixed, dispute, compromise check, close",
		Example: `  wardwatch alert answer CC-0001 --as lead@harbour.example --org XZ1A1 --acknowledge
  wardwatch alert answer CC-0001 --as lead@harbour.example --org XZ1A1 --fixed-at 2025-05-14T18:00:00Z --words "updated to 12.5.0.1"
  wardwatch alert answer CC-0001 --as lead@harbour.example --org XZ1A1 --outcome controlled --control isolated --what "cut off by VLAN" \
    --owner "Lee Smith" --evidence "change 4711" --until 2025-08-01T00:00:00Z
  wardwatch alert answer CC-0001 --as analyst@watch.example --org XZ1A1 --acknowledge --speaker "Pat Doe, site manager" --number "01632 960123"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if at != "" {
				if answer.FixedAt, err = moment(at, time.Time{}); err != nil {
					return err
				}
			}
			if until != "" {
				if answer.Until, err = moment(until, time.Time{}); err != nil {
					return err
				}
			}
			return act(cmd, func(ctx context.Context, a *app.App) (app.AlertView, error) {
				return a.AnswerAlert(ctx, as, args[0], answer)
			})
		},
	}
	flags = answering.Flags()
	flags.StringVar(&answer.Org, "org", "", "organisation that answers")
	flags.BoolVar(&answer.Acknowledge, "acknowledge", false, "acknowledge")
	flags.StringVar(&answer.Applies, "applies", "", "yes, partly, no, hosted or not_run")
	flags.StringVar(&at, "fixed-at", "", "claim that it is fixed since this time")
	flags.BoolVar(&answer.Dispute, "dispute", false, "contest the match; say why in --words")
	flags.StringVar(&answer.Host, "host", "", "with --applies hosted: code of the organisation that runs it")
	flags.IntVar(&answer.Affected, "affected", -1, "how many systems are affected")
	flags.IntVar(&answer.Done, "done", -1, "how many of them are done")
	flags.StringVar(&answer.Blocker, "blocker", "", "what holds it up")
	flags.StringVar(&answer.Help, "help-wanted", "", "help wanted from the national desk")
	flags.StringVar(&answer.Check, "check", "", "sign the compromise check: no_evidence, evidence_found or cannot_determine")
	flags.StringVar(&answer.Coverage, "coverage", "", "with --check: which logs were searched, from when, and which were not there")
	flags.BoolVar(&answer.Close, "close", false, "close, as what was answered before")
	flags.StringVar(&answer.Outcome, "outcome", "", "close as fixed, fixed_with_residual, controlled, accepted, not_applicable or hosted")
	flags.StringVar(&until, "until", "", "date of a control, an accepted risk or what is left")
	flags.StringVar((*string)(&answer.Control.Kind), "control", "", "controlled: mitigated, isolated or awaiting_manufacturer")
	flags.StringVar(&answer.Control.What, "what", "", "controlled: what keeps the weakness from being used")
	flags.StringVar(&answer.Control.Owner, "owner", "", "controlled: who looks after the control")
	flags.StringVar(&answer.Control.Evidence, "evidence", "", "controlled: what shows that it works")
	flags.StringVar(&answer.Acceptance.Officer, "officer", "", "accepted: the senior information risk owner")
	flags.StringVar(&answer.Acceptance.Reason, "reason", "", "accepted: why the risk is taken")
	flags.StringArrayVar(&answer.Left, "left", nil, `fixed_with_residual: "asset: reason" (repeatable)`)
	flags.StringVar(&answer.Speaker, "speaker", "", "record what this person (name and post) said by telephone")
	flags.StringVar(&answer.Number, "number", "", "the number that you called back")
	flags.StringVar(&answer.Words, "words", "", "what to say")
	_ = answering.MarkFlagRequired("org")
	oneOf(answering, "applies", "yes", "partly", "no", "hosted", "not_run")
	oneOf(answering, "check", "no_evidence", "evidence_found", "cannot_determine")
	oneOf(answering, "outcome", "fixed", "fixed_with_residual", "controlled", "accepted", "not_applicable", "hosted")
	oneOf(answering, "control", "mitigated", "isolated", "awaiting_manufacturer")

	var state string
	list := &cobra.Command{
		Use: "list", Short: "List alerts", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				alerts, err := a.AlertRows(cmd.Context(), as, state)
				if err != nil {
					return err
				}
				return printEach(sh, alerts, "ID\tSEVERITY\tSTATE\tISSUED\tTITLE", func(r app.AlertRow) string {
					return strings.Join([]string{r.ID, r.Severity, r.State, r.Issued, r.Title}, "\t")
				})
			})
		},
	}
	list.Flags().StringVar(&state, "state", "", "draft, approved, published, closed, withdrawn or superseded")
	oneOf(list, "state", "draft", "approved", "published", "closed", "withdrawn", "superseded")
	cmd.AddCommand(clocksCommand(act, &as), reviseCommand(sh, &as), revisionCommand(sh, act, &as), editionsCommand(sh, &as), policiesCommand(sh), templateCommand(sh, &as))
	cmd.AddCommand(drafting, preview, publish, answering, list, withdrawCommand(act, &as),
		&cobra.Command{
			Use: "show ID", Short: "Show an alert and where each organisation stands", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return act(cmd, func(ctx context.Context, a *app.App) (app.AlertView, error) { return a.ShowAlert(ctx, as, args[0]) })
			},
		},
		&cobra.Command{
			Use: "approve ID", Short: "Approve an alert that another drafted", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return act(cmd, func(ctx context.Context, a *app.App) (app.AlertView, error) { return a.ApproveAlert(ctx, as, args[0]) })
			},
		},
		&cobra.Command{
			Use: "countersign ID", Short: "Give the second approval of an alert that another published alone", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return act(cmd, func(ctx context.Context, a *app.App) (app.AlertView, error) {
					return a.CountersignAlert(ctx, as, args[0])
				})
			},
		},
		&cobra.Command{
			Use: "close ID", Short: "Close an alert that is done with", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return act(cmd, func(ctx context.Context, a *app.App) (app.AlertView, error) { return a.CloseAlert(ctx, as, args[0]) })
			},
		})
	return cmd
}

// draftWords are the flags of what a person writes of an alert.
func draftWords(flags *pflag.FlagSet, draft *app.AlertDraft) {
	flags.StringVar(&draft.Title, "title", "", "title")
	flags.StringVar(&draft.Summary, "summary", "", "what it is, in plain words")
	flags.StringVar(&draft.Severity, "severity", "", "High, Medium, Low or Information only")
	flags.StringVar(&draft.Vendor, "vendor", "", "vendor of the product it is about")
	flags.StringVar(&draft.Product, "product", "", "the product it is about")
	flags.StringArrayVar(&draft.Steps, "step", nil, `remediation step "Patch: update to 12.5.0.1" (repeatable; Patch, Guidance, Action, Aware)`)
	flags.StringVar(&draft.TLP, "tlp", "", "TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT or TLP:RED")
}

func clocksCommand(act runner, as *string) *cobra.Command {
	var clocks app.AlertClocks
	var by string
	cmd := &cobra.Command{
		Use: "clocks ID", Short: "Change the clocks of an alert before it is published, as its approver", Args: cobra.ExactArgs(1),
		Example: `  wardwatch alert clocks CC-0001 --as approver@watch.example --acknowledge-within 24h --why "exploited in the last hour"`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if by != "" {
				if clocks.RemediateBy, err = moment(by, time.Time{}); err != nil {
					return err
				}
			}
			return act(cmd, func(ctx context.Context, a *app.App) (app.AlertView, error) {
				return a.SetAlertClocks(ctx, *as, args[0], clocks)
			})
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&clocks.AcknowledgeWithin, "acknowledge-within", 0, "from issue (default: as the policy says)")
	flags.DurationVar(&clocks.UpdateEvery, "update-every", 0, "from acknowledgement (default: as the policy says)")
	flags.StringVar(&by, "remediate-by", "", "one date for every kind of system (default: by the policy)")
	flags.BoolVar(&clocks.CheckRequired, "check", false, "ask every organisation for a compromise check")
	flags.StringVar(&clocks.CheckWhy, "check-why", "", "why")
	flags.StringVar(&clocks.Why, "why", "", "why the clocks differ from the policy's")
	return cmd
}

func withdrawCommand(act runner, as *string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "withdraw ID --reason WORDS", Short: "Withdraw an alert; everybody who was told is told", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return act(cmd, func(ctx context.Context, a *app.App) (app.AlertView, error) {
				return a.WithdrawAlert(ctx, *as, args[0], reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; every organisation that was told reads it")
	return cmd
}

func reviseCommand(sh *shell, as *string) *cobra.Command {
	var draft app.AlertDraft
	var change app.AlertChange
	cmd := &cobra.Command{
		Use: "revise ID --why WORDS", Short: "Write a revision of a published alert, for a second person to issue", Args: cobra.ExactArgs(1),
		Example: `  wardwatch alert revise CC-0001 --as analyst@watch.example --material --why "a fix is out" --step "Patch: update to 12.5.0.1"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				v, err := a.ReviseAlert(cmd.Context(), *as, args[0], draft, change)
				if err != nil {
					return err
				}
				return sh.print(v, v.Text)
			})
		},
	}
	flags := cmd.Flags()
	draftWords(flags, &draft)
	flags.StringArrayVar(&draft.CVEs, "cve", nil, "a weakness more (repeatable)")
	flags.BoolVar(&change.Material, "material", false, "organisations acknowledge again: a new fix, exploitation begun, another severity")
	flags.StringVar(&change.Why, "why", "", "what changed; every organisation reads it")
	return cmd
}

func revisionCommand(sh *shell, act runner, as *string) *cobra.Command {
	var approve, drop bool
	cmd := &cobra.Command{
		Use: "revision ID", Short: "Show the revision of an alert that waits, issue it or give it up", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case approve:
				return act(cmd, func(ctx context.Context, a *app.App) (app.AlertView, error) {
					return a.IssueRevision(ctx, *as, args[0])
				})
			case drop:
				return act(cmd, func(ctx context.Context, a *app.App) (app.AlertView, error) { return a.DropRevision(ctx, *as, args[0]) })
			}
			return sh.open(cmd.Context(), func(a *app.App) error {
				v, err := a.AlertRevision(cmd.Context(), *as, args[0])
				if err != nil {
					return err
				}
				return sh.print(v, v.Text)
			})
		},
	}
	cmd.Flags().BoolVar(&approve, "approve", false, "issue it, as a second person")
	cmd.Flags().BoolVar(&drop, "drop", false, "give it up")
	cmd.MarkFlagsMutuallyExclusive("approve", "drop")
	return cmd
}

func editionsCommand(sh *shell, as *string) *cobra.Command {
	return &cobra.Command{
		Use: "compare ID FROM TO", Short: "Compare two versions of an alert, word by word", Args: cobra.ExactArgs(3),
		Long: `Prints what two versions of an alert differ in, word by word: [-gone-] and {+new+}. Versions count from 1; wardwatch alert show
says which one stands.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			from, fromErr := strconv.Atoi(args[1])
			to, toErr := strconv.Atoi(args[2])
			if fromErr != nil || toErr != nil {
				return fmt.Errorf("versions are numbers, such as: wardwatch alert compare %s 1 2", args[0])
			}
			return sh.open(cmd.Context(), func(a *app.App) error {
				changes, err := a.CompareAlert(cmd.Context(), *as, args[0], from, to)
				if err != nil {
					return err
				}
				return sh.print(changes, func(w io.Writer) { app.ChangesText(w, changes) })
			})
		},
	}
}

func policiesCommand(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use: "policies", Short: "List the policies: whose clocks an alert can have", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return sh.open(cmd.Context(), func(a *app.App) error {
				return printEach(sh, a.PolicyRows(), "NAME\tRESPOND\tUPDATE\tCHECKED\tTITLE", func(r app.PolicyRow) string {
					title := r.Title
					if r.Off {
						title += " (off)"
					}
					return strings.Join([]string{r.Name, r.Respond, r.Update, r.Checked, title}, "\t")
				})
			})
		},
	}
}

func templateCommand(sh *shell, as *string) *cobra.Command {
	var from, title string
	cmd := &cobra.Command{
		Use: "template [NAME --from ID --title WORDS]", Short: "List the kept drafts, or keep the words of an alert as one", Args: cobra.MaximumNArgs(1),
		Example: `  wardwatch alert template
  wardwatch alert template gateway --as analyst@watch.example --from CC-0001 --title "A gateway that can be reached"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && from == "" {
				return errors.New("from: is empty (name the alert whose words are kept: --from CC-0001)")
			}
			return sh.open(cmd.Context(), func(a *app.App) (err error) {
				var rows []app.TemplateRow
				if len(args) == 1 {
					rows = make([]app.TemplateRow, 1)
					rows[0], err = a.KeepTemplate(cmd.Context(), *as, from, args[0], title)
				} else {
					rows, err = a.TemplateRows(cmd.Context(), *as)
				}
				if err != nil {
					return err
				}
				return printEach(sh, rows, "NAME\tVERSION\tBY\tFOR", func(r app.TemplateRow) string {
					return strings.Join([]string{r.Name, strconv.Itoa(r.Version), r.By, r.Title}, "\t")
				})
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the alert whose words are kept")
	cmd.Flags().StringVar(&title, "title", "", "what the template is for")
	return cmd
}

// password asks for a password on the terminal, or reads one line of standard input.
func (sh *shell) password(cmd *cobra.Command, stdin bool) (string, error) {
	if stdin {
		line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
		if err != nil && line == "" {
			return "", fmt.Errorf("password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return "", errors.New("the password is asked for on a terminal: use --password-stdin")
	}
	fmt.Fprint(sh.err, "Password: ")
	typed, err := term.ReadPassword(fd)
	fmt.Fprintln(sh.err)
	return string(typed), err
}
