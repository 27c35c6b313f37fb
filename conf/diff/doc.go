// Package diff finds the differences between two configurations and names them as an operator
// would: bind added, server removed, weight changed, rule moved.
//
// It compares lines, not fields. Package conf can write a Config as lines in canonical spelling
// (conf.Line), and WriteTOML writes nothing but these lines. Tests of conf show that what is
// written parses to an equal Config. So a difference in any field is a difference in a line, no
// field can be forgotten, and the words of a difference are those of the file. A comparison of
// fields would be another list of all directives beside those of the parser and the writer.
//
// Each line has an item, which is what it is about: `bind 10.0.0.1:443`, `acl blog`, `timeout
// client` (item.go). Lines with the same item are compared, parameter by parameter. Rules whose
// order decides are one list; a list is aligned so that as many rules as possible stay in place
// (align.go).
//
// These are no differences: positions, the order of sections, the order of lines whose order has
// no meaning, and the spelling in a file. A defaults section is compared where its settings apply.
// Contents of error files are compared as they were when the configurations were read.
//
// A Config has only the paths of pattern files (`acl -f`) and the names of hosts. BetweenViews also
// compares the patterns and the addresses that were found when the configurations were compiled.
//
// The package reads only its arguments. It may be used from any goroutine.
package diff
