package site

import (
	"fmt"
	"net/http"

	"sluice/conf"
)

// errorFiles returns the complete answers of errorfile and errorloc, head and body, by status.
func errorFiles(files []conf.ErrorFile) map[int][]byte {
	all := map[int][]byte{}
	for _, e := range files {
		all[e.Status] = e.Content
		if e.Location != "" {
			all[e.Status] = redirect(e)
		}
	}
	return all
}

// redirect returns the answer of errorloc, errorloc302 or errorloc303.
func redirect(e conf.ErrorFile) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: %s\r\nconnection: close\r\n\r\n",
		e.Code, http.StatusText(e.Code), e.Location)
}
