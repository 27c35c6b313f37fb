package kernel_test

import (
	"slices"

	"golang.org/x/sys/unix"
)

// families are the kinds of sequences that the comparison runs.
var families = []*family{
	{"tcp", 1, false, (*plan).beginTCP, join(streamMoves, endMoves, oddMoves)},
	{"unix", 4, false, func(p *plan) { p.beginUnix() }, join(streamMoves, endMoves, oddMoves)},
	{"reset", 2, false, (*plan).beginTCP, join(streamMoves, resetMoves)},
	{"urgent", 1, false, (*plan).beginTCP, join(streamMoves, urgentMoves, endMoves)},
	{"listen", 4, false, (*plan).beginListen, join(listenMoves, oddMoves)},
	{"connect", 4, false, (*plan).beginConnect, join(connectMoves, oddMoves)},
	{"fastopen", 2, true, (*plan).beginFastOpen, join(fastOpenMoves, streamMoves, endMoves)},
	{"names", 2, true, (*plan).beginNames, namesMoves},
	{"epoll", 2, false, (*plan).beginEpoll, join(streamMoves, endMoves, epollMoves, fileMoves)},
	{"splice", 1, false, (*plan).beginSplice, join(streamMoves, spliceMoves, endMoves)},
	{"poll", 4, false, (*plan).beginPoll, join(pipeMoves, fileMoves, pollMoves, oddMoves)},
	{"pipe", 4, false, (*plan).beginPipe, join(pipeMoves, fileMoves, oddMoves)},
	{"full", 1, false, (*plan).beginFull, join(streamMoves, fullMoves, resetMoves)},
	{"unixfull", 2, false, (*plan).beginUnixFull, join(streamMoves, []move{{12, (*plan).sendBig}}, endMoves)},
	{"all", 3, false, (*plan).beginEpoll, join(streamMoves, endMoves, resetMoves, urgentMoves, listenMoves, connectMoves, epollMoves,
		fileMoves, spliceMoves, pipeMoves, oddMoves)},
}

func join(moves ...[]move) []move { return slices.Concat(moves...) }

func (p *plan) beginTCP() { p.pair(p.tcpListener(8), unix.AF_INET) }

func (p *plan) beginUnix() []int {
	client, server := p.pair(p.unixListener(0, 8), unix.AF_UNIX)
	return []int{client, server}
}

func (p *plan) beginListen() {
	if p.chance(3) {
		p.unixListener(firstPath*p.rng.IntN(2), p.rng.IntN(3))
	} else {
		p.tcpListener(p.rng.IntN(3))
	}
}

// beginFastOpen adds a listening socket, and lets a client get its cookie.
func (p *plan) beginFastOpen() {
	l := p.slot(listener)
	p.add(step{do: aSocket, a: l, n: unix.AF_INET})
	p.share(l)
	p.add(step{do: aBind, a: l})
	p.add(step{do: aOption, a: l, flags: oFastOpen, n: oneOf(p, 0, 1, 100, 100)})
	p.add(step{do: aListen, a: l, n: p.rng.IntN(4)})
	p.fastOpen()
}

func (p *plan) beginNames() { p.addNamed() }

func (p *plan) beginConnect() {
	p.tcpListener(4)
	p.unixListener(firstPath, 4)
	p.socket(unix.AF_INET)
}

// mayBlind makes half of the sequences blind.
func (p *plan) mayBlind() {
	if p.chance(2) {
		p.add(step{do: aBlind})
	}
}

func (p *plan) beginEpoll() {
	p.mayBlind()
	p.addEpoll()
	p.beginTCP()
	if p.chance(2) {
		p.beginUnix()
	}
}

func (p *plan) beginSplice() {
	p.beginTCP()
	if p.chance(4) {
		p.beginUnix()
	}
	p.addPipe()
	p.most = 20000
}

// beginFull adds a connection with small buffers.
func (p *plan) beginFull() {
	p.mayBlind()
	l := p.tcpListener(8)
	c, s := p.slot(stream), p.slot(stream)
	p.add(step{do: aSocket, a: c, n: unix.AF_INET})
	for _, a := range []int{l, c} {
		p.add(step{do: aOption, a: a, flags: oSendBuffer, n: 2048 << p.rng.IntN(6)})
		p.add(step{do: aOption, a: a, flags: oReceiveBuffer, n: 2048 << p.rng.IntN(6)})
	}
	p.add(step{do: aConnect, a: c, b: l})
	p.add(step{do: aAccept, a: l, b: s})
	p.addEpoll()
	p.addPipe()
	p.most = 100000
}

