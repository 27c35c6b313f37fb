// Package result contains the results: the structure of the JSON file, and the statistics over
// rounds. It is plain data that one goroutine fills.
//
// Rounds are interleaved: the i-th run of one proxy and the i-th run of another follow each
// other closely, under similar conditions of the machine. So ratios are computed for each such
// pair first, and the median is computed from these ratios.
package result
