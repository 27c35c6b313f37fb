//go:build !race && !simulation

package engine

const racing = false
