package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func newCtl() *cobra.Command {
	var to statsSocket
	c := &cobra.Command{
		Use:   "ctl {-s SOCKET | -f FILE} COMMAND...",
		Short: "send a command to a running balancer",
		Long: `Send a command to the stats socket of a running balancer, and print the answer.
With -f, the socket is the 'stats socket' of that configuration with the highest
level. 'sluice ctl -s SOCKET help' lists the commands.`,
		Example: `  sluice ctl -s /run/sluice/admin.sock show info
  sluice ctl -f /etc/sluice/sluice.toml 'show stat -1 4 -1'
  sluice ctl -f /etc/sluice/sluice.toml reload --dry-run`,
		Args: func(_ *cobra.Command, words []string) error {
			if len(words) == 0 {
				return errors.New("no command, wanted one such as 'show info'; 'help' lists them")
			}
			return nil
		},
		RunE: func(c *cobra.Command, words []string) error {
			return ctl(c.OutOrStdout(), &to, strings.Join(words, " "))
		},
	}
	to.flags(c)
	c.Flags().SetInterspersed(false) // -1 behind 'show stat' is no flag
	c.AddCommand(newCtlReload(&to))
	return c
}

func newCtlReload(to *statsSocket) *cobra.Command {
	dryRun := false
	c := &cobra.Command{
		Use:   "reload {-s SOCKET | -f FILE}",
		Short: "make a running balancer read its configuration again",
		Long: `Make a running balancer read the files of its start again and apply them. No
connection is lost. The changes, or the errors in the files, are printed on
standard error. The exit status is 0 if the new configuration is in use, and 1
if the old one stays. The stats socket must have 'level admin'.

-f names a file in which to look for the stats socket. It may be one with errors.`,
		Example: `  sluice ctl reload -s /run/sluice/admin.sock
  sluice ctl reload -f /etc/sluice/sluice.toml --dry-run
  backend app: server s1: weight 10 is now 20
  dry run: a reload would make 1 change; nothing is changed`,
		Args: onlyFlags,
		RunE: func(c *cobra.Command, _ []string) error {
			if dryRun {
				return ctl(c.OutOrStdout(), to, "reload --dry-run")
			}
			return ctl(c.OutOrStdout(), to, "reload")
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only tell what would change")
	return c
}

// ctl sends a command and prints the answer to w. The messages of a reload go to standard error.
func ctl(w io.Writer, to *statsSocket, command string) error {
	address, err := to.address()
	if err != nil {
		return err
	}
	answer, err := sendCommand(address, command)
	if err != nil {
		return fmt.Errorf("stats socket '%s': %w", address, err)
	}
	head, messages, isReload := strings.Cut(answer, "\n--\n")
	switch {
	case isReload && head == "Success=1":
		fmt.Fprint(os.Stderr, messages)
		return nil
	case isReload && head == "Success=0":
		fmt.Fprint(os.Stderr, messages)
		return exitStatus{1, nil}
	case strings.HasPrefix(command, "reload"):
		return fmt.Errorf("stats socket '%s': the answer to '%s' is '%s'%s", address, command, firstLine(answer), remedy(answer))
	}
	_, err = io.WriteString(w, answer)
	return err
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// remedy returns what to do about the answer to a reload, or "".
func remedy(answer string) string {
	if strings.HasPrefix(answer, "Permission denied") {
		return ": the stats socket needs 'level admin'"
	}
	return ""
}
