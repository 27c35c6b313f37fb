package conf

// framing warns of rules that have no effect, because with them the client could not find the end
// of the answer.
func (k *checker) framing(title string, s *HTTPSettings) {
	for _, r := range s.HTTPRequest {
		if r.Action == SetMethod && (r.Value.Text == "HEAD" || r.Value.Text == "CONNECT") {
			k.problems.Warnf(r.Pos, "'http-request set-method %s' in %s does not change other methods: the answer to %[1]s ends in another way than the client expects; wanted a method other than HEAD and CONNECT",
				r.Value.Text, title)
		}
	}
	for _, r := range s.HTTPResponse {
		if r.Action == SetStatus && r.Status < 200 {
			k.problems.Warnf(r.Pos, "'http-response set-status %d' in %s has no effect: the client would wait for another answer; wanted 200 to 999",
				r.Status, title)
		}
	}
}
