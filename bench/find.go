package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"sluice/bench/peer"
)

// find returns all available peers, in the order in which they are measured in each round.
func (b *bench) find(dir string) ([]peer.Peer, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	all := []peer.Peer{peer.Direct{}}
	sluice, err := b.sluices(root, dir)
	if err != nil {
		return nil, err
	}
	all = append(all, sluice...)
	wanted := b.wanted()
	if wanted["haproxy"] {
		found, err := haproxies("haproxy", "haproxy")
		if err != nil {
			b.note("%v: goes without", err)
		}
		all = append(all, found...)
	}
	if b.haproxy != "" {
		found, err := haproxies("haproxy2", b.haproxy)
		if err != nil {
			return nil, fmt.Errorf("-haproxy: %w", err)
		}
		all = append(all, found...)
	}
	if wanted["nginx"] {
		if nginx, err := peer.FindNginx(); err != nil {
			b.note("%v: goes without", err)
		} else {
			all = append(all, nginx)
		}
	}
	if wanted["floor"] {
		if floor, err := peer.BuildFloor(root, dir); err != nil {
			b.note("no floor: %v: goes without", err)
		} else {
			all = append(all, floor)
		}
	}
	return all, distinct(all)
}

// distinct returns an error if two peers have the same name, because their figures would be
// mixed.
func distinct(all []peer.Peer) error {
	seen := map[string]bool{}
	for _, p := range all {
		if seen[p.Name()] {
			return fmt.Errorf("-also: two proxies by the name of '%s', wanted another name", p.Name())
		}
		seen[p.Name()] = true
	}
	return nil
}

// sluices returns the build of Sluice to measure, and the further builds of -also.
func (b *bench) sluices(root, dir string) ([]peer.Peer, error) {
	bin := b.bin
	if bin == "" {
		bin = filepath.Join(dir, "sluice")
		b.say("build ./cmd/sluice")
		if err := build(root, bin); err != nil {
			return nil, err
		}
	}
	sluice, err := peer.Sluice(peer.SluiceName, bin)
	if err != nil {
		return nil, err
	}
	all := []peer.Peer{sluice}
	for _, text := range b.also {
		s, err := peer.ParseSluice(text)
		if err != nil {
			return nil, fmt.Errorf("-also: %w", err)
		}
		all = append(all, s)
	}
	return all, nil
}

func haproxies(label, path string) ([]peer.Peer, error) {
	found, err := peer.FindHAProxy(label, path)
	var all []peer.Peer
	for _, h := range found {
		all = append(all, h)
	}
	return all, err
}

// build builds cmd/sluice with the same settings as a release.
func build(root, bin string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-o", bin, "./cmd/sluice")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build ./cmd/sluice: %w: %.2000s", err, out)
	}
	return nil
}

// repository returns the directory that contains go.mod.
func repository() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	mod := string(bytes.TrimSpace(out))
	if filepath.Base(mod) != "go.mod" {
		return "", errors.New("not in Sluice's repository: there is no go.mod here")
	}
	return filepath.Dir(mod), nil
}

// toFile writes a file only if write succeeds.
func toFile(path string, write func(io.Writer) error) error {
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}