// beginUnixFull adds a connection of UNIX sockets with small buffers.
func (p *plan) beginUnixFull() {
	for _, a := range p.beginUnix() {
		p.add(step{do: aOption, a: a, flags: oSendBuffer, n: 2048 << p.rng.IntN(6)})
	}
	p.most = 100000
}

// beginPoll adds files whose events come without delay, so the order of many events can be compared.
func (p *plan) beginPoll() {
	p.addEpoll()
	p.addPipe()
	p.addPipe()
	p.addEventfd()
	p.addTimerfd()
	p.most = oneOf(p, 100, 9000, 70000)
}

func (p *plan) beginPipe() {
	p.addPipe()
	p.most = oneOf(p, 100, 9000, 70000)
}

var streamMoves = []move{
	{12, (*plan).send},
	{12, (*plan).read},
	{2, (*plan).sendMore},
	{3, (*plan).shutdown},
	{1, (*plan).names},
}

var endMoves = []move{
	{1, (*plan).close},
	{1, (*plan).reset},
	{1, (*plan).dup},
}

var resetMoves = []move{
	{2, (*plan).reset},
	{2, (*plan).close},
}

var urgentMoves = []move{
	{8, (*plan).sendUrgent},
	{8, (*plan).readUrgent},
	{1, (*plan).inline},
}

// oddMoves are calls that programs make by mistake only.
var oddMoves = []move{
	{1, (*plan).misuse},
	{1, (*plan).closeAny},
}

var listenMoves = []move{
	{2, (*plan).addListener},
	{2, (*plan).addTwin},
	{6, (*plan).dial},
	{5, (*plan).accept},
	{1, (*plan).relisten},
	{1, (*plan).closeListener},
	{2, (*plan).close},
	{1, (*plan).reset},
	{2, (*plan).send},
	{2, (*plan).read},
	{1, (*plan).names},
}

var fastOpenMoves = []move{
	{16, (*plan).fastOpen},
	{8, (*plan).accept},
	{1, (*plan).closeListener},
	{2, (*plan).connectAgain},
	{2, (*plan).names},
}

var namesMoves = []move{
	{8, (*plan).addNamed},
	{4, (*plan).dial},
	{2, (*plan).accept},
	{1, (*plan).bindAgain},
	{1, (*plan).relisten},
	{2, (*plan).closeListener},
	{1, (*plan).close},
	{2, (*plan).names},
}

var connectMoves = []move{
	{2, (*plan).addUnbound},
	{2, (*plan).addBound},
	{5, (*plan).dial},
	{5, (*plan).connectAgain},
	{2, (*plan).fastOpen},
	{3, (*plan).send},
	{3, (*plan).read},
	{1, (*plan).shutdown},
	{1, (*plan).closeListener},
	{2, (*plan).names},
	{1, (*plan).close},
	{1, (*plan).accept},
}

var epollMoves = []move{
	{8, (*plan).watch},
	{4, (*plan).rewatch},
	{2, (*plan).unwatch},
	{12, (*plan).wait},
	{1, (*plan).addEpoll},
	{1, (*plan).dial},
	{1, (*plan).accept},
}

var pollMoves = []move{
	{8, (*plan).watch},
	{4, (*plan).rewatch},
	{2, (*plan).unwatch},
	{12, (*plan).wait},
	{1, (*plan).addEpoll},
	{1, (*plan).dupFile},
}

var fileMoves = []move{
	{1, (*plan).addEventfd},
	{2, (*plan).ring},
	{1, (*plan).addTimerfd},
	{2, (*plan).setTimer},
	{2, (*plan).readFile},
}

var spliceMoves = []move{
	{10, (*plan).spliceOut},
	{8, (*plan).spliceIn},
	{1, (*plan).spliceOdd},
	{1, (*plan).addPipe},
	{2, (*plan).resize},
	{2, (*plan).readPipe},
}

var fullMoves = []move{
	{12, (*plan).sendBig},
	{4, (*plan).wait},
	{4, (*plan).watch},
	{2, (*plan).rewatch},
	{1, (*plan).lowWater},
	{6, (*plan).waitForSpace},
	{2, (*plan).addPipe},
	{3, (*plan).spliceOut},
	{5, (*plan).fillThroughPipe},
}

var pipeMoves = []move{
	{8, (*plan).writePipe},
	{2, (*plan).splicePipes},
	{6, (*plan).readPipe},
	{2, (*plan).resize},
	{1, (*plan).closePipe},
	{1, (*plan).addPipe},
}
