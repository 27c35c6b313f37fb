package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	var verbose bool
	c := &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Example: `  sluice version
  sluice version -v`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return fmt.Errorf("this binary was built without module information")
			}
			printVersion(c.OutOrStdout(), info, verbose)
			return nil
		},
	}
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "also print the Go version, the revision and the modules")
	return c
}

// version is the module's, as the build noted it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string { return cmp.Or(info.Main.Version, "(devel)") }

// released is the date of the revision, YYYY/MM/DD. It is empty if the build did not note it.
func released() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return releasedOf(info)
}

func releasedOf(info *debug.BuildInfo) string {
	for _, s := range info.Settings {
		if at, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
			return at.Format("2006/01/02")
		}
	}
	return ""
}

func printVersion(w io.Writer, info *debug.BuildInfo, verbose bool) {
	fmt.Fprintln(w, "sluice", versionOf(info))
	if !verbose {
		return
	}
	fmt.Fprintln(w, "go", info.GoVersion)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision", "vcs.time", "vcs.modified", "GOOS", "GOARCH", "CGO_ENABLED":
			fmt.Fprintln(w, s.Key, s.Value)
		}
	}
	for _, m := range info.Deps {
		fmt.Fprintln(w, "module", m.Path, m.Version)
	}
}
