package engine

// Estimate foretells what an apply of a plan would take. It is a forecast: Basis says
// what it rests on, in sentences for people.
type Estimate struct {
	Items   int64    `json:"items"`           // to be written
	Bytes   int64    `json:"bytes"`           // of content to be moved, as far as listings tell
	Calls   int64    `json:"calls"`           // requests to the services of both sides, the comparison at the end included
	Seconds float64  `json:"seconds"`         // the services' limits included
	Limit   string   `json:"limit,omitempty"` // the resource whose limits decide, if they do
	Exact   bool     `json:"exact"`           // items were counted, not guessed
	Basis   []string `json:"basis"`
}
