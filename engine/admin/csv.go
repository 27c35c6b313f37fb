package admin

import (
	"bytes"
	"strings"

	"sluice/pool/stat"
)

// appendHeader appends the first line of `show stat`. Some tools find a column by its name, others
// by its number.
func appendHeader(to []byte) []byte {
	to = append(to, "# "...)
	for i := range stat.Columns {
		if i == stat.Extra {
			to = append(to, "-,"...)
		}
		to = append(append(to, stat.Columns[i].Name...), ',')
	}
	return append(to, '\n')
}

// appendRow appends a row in the format of `show stat`, with a comma after each value. legends tells
// whether the reader may see addresses, cookies and algorithms.
func appendRow(to []byte, r *stat.Row, legends bool) []byte {
	for i := range stat.Columns {
		c := &stat.Columns[i]
		if i == stat.Extra {
			to = append(to, "-,"...)
		}
		if legends || c.Mark != stat.Legend {
			to = appendQuoted(to, c.Of(r))
		}
		to = append(to, ',')
	}
	return append(to, '\n')
}

// appendQuoted appends a value in the form that CSV readers expect (RFC 4180).
func appendQuoted(to []byte, v stat.Value) []byte {
	begin := len(to)
	to = v.Append(to)
	if !bytes.ContainsAny(to[begin:], "\",\r\n") {
		return to
	}
	text := strings.ReplaceAll(v.String(), `"`, `""`)
	return append(append(append(to[:begin], '"'), text...), '"')
}
