package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sluice/sniff"
)

// sniffMax is the maximum number of bytes read: twice as many as the sniffer examines.
const sniffMax = 128 << 10

func newSniff() *cobra.Command {
	return &cobra.Command{
		Use:   "sniff [FILE]",
		Short: "print what the sniffer finds in bytes, as JSON",
		Long: `Print what the sniffer finds in the first bytes of a connection, read from FILE
or from standard input, as one line of JSON.`,
		Example: `  printf 'GET / HTTP/1.1\r\nHost: example.org\r\n\r\n' | sluice sniff`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			in := c.InOrStdin()
			if len(args) == 1 {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			return describe(c.OutOrStdout(), in)
		},
	}
}

func describe(w io.Writer, r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, sniffMax))
	if err != nil {
		return fmt.Errorf("read the bytes to sniff: %w", err)
	}
	return json.NewEncoder(w).Encode(sniff.Describe(b))
}
