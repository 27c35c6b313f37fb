// Package site compiles a configuration into the values that sessions use: rules, timeouts, log
// formats, error pages, and the addresses of servers. A [Site] is one configuration in this form.
//
// # The life of a site
//
//	conf.Config ── Compile ──> Site ── Open ── Share ──> in use by loops ── Close
//
// [Compile] opens no socket and no log target, so `sluice check` and `sluice explain` use it, too.
// It is called once for each configuration: the process runs the site that was checked. [Site.Open]
// opens the log targets, which can fail. [Site.Share] finds the state that sites share, which cannot
// fail: before it, nothing outside the site has changed. [Site.Close] gives log targets and state
// back. Health checks belong to the state, see [sluice/pool.Registry.Check].
//
// # Who owns what
//
// A site is immutable after Share, except for counters, limits and the states of servers, which are
// atomic. The process owns these ([sluice/pool.Registry]), and further sites share them. All loops
// read a site at the same time without a lock. Compile, Open, Share and Close run on other
// goroutines. The caller of Close first makes sure that no loop uses the site any more.
package site
