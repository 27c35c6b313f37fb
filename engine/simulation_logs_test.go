//go:build simulation

package engine

func (x *simulation) checkLogs() {}
